package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/PuerkitoBio/goquery"
)

// inProcess is a transport without a network.
type inProcess http.HandlerFunc

func (h inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	recorder := httptest.NewRecorder()
	h(recorder, r)
	return recorder.Result(), nil
}

// inFront is the page in front of a roll service that answers without a network.
func inFront(roll http.HandlerFunc) handler {
	rollService := rollService{client: &http.Client{Transport: inProcess(roll)}}
	return newHandler(rollService, "http://grafana")
}

// FuzzForm wants the form's own die to be asked for, or the form to be refused, and a page that is well.
func FuzzForm(f *testing.F) {
	const urlEncoded = "application/x-www-form-urlencoded"
	for _, form := range []string{
		"", "die=fair", "die=risky&times=10", "die=fair&die=risky", "die=%zz", "die=%ff", "die=\xff", "die=%00%0d%0aSet-Cookie:x",
		"die=%22%3E%3Cscript%3E", "times=%3C", "die;x", "=&=&", strings.Repeat("a=1&", 300),
	} {
		f.Add(form, urlEncoded, "")
	}
	f.Add("die=fair", "text/plain", "session=x")
	f.Add("die=fair", urlEncoded+"; charset", "session=; session=\xff")
	f.Add("--b\r\n", "multipart/form-data; boundary=b", "")
	var asked []string
	router := newRouter(inFront(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.Query().Get("die"))
		replyWith(http.StatusOK, "{}")(w, r)
	}))
	f.Fuzz(func(t *testing.T, form, contentType, cookie string) {
		asked = nil
		reply := post(t.Context(), router, form, "Content-Type", contentType, "Cookie", cookie)
		checkPage(t, reply)
		values, err := url.ParseQuery(form)
		switch {
		case reply.Code >= http.StatusInternalServerError:
			t.Errorf("status %d", reply.Code)
		case reply.Code == http.StatusRequestEntityTooLarge && len(form) <= largestForm:
			t.Errorf("a form of %d bytes is too large", len(form))
		case len(asked) > 0 && contentType == urlEncoded && (err != nil || asked[0] != values.Get("die") || len(form) > largestForm):
			t.Errorf("the roll service was asked for %q, the form is %q", asked, form)
		case len(asked) > 1:
			t.Errorf("the roll service was asked for %q", asked)
		}
	})
}

// FuzzRollReply wants the page to show, as literal text, whatever the roll service replies.
func FuzzRollReply(f *testing.F) {
	for _, seed := range []string{
		`{"roll":5}`, "", "<script>alert(1)</script>", "</output><b>", "&amp;&#0;", "\xff\xc3(", "a\x00b", "a\r\nb\r", "\u2028\u202e",
	} {
		f.Add(uint16(200), seed)
	}
	for _, status := range []uint16{100, 101, 204, 302, 304, 404, 499, 500, 503, 999} {
		f.Add(status, "{}")
	}
	var status int
	var body string
	router := newRouter(inFront(func(w http.ResponseWriter, r *http.Request) { replyWith(status, body)(w, r) }))
	f.Fuzz(func(t *testing.T, code uint16, text string) {
		status, body = max(100, int(code)%1000), text
		recorder := post(t.Context(), router, "die=fair")
		checkPage(t, recorder)
		want := http.StatusOK
		if status >= http.StatusBadRequest {
			want = status
		}
		text = text[:min(len(text), 64<<10)]
		output := shown(fmt.Sprintf("%d %s\n%s", status, http.StatusText(status), text))
		if got := readPage(t, recorder); got.status != want || got.output != output || got.elements > 0 {
			t.Errorf("%d, %q, %d elements, want %d, %q", got.status, got.output, got.elements, want, output)
		}
	})
}

// shown is how text comes out of a page: UTF-8, with line feeds alone.
func shown(text string) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	return strings.NewReplacer("\r\n", "\n", "\r", "\n", "\x00", "\uFFFD").Replace(text)
}

// checkPage wants UTF-8, and JSON or a page without any element that page.html has not, and no header of a caller's.
func checkPage(t *testing.T, reply *httptest.ResponseRecorder) {
	t.Helper()
	for name := range reply.Header() {
		switch name {
		case "Content-Type", "Content-Security-Policy", "X-Content-Type-Options", "Cache-Control", "Allow":
		default:
			t.Errorf("header %s", name)
		}
	}
	body := reply.Body.String()
	if !utf8.ValidString(body) {
		t.Errorf("the reply is not UTF-8: %q", body)
	}
	if reply.Header().Get("Content-Type") == "application/json" {
		if !json.Valid([]byte(body)) {
			t.Errorf("not JSON: %s", body)
		}
		return
	}
	document, err := goquery.NewDocumentFromReader(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if foreign := document.Find("body *").Not("main, h1, h2, form, div, label, select, option, input, button, section, output, p, a"); foreign.Length() > 0 {
		t.Errorf("the page has %d elements of others: %s", foreign.Length(), body)
	}
}
