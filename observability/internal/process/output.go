package process

import (
	"bytes"
	"strings"
	"sync"
)

const (
	mostOutput = 16 << 10 // bytes
	mostCrash  = 4 << 10
)

// crashes are the beginnings of the lines with which Go's runtime ends a program.
var crashes = [][]byte{[]byte("\npanic: "), []byte("\nfatal error: ")}

// output keeps the end of a process's output, and the beginning of a crash, because stack traces may be longer than that.
type output struct {
	mu    sync.Mutex
	end   []byte
	crash []byte
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.end == nil {
		o.end = []byte("\n") // so that a crash is found on the first line too
	}
	overlap := max(0, len(o.end)-len(crashes[1])) // the beginning of a crash may be split between two writes
	o.end = append(o.end, p...)
	if o.crash != nil {
		o.crash = append(o.crash, p...)
	}
	for _, crash := range crashes {
		if i := bytes.LastIndex(o.end[overlap:], crash); i >= 0 {
			o.crash = bytes.Clone(o.end[overlap+i+1:])
		}
	}
	o.crash = o.crash[:min(len(o.crash), mostCrash)]
	o.end = o.end[max(0, len(o.end)-mostOutput):]
	return len(p), nil
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !bytes.Contains(o.end, o.crash) {
		return string(o.crash) + "\n…\n" + string(o.end)
	}
	return strings.TrimPrefix(string(o.end), "\n")
}

// reason returns the line that says why the process ended: the first of a crash, or else the last line that is not empty.
func (o *output) reason() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.crash != nil {
		line, _, _ := strings.Cut(string(o.crash), "\n")
		return strings.TrimSpace(line)
	}
	text := strings.TrimSpace(string(o.end))
	if text == "" {
		return "no output"
	}
	return strings.TrimSpace(text[strings.LastIndex(text, "\n")+1:])
}
