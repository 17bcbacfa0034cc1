package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"example.com/dice/observability/internal/lesson"
	"example.com/dice/observability/internal/progress"
	"example.com/dice/observability/internal/stages"
)

const mostHints = 3

// advice is the first hint for each kind of item. It says in general how such an item comes about.
var advice = map[kind]string{
	presence:       "A service is a directory with a main package, and an entry in compose.yaml. It must compile, start, and answer GET /healthz.",
	answers:        "Instrumentation must not change the responses of a service. Compare your handler and your router with those of the stage.",
	arrival:        "Start the SDK first thing in the service, with the service's name. It needs three providers, for traces, metrics and log records, each with an exporter. One call of shared/telemetry sets up all of them.",
	runtimeMetrics: "Metrics of the Go runtime need a meter provider with a reader, and a call of Start in contrib/instrumentation/runtime. shared/telemetry does both.",
	logRecord:      "Log with log/slog. Once its default handler is the otelslog bridge, every record is exported. The message and the names of the attributes must be those that the stage declares.",
	flushing:       "Spans, metrics and log records wait in memory until a batch is full or a timer fires. They must be sent before the process exits, so shut the SDK down after the server has stopped.",
	serverSpan:     "A middleware around the router starts a span for each request, and reads the caller's trace from the request's headers. The order of middlewares matters.",
	clientSpan:     "The client starts a span for each call, and sends the trace ID along. An instrumented transport does both for an HTTP client. For a database, an instrumented driver starts the spans.",
	internalSpan:   "tracer.Start makes a span for work within a request. Start it with the ctx of the request, pass the new ctx on, and end the span with defer. Set its attributes and its status before it ends.",
	account:        "If a span has not arrived, its process lost it: when it exited, because the SDK's queue was full, or because a sampler dropped the span.",
	correlation:    "A log record belongs to the span in its context. First, each request needs a server span. Then log with slog.InfoContext and the ctx of the request.",
	metric:         "Create each instrument once, with a name, a unit and, for a histogram, bucket bounds that fit its values. Use only attributes with a few values that are known beforehand.",
	ownMetrics:     "The SDK can measure itself. The feature is still experimental, so you turn it on with an environment variable of the service.",
	tenant:         "Usage records have an attribute that no other record has. The collector routes the records with this attribute, and only those, to a tenant of their own.",
}

// hint prints the next hint about the first missing item, after the hints before it.
func hint(ctx context.Context, out io.Writer, s subject) error {
	m, p, err := s.known(ctx, out)
	if err != nil || m == nil {
		return err
	}
	fmt.Fprintf(out, "%s: %s\n%s\n\n", m.Service, m.Title, m.Reason)
	m.Hints = min(m.Hints+1, mostHints)
	place, err := s.find(m)
	if err != nil {
		return err
	}
	for i := 1; i <= m.Hints; i++ {
		fmt.Fprintf(out, "Hint %d of %d: %s\n", i, mostHints, place.hint(i, kind(m.Kind)))
	}
	if m.Hints < mostHints {
		fmt.Fprintf(out, "\nFor the next hint: %s\n", s.command("-hint"))
	} else {
		fmt.Fprintf(out, "\nFor the code itself: %s\n", s.command("-solution"))
	}
	return p.Write(s.stage.Root)
}

// solution prints the hunks of the lesson that add the first missing item.
func solution(ctx context.Context, out io.Writer, s subject) error {
	m, _, err := s.known(ctx, out)
	if err != nil || m == nil {
		return err
	}
	place, err := s.find(m)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%s: %s\n\n── %s: %s\n%s", m.Service, m.Title, place.file, place.news, place.hunks)
	return nil
}

// known returns the first missing item of the last check, or nil if nothing was missing. It checks the code if there was no check.
func (s subject) known(ctx context.Context, out io.Writer) (*progress.Missing, progress.Progress, error) {
	p, err := progress.Read(s.stage.Root)
	if err != nil {
		return nil, p, err
	}
	if c, ok := p.Checks[s.stage.Name]; !ok || c.Directory != s.directory {
		if err := check(ctx, out, s); err != nil && !errors.Is(err, errNotAll) {
			return nil, p, err
		}
		if p, err = progress.Read(s.stage.Root); err != nil {
			return nil, p, err
		}
	}
	m := p.Checks[s.stage.Name].Missing
	if m == nil {
		fmt.Fprintf(out, "No item was missing at the last check. To check again: %s\n", s.command(""))
	}
	return m, p, nil
}

// place is the code in a stage that adds an item.
type place struct {
	file, news  string // the file is relative to the repository
	number      int    // of the line
	line, hunks string
}

// find looks for the code that adds an item: in the stage's lesson, then in the earlier lessons, then in all files of the stage.
func (s subject) find(m *progress.Missing) (place, error) {
	all, err := stages.All(s.stage.Root)
	if err != nil {
		return place{}, err
	}
	for _, needle := range m.Needles {
		for _, stage := range slices.Backward(all[:s.stage.Number]) {
			step, err := lesson.Find(stage, false)
			if err != nil {
				return place{}, err
			}
			found, err := search(step, m.Service, needle)
			if err != nil || found.file != "" {
				return found, err
			}
		}
	}
	for _, needle := range m.Needles {
		found, err := s.searchAll(m.Service, needle)
		if err != nil || found.file != "" {
			return found, err
		}
	}
	return place{}, fmt.Errorf("no lesson contains this item: read the README of %s", s.stage.Name)
}

// searchAll looks for a text in a service, in the configuration of its stage, and in the packages that all services share.
func (s subject) searchAll(service, needle string) (place, error) {
	for _, pattern := range []string{path.Join(s.stage.Name, service, "*.go"), path.Join(s.stage.Name, "*.yaml"), "shared/*/*.go"} {
		files, err := filepath.Glob(filepath.Join(s.stage.Root, pattern))
		if err != nil {
			return place{}, err
		}
		for _, file := range files {
			number, line, err := lineOf(file, needle)
			if err != nil {
				return place{}, err
			}
			if line == "" || strings.HasSuffix(file, "_test.go") {
				continue
			}
			name := path.Join(path.Dir(pattern), filepath.Base(file))
			if strings.HasPrefix(pattern, "shared") {
				name = path.Join("shared", filepath.Base(filepath.Dir(file)), filepath.Base(file))
			}
			return place{name, "unchanged since the previous stage", number, line, line + "\n"}, nil
		}
	}
	return place{}, nil
}

// search looks for a text in the lines that a step adds: in the service's files first, then in the configuration.
func search(step lesson.Step, service, needle string) (place, error) {
	for _, own := range []bool{true, false} {
		for _, f := range step.Files {
			if f.After == "" || strings.HasSuffix(step.After, "/roll") != own && strings.HasPrefix(f.Name, service+"/") != own || strings.HasPrefix(f.Name, "traffic/") {
				continue
			}
			hunks, err := lesson.Differ{}.Hunks(f.Before, f.After)
			if err != nil {
				return place{}, err
			}
			added := withNeedle(hunks, needle)
			if added == "" {
				continue
			}
			number, text, err := lineOf(f.After, needle)
			return place{path.Join(step.After, f.Name), f.News, number, text, added}, err
		}
	}
	return place{}, nil
}

// withNeedle returns the hunks that add a line with a text.
func withNeedle(hunks, needle string) string {
	var out strings.Builder
	for _, hunk := range splitHunks(hunks) {
		for line := range strings.Lines(hunk) {
			if strings.HasPrefix(line, "+") && strings.Contains(line, needle) {
				out.WriteString(hunk)
				break
			}
		}
	}
	return out.String()
}

func splitHunks(hunks string) []string {
	var all []string
	for line := range strings.Lines(hunks) {
		if strings.HasPrefix(line, "@@ ") {
			all = append(all, "")
		}
		if len(all) > 0 {
			all[len(all)-1] += line
		}
	}
	return all
}

// lineOf returns the first line of a file that contains a text and is not a comment.
func lineOf(file, needle string) (number int, text string, err error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return 0, "", err
	}
	for i, line := range strings.Split(string(content), "\n") {
		line = strings.TrimSpace(line)
		if strings.Contains(line, needle) && !strings.HasPrefix(line, "//") && !strings.HasPrefix(line, "#") {
			return i + 1, line, nil
		}
	}
	return 0, "", nil
}

// hint returns a hint: number 1 is general, and number 3 is the line itself.
func (p place) hint(number int, k kind) string {
	switch number {
	case 1:
		return advice[k]
	case 2:
		return fmt.Sprintf("The stage has it in %s: %s.", p.file, p.news)
	default:
		return fmt.Sprintf("%s:%d has the line\n    %s", p.file, p.number, p.line)
	}
}
