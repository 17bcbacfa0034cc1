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

	"example.com/dice/observability/internal/compose"
	"example.com/dice/observability/internal/lesson"
)

const mostHints = 3

// advice is the first hint: what makes an item of each kind, in general.
var advice = map[kind]string{
	presence:       "A service is a directory with a main package and an entry in compose.yaml. It must be built, start, and answer GET /healthz.",
	answers:        "Instrumentation must not change what a service answers. Compare your handler and your router with those of the stage.",
	arrival:        "Start the SDK at the beginning of the service, with its name: a provider for traces, one for metrics, one for log records, each with an exporter. shared/telemetry does all of this in one call.",
	runtimeMetrics: "The metrics of the Go runtime need a meter provider with a reader, and a call of Start in contrib/instrumentation/runtime. shared/telemetry does both.",
	logRecord:      "Log with log/slog. Once its default handler is the bridge otelslog, each record is sent. The message and the attributes' names are part of what the stage promises.",
	flushing:       "Spans, metrics and log records wait in memory until a batch is full or its time is over. Before the process ends they must be sent: shut the SDK down after the server has stopped.",
	serverSpan:     "A middleware around the router makes a span for each request, and reads the caller's trace from the request's headers. The order of middlewares matters.",
	clientSpan:     "What calls another service makes a span, and sends the trace's id along. The transport of an HTTP client does both; a driver for a database is wrapped in the same way.",
	internalSpan:   "tracer.Start makes a span for work within a request. Start it with the ctx of the request, pass the new ctx on, end it with defer, and set its attributes and its status before.",
	account:        "A span that was made and has not arrived was lost in the process: at its end, in a queue that was full, or because a sampler dropped it.",
	correlation:    "A log record belongs to the span in its context. Without a server span there is none; with one, log with slog.InfoContext and the ctx of the request.",
	metric:         "An instrument is made once, with a name, a unit and, for a histogram, bounds that fit what it measures. It is recorded with few attributes, whose values are known beforehand.",
	ownMetrics:     "The SDK can measure itself. That is an experiment still, so a variable in the environment of the service switches it on.",
	tenant:         "Records of usage carry an attribute that no other record has. The collector sends these to a place of their own, and only these.",
}

// hint gives the next hint about the first missing item.
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
		fmt.Fprintf(out, "Hint %d of %d: %s\n", i, mostHints, place.hint(i, m.Kind))
	}
	if m.Hints < mostHints {
		fmt.Fprintf(out, "\nFor the next one: %s\n", s.command("-hint"))
	} else {
		fmt.Fprintf(out, "\nThe code itself: %s\n", s.command("-solution"))
	}
	return p.write(s.root)
}

// solution prints the hunks of the lesson that make the first missing item.
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

// known returns the first missing item of the last check, and checks the code if there was none.
func (s subject) known(ctx context.Context, out io.Writer) (*missing, progress, error) {
	p, err := readProgress(s.root)
	if err != nil {
		return nil, p, err
	}
	if c, ok := p.Checks[s.stage]; !ok || c.Directory != s.directory {
		if err := check(ctx, out, s); err != nil && !errors.Is(err, errNotAll) {
			return nil, p, err
		}
		if p, err = readProgress(s.root); err != nil {
			return nil, p, err
		}
	}
	m := p.Checks[s.stage].Missing
	if m == nil {
		fmt.Fprintf(out, "All was there at the last check. Is it still? %s\n", s.command(""))
	}
	return m, p, nil
}

// place is where in the stages an item is made.
type place struct {
	file, news  string // the file is relative to the repository
	number      int    // of the line
	line, hunks string
}

// find looks for what makes an item in the lesson of the stage, then in those before it, then in all files of the stage.
func (s subject) find(m *missing) (place, error) {
	names, err := compose.Names(s.root)
	if err != nil {
		return place{}, err
	}
	names = names[:slices.Index(names, s.stage)+1]
	for _, needle := range m.Needles {
		for _, name := range slices.Backward(names) {
			step, err := lesson.Find(s.root, name, false)
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
	return place{}, fmt.Errorf("no lesson has this: read the README of %s", s.stage)
}

// searchAll looks for a text in a service, in the configuration of its stage, and in what all services share.
func (s subject) searchAll(service, needle string) (place, error) {
	for _, pattern := range []string{path.Join(s.stage, service, "*.go"), path.Join(s.stage, "*.yaml"), "shared/*/*.go"} {
		files, err := filepath.Glob(filepath.Join(s.root, pattern))
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
			return place{name, "what has not changed", number, line, line + "\n"}, nil
		}
	}
	return place{}, nil
}

// search looks for a text in what a step adds: in the service's files first, then in configuration.
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

// lineOf returns the first line of a file that has a text and is no comment.
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

// hint returns a hint, from 1, general, to 3, the very line.
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
