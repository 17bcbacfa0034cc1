package main

import (
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/PuerkitoBio/goquery"
)

// shownPage is what a user sees.
type shownPage struct {
	status   int
	user     string // who is signed in
	signIn   bool   // the page asks for a name
	name     string // in the field for it
	dice     []string
	chosen   string
	times    string
	output   string
	traceURL *url.URL // nil if there is no link
	elements int      // in the output box
}

func readPage(t *testing.T, recorder *httptest.ResponseRecorder) shownPage {
	t.Helper()
	document, err := goquery.NewDocumentFromReader(recorder.Body)
	if err != nil {
		t.Fatal(err)
	}
	output := document.Find("output")
	got := shownPage{
		status:   recorder.Code,
		user:     document.Find(`form[action="/sign-out"] p`).Text(),
		signIn:   document.Find(`form[action="/sign-in"] button`).Length() == 1,
		name:     document.Find("input[name=name]").AttrOr("value", ""),
		chosen:   document.Find("option[selected]").AttrOr("value", ""),
		times:    document.Find("input[name=times]").AttrOr("value", ""),
		output:   output.Text(),
		elements: output.Children().Length(),
	}
	for _, option := range document.Find("option").EachIter() {
		got.dice = append(got.dice, option.AttrOr("value", ""))
	}
	if link, ok := document.Find(`a[href*="explore"]`).Attr("href"); ok {
		if got.traceURL, err = url.Parse(link); err != nil {
			t.Fatal(err)
		}
	}
	return got
}
