package main

import (
	"net/http/httptest"
	"testing"

	"github.com/PuerkitoBio/goquery"
)

// shownPage is what a user sees.
type shownPage struct {
	status   int
	dice     []string
	chosen   string
	output   string
	elements int // in the output box
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
		output:   output.Text(),
		elements: output.Children().Length(),
	}
	for _, option := range document.Find("option").EachIter() {
		got.dice = append(got.dice, option.AttrOr("value", ""))
	}
	return got
}
