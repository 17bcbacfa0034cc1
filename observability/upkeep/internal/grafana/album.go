package grafana

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"example.com/dice/observability/upkeep/internal/dashboard"
)

// Album holds the pictures of one stage.
type Album struct {
	Grafana
	Root, Stage string
	Directory   string // if empty, the pictures that are in the stage's docs are replaced, and no others are taken
}

// traces are the TraceQL queries for the trace in a stage's README.
var traces = map[string]string{
	"stage1-roll":        failedDie,
	"stage2-frontend":    failedDie,
	"stage3-die-service": failedDie,
	"stage4-async":       severalDice,
	"stage5-database":    `{ resource.service.name = "traffic" && span:name = "POST /" && span:duration > 800ms }`,
	"stage6-usage":       severalDice,
}

// byHand are pictures in docs with an open menu.
var byHand = map[string]string{"stage1-roll": "trace.png"}

const (
	failedDie   = `{ span:name = "roll die" && span:status = error }`
	severalDice = `{ span.dice.batch.size > 8 && span:status = error }`
)

// Take takes the pictures of the stage's dashboards and of a trace. It returns the names of the files, and an error that lists all
// defects.
func (a Album) Take(ctx context.Context) (files []string, err error) {
	boards, err := dashboard.Read(a.Root, a.Stage)
	if err != nil {
		return nil, err
	}
	failed, err := a.Traces(ctx, `{ span:status = error }`)
	if err != nil {
		return nil, err
	}
	browser, stop, err := StartBrowser(ctx)
	if err != nil {
		return nil, err
	}
	defer stop()
	var all []error
	add := func(name string, take func() (Picture, error)) {
		file, err := a.save(name, take)
		if file != "" {
			files = append(files, file)
		}
		all = append(all, err)
	}
	for _, board := range boards {
		add("dashboard-"+board.UID+".png", func() (Picture, error) {
			return browser.Dashboard(a.DashboardURL(board.UID, url.Values{"trace_id": failed[:1]}))
		})
	}
	if query := traces[a.Stage]; query != "" {
		add("trace.png", func() (Picture, error) { return a.trace(ctx, browser, boards, query) })
	}
	return files, errors.Join(all...)
}

// trace follows the link of a table on one of the dashboards.
func (a Album) trace(ctx context.Context, browser Browser, boards []dashboard.Dashboard, query string) (Picture, error) {
	ids, err := a.Traces(ctx, query)
	if err != nil {
		return Picture{}, err
	}
	for _, board := range boards {
		if link := board.TraceLink(ids[0]); link != "" {
			return browser.Trace(string(a.Grafana) + link + "&kiosk")
		}
	}
	return Picture{}, errors.New("no table of spans links to traces")
}

// save takes one picture, unless it is none of those to replace.
func (a Album) save(name string, take func() (Picture, error)) (file string, err error) {
	file = filepath.Join(a.Directory, name)
	if a.Directory == "" {
		file = filepath.Join(a.Root, a.Stage, "docs", name)
		if _, err := os.Stat(file); err != nil || byHand[a.Stage] == name {
			return "", nil //nolint:nilerr // the README does not show it
		}
	}
	picture, err := take()
	if err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return "", err
	}
	if err := os.WriteFile(file, picture.PNG, 0o644); err != nil {
		return "", err
	}
	if len(picture.Defects) > 0 {
		return file, fmt.Errorf("%s: %s", name, strings.Join(picture.Defects, "; "))
	}
	return file, nil
}
