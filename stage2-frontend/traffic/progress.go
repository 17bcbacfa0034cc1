package main

import (
	"io"
	"os"
	"sync"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// progress writes log lines to stdout and, on a terminal, a progress bar below them.
type progress struct {
	mu  sync.Mutex
	out io.Writer
	bar *progressbar.ProgressBar
}

func newProgress(rolls int) *progress {
	p := &progress{out: os.Stdout}
	if term.IsTerminal(int(os.Stdout.Fd())) {
		p.bar = progressbar.NewOptions(rolls,
			progressbar.OptionSetWriter(os.Stdout),
			progressbar.OptionSetDescription("rolling"),
			progressbar.OptionSetItsString("rolls"),
			progressbar.OptionShowCount(),
			progressbar.OptionShowIts(),
			progressbar.OptionFullWidth(),
			progressbar.OptionClearOnFinish(),
		)
	}
	return p
}

// Write writes log lines, and redraws the bar below them.
func (p *progress) Write(lines []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.bar == nil {
		return p.out.Write(lines)
	}
	if err := p.bar.Clear(); err != nil {
		return 0, err
	}
	n, err := p.out.Write(lines)
	if err != nil {
		return n, err
	}
	if p.bar.IsFinished() {
		return n, nil
	}
	return n, p.bar.RenderBlank()
}

// rolled advances the bar by one roll.
func (p *progress) rolled() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.bar != nil {
		_ = p.bar.Add(1) // the run continues even if the bar cannot be drawn
	}
}

// finish removes the bar, even if not all dice were rolled.
func (p *progress) finish() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.bar != nil {
		_ = p.bar.Finish()
	}
}
