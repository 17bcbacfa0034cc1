package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// progress reads the log lines of the traffic generator, and shows how many users have finished.
type progress struct {
	rest []byte // beginning of an incomplete line
	mu   sync.Mutex
	out  io.Writer
	bar  *progressbar.ProgressBar
}

type trafficLine struct {
	Message string `json:"msg"`
	Users   int
	Rolls   int
	Replies map[string]int
	Median  string
	P95     string
}

func newProgress(out io.Writer) *progress { return &progress{out: out} }

// Write takes data from a pipe, which may end in the middle of a line.
func (p *progress) Write(part []byte) (int, error) {
	p.rest = append(p.rest, part...)
	for {
		text, rest, found := bytes.Cut(p.rest, []byte("\n"))
		if !found {
			return len(part), nil
		}
		var line trafficLine
		if json.Unmarshal(text, &line) == nil {
			p.show(line)
		}
		p.rest = rest
	}
}

// print writes text above the bar.
func (p *progress) print(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.bar != nil {
		_ = p.bar.Clear() // the run continues even if the bar cannot be drawn
	}
	fmt.Fprint(p.out, text)
}

func (p *progress) show(line trafficLine) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch line.Message {
	case "traffic generation started":
		fmt.Fprintf(p.out, "%d users roll %d times\n", line.Users, line.Rolls)
		if out, ok := p.out.(*os.File); ok && term.IsTerminal(int(out.Fd())) {
			p.bar = progressbar.NewOptions(line.Users,
				progressbar.OptionSetWriter(p.out),
				progressbar.OptionSetDescription("users finished"),
				progressbar.OptionShowCount(),
				progressbar.OptionSetElapsedTime(false),
				progressbar.OptionSetPredictTime(false),
				progressbar.OptionClearOnFinish(),
			)
		}
	case "user finished its last roll":
		if p.bar != nil {
			_ = p.bar.Add(1)
		}
	case "traffic generation is complete":
		fmt.Fprintf(p.out, "responses by status: %v, median %s, 95th percentile %s\n", line.Replies, line.Median, line.P95)
	}
}
