// Package readme reads the code blocks, tables and links of a README.
package readme

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	extast "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/text"
)

// Readme contains those parts of a README that tests use.
type Readme struct {
	Blocks   []Block
	Links    []string
	Tables   []Table
	Headings []string
	Emphasis []string // the texts in italics, such as the titles of panels

	above string // the text of the last paragraph, while reading
}

// Block is a fenced code block. Its language may be followed by an argument: the file that it is an excerpt of,
// or the lab whose symptom the query shows. The argument may be preceded by the tenant that a query is for, such as tenant=usage.
// Its section is the text of the heading above it, and Above that of the paragraph.
type Block struct{ Section, Above, Language, Tenant, Argument, Text string }

// Table is the text of a table's cells, row by row, without the header.
type Table [][]string

// First returns the first cell of each row.
func (t Table) First() []string {
	var cells []string
	for _, row := range t {
		cells = append(cells, row[0])
	}
	return cells
}

var picture = regexp.MustCompile(`\bsrc(?:set)?="([^"]+)"`) // in HTML

// Read reads a README.
func Read(file string) (Readme, error) {
	source, err := os.ReadFile(file)
	if err != nil {
		return Readme{}, err
	}
	var got Readme
	for _, match := range picture.FindAllSubmatch(source, -1) {
		got.Links = append(got.Links, string(match[1]))
	}
	document := goldmark.New(goldmark.WithExtensions(extension.Table)).Parser().Parse(text.NewReader(source))
	err = ast.Walk(document, func(node ast.Node, entering bool) (ast.WalkStatus, error) {
		if entering {
			got.add(node, source)
		}
		return ast.WalkContinue, nil
	})
	return got, err
}

func (r *Readme) add(node ast.Node, source []byte) {
	switch n := node.(type) {
	case *ast.Heading:
		r.Headings = append(r.Headings, plainText(n, source))
	case *ast.Paragraph:
		r.above = plainText(n, source)
	case *ast.Emphasis:
		if n.Level == 1 {
			r.Emphasis = append(r.Emphasis, plainText(n, source))
		}
	case *ast.FencedCodeBlock:
		block := Block{Above: r.above, Text: string(n.Lines().Value(source))}
		if len(r.Headings) > 0 {
			block.Section = r.Headings[len(r.Headings)-1]
		}
		if n.Info != nil {
			block.Language, block.Argument, _ = strings.Cut(string(n.Info.Value(source)), " ")
			if rest, ok := strings.CutPrefix(block.Argument, "tenant="); ok {
				block.Tenant, block.Argument, _ = strings.Cut(rest, " ")
			}
		}
		r.Blocks = append(r.Blocks, block)
	case *ast.Link:
		r.Links = append(r.Links, string(n.Destination))
	case *ast.Image:
		r.Links = append(r.Links, string(n.Destination))
	case *extast.Table:
		var table Table
		for row := n.FirstChild(); row != nil; row = row.NextSibling() {
			if _, header := row.(*extast.TableHeader); header || row.FirstChild() == nil {
				continue
			}
			var cells []string
			for cell := row.FirstChild(); cell != nil; cell = cell.NextSibling() {
				cells = append(cells, plainText(cell, source))
			}
			table = append(table, cells)
		}
		r.Tables = append(r.Tables, table)
	}
}

// plainText is the text of a node without its markup.
func plainText(node ast.Node, source []byte) string {
	var out strings.Builder
	_ = ast.Walk(node, func(n ast.Node, entering bool) (ast.WalkStatus, error) { // the function returns no error
		if t, ok := n.(*ast.Text); ok && entering {
			out.Write(t.Value(source))
		}
		return ast.WalkContinue, nil
	})
	return out.String()
}

// HasAnchor reports whether a link to #anchor leads to a heading, as GitHub names them.
func (r Readme) HasAnchor(anchor string) bool {
	return slices.ContainsFunc(r.Headings, func(heading string) bool {
		name := strings.Map(func(c rune) rune {
			switch {
			case unicode.IsLetter(c), unicode.IsDigit(c), c == '-', c == '_':
				return unicode.ToLower(c)
			case c == ' ':
				return '-'
			default:
				return -1
			}
		}, heading)
		return name == anchor
	})
}

// Of returns the blocks in one of these languages.
func (r Readme) Of(languages ...string) []Block {
	var got []Block
	for _, block := range r.Blocks {
		for _, language := range languages {
			if block.Language == language {
				got = append(got, block)
			}
		}
	}
	return got
}

// Commands returns the lines of all sh blocks.
func (r Readme) Commands() []string {
	var lines []string
	for _, block := range r.Of("sh") {
		for line := range strings.Lines(block.Text) {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return lines
}
