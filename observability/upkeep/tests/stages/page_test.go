package stages

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// page is what a user sees.
type page struct {
	dice    []string
	chosen  string
	output  string
	foreign bool   // the output box has elements
	trace   string // a link
	user    string // who is signed in
	name    string // in the field for it
	signIn  bool   // the page asks for a name
}

var (
	option    = regexp.MustCompile(`<option value="([^"]*)"( selected)?>`)
	output    = regexp.MustCompile(`(?s)<output[^>]*>(.*?)</output>`)
	traceLink = regexp.MustCompile(`href="([^"]*/explore\?[^"]*)"`)
	nameField = regexp.MustCompile(`<input id="name" name="name" value="([^"]*)"`)
	userLine  = regexp.MustCompile(`<p>Signed in as ([^<]*)</p>`)
)

func readPage(text string) page {
	found := func(in *regexp.Regexp) string {
		if match := in.FindStringSubmatch(text); match != nil {
			return html.UnescapeString(match[1])
		}
		return ""
	}
	got := page{output: found(output), trace: found(traceLink), user: found(userLine), name: found(nameField), signIn: strings.Contains(text, `action="/sign-in"`)}
	if box := output.FindStringSubmatch(text); box != nil {
		got.foreign = strings.Contains(box[1], "<")
	}
	for _, match := range option.FindAllStringSubmatch(text, -1) {
		die := html.UnescapeString(match[1])
		got.dice = append(got.dice, die)
		if match[2] != "" {
			got.chosen = die
		}
	}
	return got
}

// browse sends a request to the frontend, and compares the status and the output box, or the whole reply if that is JSON.
func browse(t *testing.T, s *service, r request) (*answer, page) {
	t.Helper()
	if strings.HasPrefix(r.want, "{") {
		return ask(t, s, r), page{}
	}
	got := send(t.Context(), t, s, r)
	shown := readPage(got.body)
	if got.StatusCode != r.status || shown.output != r.want || shown.foreign {
		t.Errorf("%s: status %d, output %q\nwant   %d, %q", r.name, got.StatusCode, shown.output, r.status, r.want)
	}
	if r.record != "" {
		s.wantRecord(t, got.trace, r.record)
	}
	return got, shown
}

// checkFrontend uses the page as no browser does, and while the services behind it fail.
func checkFrontend(t *testing.T, program, stage string) {
	known := replyWith(200, `{"identifiers":["fair","risky"]}`)
	dice, rolls := startBackend(t, known), startBackend(t, replyWith(200, "{}"))
	s := startService(t, program, "ROLL_URL="+rolls.URL, "DIE_URL="+dice.URL, "GRAFANA_URL=http://grafana")
	var session []string // a header
	if hasSignIn(stage) {
		checkSignIn(t, s, rolls)
		session = signIn(t, s.url, "Ada")
	}
	checkFirstPage(t, s, session)
	checkForms(t, s, session)
	rolls.answer(replyWith(400, `{"error":"unknown die"}`))
	checkHostileRequests(t, s, session)
	checkPropagation(t, s, rolls, session)

	rolls.answer(breakOff)
	run := request{name: "a roll that breaks off", method: "POST", target: "/", body: "die=fair", header: session}
	run.status, run.want, run.record = 502, "502 Bad Gateway\nthe roll service sent an invalid response", "ERROR no response from the roll service"
	if _, got := browse(t, s, run); got.chosen != "fair" {
		t.Errorf("chosen %q after a run of fair", got.chosen)
	}
	arrived, ended := rolls.hold()
	leave(t, s, request{name: "a user who leaves", method: "POST", target: "/", body: "die=fair", header: session, record: "INFO run canceled by the user"}, arrived)
	waitFor(t, "the roll goes on", ended)

	rolls.answer(replyWith(200, "{}"))
	if stage > "stage3" {
		checkWithoutDice(t, s, dice, session)
		dice.answer(known)
	}
	rolls.Close()
	run.name, run.status, run.want = "without a roll service", 503, "503 Service Unavailable\nthe roll service cannot be reached; try again later"
	browse(t, s, run)
	if stage > "stage3" {
		dice.Close()
		opened := request{name: "without a die service", method: "GET", target: "/", header: session, status: 503}
		opened.want = "503 Service Unavailable\nthe die service cannot be reached; try again later"
		reply, _ := browse(t, s, opened)
		s.wantRetry(t, reply.trace)
	}
}

func checkFirstPage(t *testing.T, s *service, session []string) {
	t.Helper()
	reply, got := browse(t, s, request{name: "before the first run", method: "GET", target: "/", header: session, status: 200})
	for name, want := range map[string]string{
		"Content-Type":            "text/html; charset=utf-8",
		"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
		"X-Content-Type-Options":  "nosniff",
		"Cache-Control":           "no-store",
	} {
		if got := reply.Header.Values(name); !slices.Contains(got, want) {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if !slices.Equal(got.dice, []string{"fair", "risky"}) || got.trace != "" {
		t.Errorf("dice %q, trace %q before the first run", got.dice, got.trace)
	}
}

// checkForms posts forms as users and other sites may.
func checkForms(t *testing.T, s *service, session []string) {
	t.Helper()
	const (
		good      = "die=fair"
		tooLarge  = "413 Request Entity Too Large\nthe form is too large: it must have at most 1024 bytes"
		otherSite = `{"error":"this form was posted from another site"}`
		ran       = "200 OK\n{}"
		refused   = "WARN form refused"
		foreign   = "WARN post from another site refused"
	)
	for _, r := range []request{
		{body: "die=%zz", status: 400, want: "400 Bad Request\nthe form cannot be read: invalid URL escape \"%zz\"", record: refused},
		{body: "die=" + strings.Repeat("x", 1<<10), status: 413, want: tooLarge, record: refused},
		{body: good, status: 200, want: ran, record: "INFO run"},
		{body: good, header: []string{"Sec-Fetch-Site", "cross-site"}, status: 403, want: otherSite, record: foreign},
		{body: good, header: []string{"Sec-Fetch-Site", "same-site"}, status: 403, want: otherSite, record: foreign},
		{body: good, header: []string{"Sec-Fetch-Site", "\xff"}, status: 403, want: otherSite, record: foreign},
		{body: good, header: []string{"Sec-Fetch-Site", "same-origin"}, status: 200, want: ran, record: "INFO run"},
		{body: good, header: []string{"Origin", "https://other.example"}, status: 403, want: otherSite, record: foreign},
		{body: good, header: []string{"Origin", "null"}, status: 403, want: otherSite, record: foreign},
		{body: good, header: []string{"Origin", s.url + ".other.example"}, status: 403, want: otherSite, record: foreign},
		{body: good, header: []string{"Origin", s.url}, status: 200, want: ran, record: "INFO run"},
	} {
		r.name, r.method, r.target, r.header = strings.Join(r.header, " ")+" "+r.body[:7], "POST", "/", append(r.header, session...)
		browse(t, s, r)
	}
	const noPath = `{"error":"no such path"}`
	for _, r := range []request{
		{method: "GET", target: "/nowhere", status: 404, want: noPath},
		{method: "POST", target: "/roll", status: 404, want: noPath},
		{method: "PUT", target: "/", status: 405, want: `{"error":"this path allows GET, HEAD, POST only"}`},
		{method: "DELETE", target: "/", status: 405, want: `{"error":"this path allows GET, HEAD, POST only"}`},
	} {
		r.name = r.method + " " + r.target
		browse(t, s, r)
	}
}

// checkHostileRequests sends what no browser sends. Each gets a reply of ours, and little of it is read.
func checkHostileRequests(t *testing.T, s *service, session []string) {
	t.Helper()
	const (
		tooLarge = "413 Request Entity Too Large\nthe form is too large: it must have at most 1024 bytes"
		unknown  = "400 Bad Request\n" + `{"error":"unknown die"}`
		noPath   = `{"error":"no such path"}`
	)
	for _, r := range []request{
		{name: "endless form", method: "POST", target: "/", body: "die=", endless: true, status: 413, want: tooLarge},
		{name: "10,000 fields", method: "POST", target: "/", body: strings.Repeat("a=1&", 10_000), endless: true, status: 413, want: tooLarge},
		{name: "endless text", method: "POST", target: "/", body: "die=fair", endless: true, header: []string{"Content-Type", "text/plain"}, status: 400, want: unknown},
		{name: "endless file", method: "POST", target: "/", body: "--b\r\n", endless: true, header: []string{"Content-Type", "multipart/form-data; boundary=b"}, status: 400, want: unknown},
		{name: "no type", method: "POST", target: "/", body: "die=fair", endless: true, header: []string{"Content-Type", ""}, status: 400, want: unknown},
		{name: "endless GET", method: "GET", target: "/", body: "x", endless: true, status: 200},
		{name: "another path", method: "POST", target: "/nowhere", body: "x", endless: true, status: 404, want: noPath},
		{name: "type that cannot be read", method: "POST", target: "/", body: "die=fair", endless: true, header: []string{"Content-Type", "application/x-www-form-urlencoded; charset"}, status: 400, want: "400 Bad Request\nthe form cannot be read: mime: invalid media parameter"},
		{name: "10,000 query parameters", method: "GET", target: "/?" + strings.Repeat("a=1&", 9_999) + "a=1", status: 200},
		{name: "malformed query", method: "POST", target: "/?die=%zz", status: 400, want: "400 Bad Request\nthe form cannot be read: invalid URL escape \"%zz\""},
		{name: "path that is not UTF-8", method: "GET", target: "/%ff%00", status: 404, want: noPath},
		{name: "path outside", method: "GET", target: "/../../etc/passwd", status: 404, want: noPath},
		{name: "invented method", method: "INVENTED", target: "/", status: 405, want: `{"error":"this path allows GET, HEAD, POST only"}`},
		{name: "headers that are not UTF-8", method: "GET", target: "/", header: []string{"User-Agent", "\xff", "Traceparent", "\xff", "Baggage", "\xff=\xff", "Accept-Language", "\xff"}, status: 200},
		{name: "trace that is too long", method: "GET", target: "/", header: []string{"Traceparent", strings.Repeat("0", 10_000), "Tracestate", strings.Repeat("a=1,", 10_000)}, status: 200},
	} {
		r.header = append(r.header, session...)
		browse(t, s, r)
	}
	cookies := strings.Repeat("a=1; ", 10_000)
	if session != nil {
		cookies += session[1]
	}
	browse(t, s, request{name: "thousands of cookies", method: "GET", target: "/", header: []string{"Cookie", cookies}, status: 200})
}

// checkPropagation follows a trace that a caller began into the frontend and out of it again.
func checkPropagation(t *testing.T, s *service, rolls *backend, session []string) {
	t.Helper()
	passedOn := make(chan string, 1)
	for status, code := range map[int]string{200: unset, 500: failure} {
		rolls.answer(func(w http.ResponseWriter, r *http.Request) {
			passedOn <- r.Header.Get("Traceparent")
			w.WriteHeader(status)
		})
		reply, shown := browse(t, s, request{
			name: "a run", method: "POST", target: "/", body: "die=fair", header: session,
			status: status, want: map[int]string{200: "200 OK\n", 500: "500 Internal Server Error\n"}[status], record: "INFO run",
		})
		_, spans := s.trace(t, reply.trace)
		i := slices.IndexFunc(spans, func(span span) bool { return span.Name == "GET /roll" && span.SpanKind == client })
		if i < 0 {
			t.Fatalf("no call of the roll service among %+v", spans)
		}
		call, run := spans[i], spans[len(spans)-1]
		if run.Name != "POST /" || run.Parent.SpanID != parent || run.Status.Code != code {
			t.Errorf("span %+v, want POST / below %s, %s", run, parent, code)
		}
		if call.Parent.SpanID != run.SpanContext.SpanID || call.Status.Code != code {
			t.Errorf("span %+v, want one below %s, %s", call, run.SpanContext.SpanID, code)
		}
		if got, want := <-passedOn, "00-"+reply.trace+"-"+call.SpanContext.SpanID+"-01"; got != want {
			t.Errorf("the roll service got traceparent %q, want %q", got, want)
		}
		if link, err := url.Parse(shown.trace); err != nil || link.Host != "grafana" || !strings.Contains(link.Query().Get("panes"), reply.trace) {
			t.Errorf("the page links to %q, %v", shown.trace, err)
		}
	}
}

// checkWithoutDice wants the page to say why there are no dice, and still to run the one that was chosen.
func checkWithoutDice(t *testing.T, s *service, dice *backend, session []string) {
	t.Helper()
	const nonsense, failed = "502 Bad Gateway\nthe die service sent an invalid response", "ERROR no response from the die service"
	for _, test := range []struct {
		name   string
		answer http.HandlerFunc
		status int
		want   string
	}{
		{"slow", slow, 504, "504 Gateway Timeout\nthe die service took too long; try again later"},
		{"unavailable", replyWith(503, "{}"), 503, "503 Service Unavailable\nthe die service is not available; try again later"},
		{"no JSON", replyWith(200, "<html>"), 502, nonsense},
		{"no identifiers", replyWith(200, "{}"), 502, nonsense},
		{"failing", replyWith(500, "{}"), 502, nonsense},
	} {
		dice.answer(test.answer)
		opened := request{name: test.name, method: "GET", target: "/", header: session, status: test.status, want: test.want, record: failed}
		if _, got := browse(t, s, opened); len(got.dice) > 0 {
			t.Errorf("%s: dice %q, want none", test.name, got.dice)
		}
	}
	bad := request{name: "a bad form", method: "POST", target: "/", body: "die=%zz", header: session, status: 400, want: "400 Bad Request\nthe form cannot be read: invalid URL escape \"%zz\""}
	if _, got := browse(t, s, bad); len(got.dice) > 0 {
		t.Errorf("a bad form: dice %q, want none", got.dice)
	}
	run := request{name: "a run without dice", method: "POST", target: "/", body: "die=risky", header: session, status: 200, want: "200 OK\n{}"}
	if _, got := browse(t, s, run); !slices.Equal(got.dice, []string{"risky"}) {
		t.Errorf("a run: dice %q, want the chosen one", got.dice)
	}
	arrived, ended := dice.hold()
	leave(t, s, request{name: "a user who leaves the page", method: "GET", target: "/", header: session}, arrived)
	waitFor(t, "the lookup goes on", ended)
}
