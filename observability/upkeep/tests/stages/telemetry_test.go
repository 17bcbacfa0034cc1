package stages

import (
	"context"
	"encoding/base64"
	"maps"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"example.com/dice/observability/internal/store"
)

// sendMistakes makes the requests that the traffic does not make.
func sendMistakes(t *testing.T, s *running) {
	t.Helper()
	sendOddRequests(t, s.stage.URL("roll"))
	for _, service := range []string{"roll", "frontend", "die"} {
		if url := s.stage.URL(service); url != "" {
			sendCredentials(t, url)
		}
	}
	if page := s.stage.URL("frontend"); page != "" {
		sendOddForms(t, page, s.stage.Name)
	}
	if dice := s.stage.URL("die"); dice != "" {
		get(t.Context(), t, dice+"/dice?identifier=blue")
		get(t.Context(), t, dice+"/nowhere")
	}
}

// checkTelemetry compares what a stage declares with all that it has emitted.
func checkTelemetry(t *testing.T, s *running) {
	t.Helper()
	for _, difference := range s.declared.Compare(s.Store) {
		t.Error(difference)
	}
	wantNone(t, s.Store, regexp.MustCompile(caller+"|"+secret))
	checkTraces(t, s.Store)
	checkCanceled(t, s.Store)
	checkInventedMethod(t, s.Store)
	checkEnds(t, s.Store)
}

// checkTraces wants the log records of a service to lead to traces, except for those of its start and stop.
func checkTraces(t *testing.T, s *store.Store) {
	t.Helper()
	without := make(map[string]int)
	for _, record := range s.Records() {
		if record.TraceID == "" && record.Service != "traffic" && record.Message != "listening" && record.Message != "stopping" {
			without[record.Service+": "+record.Message]++
		}
	}
	if len(without) > 0 {
		t.Errorf("log records without a trace id: %v", without)
	}
}

// checkCanceled wants no error in a server's span because its caller disconnected.
func checkCanceled(t *testing.T, s *store.Store) {
	t.Helper()
	for _, span := range s.Spans() {
		if span.Kind == "server" && span.Attributes["http.response.status_code"] == "499" && span.Failed {
			t.Errorf("span %q of %s, which was canceled, has the error %q", span.Name, span.Service, span.Message)
		}
	}
}

// checkInventedMethod wants the method that no standard knows in one attribute alone: names and labels must not grow.
func checkInventedMethod(t *testing.T, s *store.Store) {
	t.Helper()
	seen := false
	for _, span := range s.Spans() {
		switch original, method := span.Attributes["http.request.method_original"], span.Attributes["http.request.method"]; {
		case original == "INVENTED" && method == "_OTHER" && span.Name == "HTTP":
			seen = true
		case original != "" || method == "INVENTED":
			t.Errorf("span %q of %s has the method %q, and the original one %q", span.Name, span.Service, method, original)
		}
	}
	if !seen {
		t.Error("no span for an invented method")
	}
}

// checkEnds wants the spans and the durations of a server to agree on how its requests ended.
func checkEnds(t *testing.T, s *store.Store) {
	t.Helper()
	end := func(service string, attributes map[string]string) string {
		keys := []string{"http.request.method", "http.route", "http.response.status_code", "error.type"}
		values := []string{service}
		for _, key := range keys {
			values = append(values, attributes[key])
		}
		return strings.Join(values, " ")
	}
	traced := make(map[string]int)
	for _, span := range s.Spans() {
		if span.Kind != "server" {
			continue
		}
		traced[end(span.Service, span.Attributes)]++
		if span.Failed != (span.Attributes["error.type"] != "") {
			t.Errorf("span %q of %s: failed %t, but error.type %q", span.Name, span.Service, span.Failed, span.Attributes["error.type"])
		}
	}
	measured := make(map[string]int)
	for _, point := range s.Points() {
		if point.Name == "http.server.request.duration" {
			measured[end(point.Service, point.Attributes)] += point.Count
		}
	}
	if !maps.Equal(traced, measured) {
		t.Errorf("requests in spans  %v\nand in the metric %v", traced, measured)
	}
}

// sendOddRequests makes a caller's mistakes.
func sendOddRequests(t *testing.T, url string) {
	t.Helper()
	for _, path := range []string{"/roll", "/roll?die=blue", "/%72oll?die=fair", "//roll", "/nowhere", "/roll-async?die=fair"} {
		get(t.Context(), t, url+path)
	}
	do(t.Context(), t, "INVENTED", url+"/roll")
	for range 30 { // one or more of which fail
		do(t.Context(), t, http.MethodGet, url+"/roll?die=risky", "Connection", "Upgrade", "Upgrade", "websocket")
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	get(ctx, t, url+"/roll?die=fair")
	get(ctx, t, url+"/roll-async?die=fair&times=10")
}

// What a caller sends of themselves in [sendCredentials].
const (
	caller = "Florence"
	secret = "opensesame"
)

// sendCredentials sends a name and a password in each place where callers may put them. None may be in any signal.
func sendCredentials(t *testing.T, url string) {
	t.Helper()
	basic := "Basic " + base64.StdEncoding.EncodeToString([]byte(caller+":"+secret))
	for _, header := range [][2]string{{"Authorization", basic}, {"Authorization", "Bearer " + secret}, {"Cookie", "session=" + secret}} {
		for _, path := range []string{"/", "/roll?die=fair", "/roll-async?die=fair&times=2", "/dice?identifier=fair"} {
			separator := "?"
			if strings.Contains(path, "?") {
				separator = "&"
			}
			request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+path+separator+"name="+caller+"&"+caller, nil)
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set(header[0], header[1])
			if response, err := http.DefaultClient.Do(request); err == nil {
				response.Body.Close()
			}
		}
	}
}

// sendOddForms makes a user's mistakes.
func sendOddForms(t *testing.T, url, stage string) {
	t.Helper()
	var session []string // a header
	if hasSignIn(stage) {
		post(t.Context(), t, url, "die=fair")
		post(t.Context(), t, url+"/sign-in", "name=<b>")
		session = signIn(t, url, "Ada")
	}
	post(t.Context(), t, url, "die=blue", session...)
	post(t.Context(), t, url, "die=%zz", session...)
	post(t.Context(), t, url, "die=fair", "Sec-Fetch-Site", "cross-site")
	get(t.Context(), t, url+"/nowhere")
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	post(ctx, t, url, "die=fair", session...)
}

// waitForEdges waits for what the collector derives last, and does not flush when it stops.
func waitForEdges(t *testing.T, s *store.Store) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		for _, point := range s.Points() {
			if point.Name == "traces_service_graph_request_client" {
				return
			}
		}
	}
	t.Error("no service graph within a minute")
}

func get(ctx context.Context, t *testing.T, url string) {
	t.Helper()
	do(ctx, t, http.MethodGet, url)
}

func do(ctx context.Context, t *testing.T, method, url string, header ...string) {
	t.Helper()
	request, err := http.NewRequestWithContext(ctx, method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	if response, err := http.DefaultClient.Do(request); err == nil {
		response.Body.Close()
	}
}

func post(ctx context.Context, t *testing.T, url, form string, header ...string) {
	t.Helper()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(form))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	if response, err := http.DefaultClient.Do(request); err == nil {
		response.Body.Close()
	}
}
