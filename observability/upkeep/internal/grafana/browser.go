package grafana

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/chromedp/chromedp"
)

const (
	pictureWidth = 1200 // CSS pixels: legible in a README, which shows a picture 830 pixels wide
	traceWidth   = 1000
	tall         = 6000 // all panels are in view, because Grafana loads only those
	scale        = 1.5
	border       = 16
	patience     = time.Minute
)

// Browser is headless Chromium.
type Browser struct{ ctx context.Context }

// StartBrowser starts the Chromium on the PATH. Call the function that it returns to end it.
func StartBrowser(ctx context.Context) (Browser, func(), error) {
	ctx, cancelAllocator := chromedp.NewExecAllocator(ctx, append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath("chromium"),
		chromedp.NoSandbox, // containers and root have none; the pages are our own
		chromedp.DisableGPU,
	)...)
	ctx, cancel := chromedp.NewContext(ctx)
	stop := func() { cancel(); cancelAllocator() }
	if err := chromedp.Do(ctx); err != nil {
		stop()
		return Browser{}, nil, fmt.Errorf("starting Chromium: %w", err)
	}
	return Browser{ctx}, stop, nil
}

// Picture is what the browser shows, and what a reader would find wrong with it.
type Picture struct {
	PNG     []byte
	Defects []string
}

// Dashboard takes a picture of a dashboard without Grafana's menus, down to its last panel.
func (b Browser) Dashboard(address string) (Picture, error) {
	return b.take(address, pictureWidth, "", func(ctx context.Context) ([]byte, error) {
		bottom, err := chromedp.Run(ctx, chromedp.Evaluate[float64](bottomOfPanels))
		if err != nil {
			return nil, err
		}
		if err := chromedp.Do(ctx, chromedp.EmulateViewport(pictureWidth, int64(bottom)+border, chromedp.EmulateScale(scale))); err != nil {
			return nil, err
		}
		if err := wait(ctx, loaded("")); err != nil { // again, in the new size
			return nil, err
		}
		return chromedp.Run(ctx, chromedp.CaptureScreenshot())
	})
}

// Trace takes a picture of the panel with a trace in Explore.
func (b Browser) Trace(address string) (Picture, error) {
	const title = "Trace"
	return b.take(address, traceWidth, title, func(ctx context.Context) ([]byte, error) {
		return chromedp.Run(ctx, chromedp.Screenshot(chromedp.CSS(panelSelector(title))))
	})
}

// Has says whether a page has an element that matches the CSS selector, once the page has something to show.
func (b Browser) Has(address, selector string) (bool, error) {
	ctx, cancel := chromedp.NewContext(b.ctx)
	defer cancel()
	ctx, cancel = context.WithTimeout(ctx, patience)
	defer cancel()
	err := chromedp.Do(ctx, chromedp.Navigate(address))
	if err == nil {
		err = wait(ctx, "document.querySelector('button, input') !== null")
	}
	if err != nil {
		return false, fmt.Errorf("opening %s: %w", address, err)
	}
	return chromedp.Run(ctx, chromedp.Evaluate[bool](fmt.Sprintf("document.querySelector(%q) !== null", selector)))
}

// take opens an address in a new tab, waits for its panels, among them the one with the title, and looks at it.
func (b Browser) take(address string, width int64, title string, capture func(context.Context) ([]byte, error)) (p Picture, err error) {
	ctx, cancel := chromedp.NewContext(b.ctx)
	defer cancel()
	ctx, cancel = context.WithTimeout(ctx, patience)
	defer cancel()
	err = chromedp.Do(ctx, chromedp.EmulateViewport(width, tall, chromedp.EmulateScale(scale)), chromedp.Navigate(address))
	if err == nil {
		err = wait(ctx, loaded(title))
	}
	if err != nil {
		return p, fmt.Errorf("opening %s: %w", address, err)
	}
	picture, err := capture(ctx)
	if err != nil {
		return p, fmt.Errorf("taking a picture of %s: %w", address, err)
	}
	if p.Defects, err = chromedp.Run(ctx, chromedp.Evaluate[[]string](defects)); err != nil {
		return p, fmt.Errorf("looking at %s: %w", address, err)
	}
	p.PNG, err = reduce(picture)
	return p, err
}

// wait waits until an expression is true.
func wait(ctx context.Context, expression string) error {
	for {
		ok, err := chromedp.Run(ctx, chromedp.Evaluate[bool](expression))
		if ok {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(err, fmt.Errorf("the page does not load: %w", ctx.Err()))
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// What follows are expressions in the language of the page. The attributes are those that Grafana's own tests use:
// https://github.com/grafana/grafana/tree/main/packages/grafana-e2e-selectors

const panelPrefix = "data-testid Panel header "

func panelSelector(title string) string { return fmt.Sprintf(`[data-testid^=%q]`, panelPrefix+title) }

// loaded says whether all panels show something, and one of them has the title.
func loaded(title string) string {
	return `document.querySelector('` + panelSelector(title) + `') !== null &&
		document.querySelector('[aria-label="Panel loading bar"]') === null &&
		[...document.querySelectorAll('` + panelSelector("") + `')].every(panel => {
			const content = panel.querySelector('[data-testid="data-testid panel content"]');
			return content !== null && content.childElementCount > 0;
		})`
}

const bottomOfPanels = `Math.max(...[...document.querySelectorAll('[data-testid^="` + panelPrefix + `"]')].map(
	panel => panel.getBoundingClientRect().bottom + window.scrollY))`

// defects lists what is wrong with each panel.
var defects = strings.NewReplacer("PREFIX", panelPrefix, "MOST", strconv.Itoa(mostSeries)).Replace(`
[...document.querySelectorAll('[data-testid^="PREFIX"]')].flatMap(panel => {
	const found = [];
	const clipped = element => [element, ...element.querySelectorAll('*')].some(
		part => part.textContent.trim() !== '' && part.clientWidth > 0 && part.scrollWidth > part.clientWidth + 1);
	for (const status of panel.querySelectorAll('[data-testid^="data-testid Panel status"]'))
		found.push(status.dataset.testid.replace('data-testid Panel status', '').trim() + ' icon');
	for (const message of panel.querySelectorAll('[data-testid="data-testid Panel data error message"]'))
		found.push(message.textContent.trim());
	for (const element of panel.querySelectorAll('*'))
		if (element.childElementCount === 0 && element.textContent.trim() === 'No data') found.push('No data');
	for (const header of panel.querySelectorAll('h2, [role="columnheader"]'))
		if (clipped(header)) found.push('clipped: ' + header.textContent.trim());
	const series = panel.querySelectorAll('[data-testid^="data-testid VizLegend series"]').length;
	if (series > MOST) found.push(series + ' series in the legend');
	return [...new Set(found)].map(what => panel.dataset.testid.replace('PREFIX', '') + ': ' + what);
})`)

const mostSeries = 8
