package stages

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

const (
	phoneWidth = 320 // CSS pixels, the narrowest that WCAG 2.2 asks for (1.4.10)
	rolled     = "200 OK\n" + `{"roll":5}`
	total      = "200 OK\n" + `{"total":11}`
	failed     = "500 Internal Server Error\n" + `{"error":"the die failed; roll again"}`
	hostile    = `<b>bold</b><script>document.title = "changed"</script>&amp;</output>`
)

// TestPage uses the page of each stage in a real browser, with stand-ins for the services behind it.
func TestPage(t *testing.T) {
	t.Parallel()
	browser := startBrowser(t)
	for _, name := range stageNames(t) {
		if _, err := os.Stat(filepath.Join(root, name, "frontend")); err != nil {
			continue // stage 1 has no page
		}
		t.Run(name, func(t *testing.T) {
			page := startFrontend(t, name)
			if hasSignIn(name) {
				useSignIn(t, browser, page)
			}
			t.Run("mouse", func(t *testing.T) { useMouse(browser.open(t, page.url)) })
			t.Run("without JavaScript", func(t *testing.T) {
				useMouse(browser.open(t, page.url, command(emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})))
			})
			t.Run("keyboard only", func(t *testing.T) { useKeyboard(browser.open(t, page.url), page) })
			if page.severalDice {
				t.Run("several dice", func(t *testing.T) { rollSeveral(browser.open(t, page.url)) })
			}
			t.Run("HTML stays text", func(t *testing.T) { showHTML(browser.open(t, page.url), page) })
			t.Run("phone", func(t *testing.T) {
				usePhone(browser.open(t, page.url, chromedp.EmulateViewport(phoneWidth, 640, chromedp.EmulateMobile)), page)
			})
			if os.Getenv("PICTURES") != "" {
				height := int64(440)
				if hasSignIn(name) {
					height = 480
				}
				takePictures(browser.open(t, page.url, chromedp.EmulateViewport(720, height, chromedp.EmulateScale(2))), name, page)
			}
		})
	}
}

// browser is headless Chromium.
type browser struct{ ctx context.Context }

// startBrowser starts a browser. If none is installed, the test is skipped, except in CI.
func startBrowser(t *testing.T) browser {
	t.Helper()
	if _, err := exec.LookPath("chromium"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip("chromium is not installed")
	}
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath("chromium"),
		chromedp.NoSandbox, // containers and root have none; the pages are our own
		chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true),
	)...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	return browser{ctx}
}

type action = chromedp.Action[chromedp.Void]

var click = chromedp.Click(chromedp.CSS("button"))

// command is an action that sends one command of the browser's protocol.
func command[P any](c cdp.Command[P, cdp.Empty], params P) action {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, c, params)
		return err
	})
}

// tab is a tab of the browser that shows the page.
type tab struct {
	*testing.T
	ctx context.Context
}

// open opens the page in a new tab, after what is to be done before.
func (b browser) open(t *testing.T, url string, before ...action) tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(b.ctx)
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, time.Minute)
	t.Cleanup(cancel)
	opened := tab{t, ctx}
	opened.do(append(before, chromedp.Navigate(url))...)
	return opened
}

func (t tab) do(actions ...action) {
	t.Helper()
	if err := chromedp.Do(t.ctx, actions...); err != nil {
		t.Fatal(err)
	}
}

// expect waits until the output box says what it should.
func (t tab) expect(want string) {
	t.Helper()
	var got string
	for t.ctx.Err() == nil {
		text, err := chromedp.Run(t.ctx, chromedp.Text(chromedp.CSS("output")))
		if got = strings.TrimSpace(text); err == nil && got == want {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatalf("output %q, want %q", got, want)
}

// expectResult wants an expression to have this value soon: the browser moves the focus when it paints.
func (t tab) expectResult(want any, expression string) {
	t.Helper()
	var got any
	var err error
	for begin := time.Now(); time.Since(begin) < 10*time.Second; time.Sleep(20 * time.Millisecond) {
		if got, err = chromedp.Run(t.ctx, chromedp.Evaluate[any](expression)); err == nil && fmt.Sprint(got) == fmt.Sprint(want) {
			return
		}
	}
	t.Errorf("%s is %v, %v, want %v", expression, got, err, want)
}

// useMouse chooses the risky die and presses Run. The choice must stay.
func useMouse(t tab) {
	t.Helper()
	t.do(chromedp.SendKeys(chromedp.CSS("select"), "r"), click)
	t.expect(failed)
	chosen, err := chromedp.Run(t.ctx, chromedp.Value(chromedp.CSS("select")))
	if err != nil || chosen != "risky" {
		t.Errorf("%q is chosen after the run, %v, want risky", chosen, err)
	}
	link, err := chromedp.Run(t.ctx, chromedp.AttributeValue(chromedp.CSS("p a"), "href"))
	if err != nil || !strings.HasPrefix(link.Value, "http://localhost:3000/explore?") {
		t.Errorf("the trace's link is %q, %v", link.Value, err)
	}
}

// useKeyboard reaches everything by Tab, sees where it is, and runs again without going back.
func useKeyboard(t tab, page *frontend) {
	t.Helper()
	const focus = "document.activeElement.tagName"
	t.do(chromedp.KeyEvent(kb.Tab))
	t.expectResult("SELECT", focus)
	t.expectResult("solid", "getComputedStyle(document.activeElement).outlineStyle")
	t.do(chromedp.KeyEvent(kb.ArrowDown), chromedp.KeyEvent(kb.Tab))
	if page.severalDice {
		t.expectResult("INPUT", focus)
		t.do(chromedp.KeyEvent(kb.Tab))
	}
	t.expectResult("BUTTON", focus)
	t.do(chromedp.KeyEvent(kb.Enter))
	t.expect(failed)
	t.expectResult("BUTTON", focus)
	back := chromedp.KeyEvent(kb.Tab, chromedp.KeyModifiers(chromedp.ModifierShift))
	if page.severalDice {
		t.do(back)
	}
	t.do(back)
	t.expectResult("SELECT", focus)
	t.do(chromedp.KeyEvent(kb.ArrowUp), chromedp.KeyEvent(kb.Enter)) // which submits no form from a drop-down
	t.do(chromedp.KeyEvent(kb.Escape), chromedp.KeyEvent(kb.Tab))
	if page.severalDice {
		t.do(chromedp.KeyEvent(kb.Tab))
	}
	t.do(chromedp.KeyEvent(kb.Enter))
	t.expect(rolled)
}

// rollSeveral asks for three dice. The number must stay, and the browser must refuse one that is too small.
func rollSeveral(t tab) {
	t.Helper()
	times := chromedp.CSS("input[name=times]")
	t.do(chromedp.SetValue(times, "3"), click)
	t.expect(total)
	t.expectResult(3, "document.querySelector('input[name=times]').valueAsNumber")
	t.do(chromedp.SetValue(times, "0"))
	t.expectResult(false, "document.querySelector('form').checkValidity()")
}

func showHTML(t tab, page *frontend) {
	t.Helper()
	page.reply.Store(hostile)
	defer page.reply.Store("")
	t.do(click)
	t.expect("200 OK\n" + hostile)
	t.expectResult(0, "document.querySelectorAll('output *').length")
	t.expectResult("Dice", "document.title")
}

// usePhone wants no scrolling to the side, also for a reply without spaces.
func usePhone(t tab, page *frontend) {
	t.Helper()
	long := strings.Repeat("x", 500)
	page.reply.Store(long)
	defer page.reply.Store("")
	t.do(click)
	t.expect("200 OK\n" + long)
	t.expectResult(phoneWidth, "document.documentElement.clientWidth")
	t.expectResult(phoneWidth, "document.documentElement.scrollWidth")
	t.expectResult(true, "document.querySelector('button').getBoundingClientRect().right <= innerWidth")
	t.expectResult(true, "document.querySelector('select').getBoundingClientRect().top === document.querySelector('button').getBoundingClientRect().top")
}
