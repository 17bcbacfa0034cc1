package main

import (
	"fmt"
	"io"
	"net/http"

	"github.com/PuerkitoBio/goquery"
)

// page is what a user sees.
type page struct {
	dice   []string // in the drop-down
	output string   // the text in the box
}

// readPage parses a page. The status is for the error.
func readPage(status int, body io.Reader) (page, error) {
	document, err := goquery.NewDocumentFromReader(body)
	if err != nil {
		return page{}, fmt.Errorf("reading the page: %w", err)
	}
	if document.Find("output").Length() == 0 {
		return page{}, fmt.Errorf("unexpected page: %d %s", status, http.StatusText(status))
	}
	p := page{output: document.Find("output").Text()}
	for _, option := range document.Find("option").EachIter() {
		p.dice = append(p.dice, option.AttrOr("value", option.Text()))
	}
	return p, nil
}

// replyStatus returns the status at the beginning of the output box.
func (p page) replyStatus() (status int, err error) {
	if _, err := fmt.Sscan(p.output, &status); err != nil {
		return 0, fmt.Errorf("no status in the output box: %.80q", p.output)
	}
	return status, nil
}
