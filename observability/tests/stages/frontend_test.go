package stages

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"
)

// frontend is the frontend of a stage as a process, with a stand-in for all services behind it.
type frontend struct {
	url   string
	reply atomic.Value // a string: what the stand-in replies to each roll; empty for the usual replies

	severalDice bool // can be asked for
}

func startFrontend(t *testing.T, stage string) *frontend {
	t.Helper()
	page := &frontend{severalDice: stage > "stage4"}
	page.reply.Store("")
	behind := httptest.NewServer(page.standIn())
	t.Cleanup(behind.Close)

	program := filepath.Join(t.TempDir(), "frontend")
	shell(t, filepath.Join(root, stage), "go build -o "+program+" ./frontend")
	ctx, cancel := context.WithTimeout(context.Background(), runTimeout) // for all that is done with the page
	process := exec.CommandContext(ctx, program)
	process.Env = append(os.Environ(), "ADDR=127.0.0.1:0", "ROLL_URL="+behind.URL, "DIE_URL="+behind.URL)
	stdout, err := process.StdoutPipe()
	if err == nil {
		err = process.Start()
	}
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	t.Cleanup(func() {
		defer cancel()
		if err := process.Process.Signal(syscall.SIGTERM); err != nil {
			t.Error(err)
		}
		if err := process.Wait(); err != nil {
			t.Errorf("the frontend's exit: %v", err)
		}
	})
	lines := bufio.NewScanner(stdout)
	for page.url == "" && lines.Scan() {
		var line struct{ Msg, Address string }
		if json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == "listening" {
			page.url = "http://" + line.Address
		}
	}
	if page.url == "" {
		t.Fatal("the frontend does not listen")
	}
	go func() {
		for lines.Scan() { // to its end, so that the process never waits for a reader
		}
	}()
	return page
}

func (f *frontend) standIn() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /dice", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"identifiers":["fair","risky"]}`))
	})
	mux.HandleFunc("GET /roll-async", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"total":11}` + "\n"))
	})
	mux.HandleFunc("GET /roll", func(w http.ResponseWriter, r *http.Request) {
		switch reply := f.reply.Load().(string); {
		case reply != "":
			_, _ = w.Write([]byte(reply))
		case r.URL.Query().Get("die") == "risky":
			w.WriteHeader(http.StatusInternalServerError)
			_, _ = w.Write([]byte(`{"error":"the die failed; roll again"}` + "\n"))
		default:
			_, _ = w.Write([]byte(`{"roll":5}` + "\n"))
		}
	})
	return mux
}
