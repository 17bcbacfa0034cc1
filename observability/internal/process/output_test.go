package process

import (
	"strings"
	"testing"
)

func TestOutput(t *testing.T) {
	long := strings.Repeat("\tmain.go:1\n", 3000)
	tests := []struct{ name, text, reason, has string }{
		{"nothing", "", "no output", ""},
		{"blank lines", "first\n last \n\n", "last", "first\n last \n\n"},
		{"panic on the first line", "panic: boom\n\ngoroutine 1 [running]:\n" + long, "panic: boom", "panic: boom\n\ngoroutine 1"},
		{"panic after much", long + "panic: boom\n" + long, "panic: boom", "\n…\n"},
		{"fatal error", "{}\nfatal error: stack overflow\n" + long + "exit status 2\n", "fatal error: stack overflow", "fatal error: "},
		{"only the last panic ends a program", "panic: first\n" + long + "panic: second\n" + long, "panic: second", "panic: second"},
		{"a panic in a log record", `{"msg":"panic: boom"}` + "\nlast\n", "last", "last"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for _, size := range []int{1, 2, 7, 8, 13, 100, 1000, 1 << 20} { // of a write
				var o output
				for rest := test.text; rest != ""; rest = rest[min(size, len(rest)):] {
					if _, err := o.Write([]byte(rest[:min(size, len(rest))])); err != nil {
						t.Fatal(err)
					}
				}
				if got := o.reason(); got != test.reason {
					t.Errorf("in writes of %d bytes: reason %q, want %q", size, got, test.reason)
				}
				if got := o.String(); !strings.Contains(got, test.has) || len(got) > mostOutput+mostCrash+10 || len(test.text) < mostOutput && got != test.text {
					t.Errorf("in writes of %d bytes: output of %d bytes, want %q\n%s", size, len(got), test.has, got)
				}
			}
		})
	}
}
