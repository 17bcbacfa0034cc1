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
