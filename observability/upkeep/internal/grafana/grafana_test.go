package grafana

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

func startBrowser(t *testing.T) Browser {
	t.Helper()
	if _, err := exec.LookPath("chromium"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip("chromium is not installed")
	}
	browser, stop, err := StartBrowser(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	return browser
}

// fakePanel is a panel with the attributes that Grafana's has.
func fakePanel(title, header, content string) string {
	return fmt.Sprintf(`<section data-testid="data-testid Panel header %s" style="display: flow-root; width: 500px; height: 300px; background: #181b1f">
		<div data-testid="data-testid header-container"><h2 style="width: 300px; overflow: hidden; white-space: nowrap">%[1]s</h2>%s</div>
		<div data-testid="data-testid panel content">%s</div></section>`, title, header, content)
}

// startGrafana serves a page with panels that load after the page.
func startGrafana(t *testing.T, panels ...string) Grafana {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `<!DOCTYPE html><body style="margin: 0; background: #111217"><div aria-label="Panel loading bar"></div>
			<template>%s</template>
			<script>setTimeout(() => {
				document.body.append(document.querySelector("template").content);
				document.querySelector("[aria-label]").remove();
			}, 300)</script>`, strings.Join(panels, ""))
	}))
	t.Cleanup(server.Close)
	return Grafana(server.URL)
}

// TestPictures wants the whole dashboard and no more, in few colors, and what is wrong with its panels.
func TestPictures(t *testing.T) {
	browser := startBrowser(t)
	header := func(width int) string {
		return fmt.Sprintf(`<div role="columnheader"><button style="width: %dpx; overflow: hidden; white-space: nowrap">Duration ↓</button></div>`, width)
	}
	series := func(n int) string {
		return strings.Repeat(`<li data-testid="data-testid VizLegend series a">a</li>`, n)
	}
	long := strings.Repeat("long ", 20)
	g := startGrafana(t,
		fakePanel("Whole", "", header(200)+series(mostSeries)),
		fakePanel("Hint", "", "<div>Enter a trace ID in the field at the top.</div>"),
		fakePanel("Empty", "", "<div><span> No data </span></div>"),
		fakePanel("Broken", `<button data-testid="data-testid Panel status error"></button>`, "<p>0</p>"),
		fakePanel("Notice", `<button data-testid="data-testid Panel status warning"></button>`, "<p>0</p>"),
		fakePanel("Message", "", `<div data-testid="data-testid Panel data error message">Missing a field</div>`),
		fakePanel("Column", "", header(40)),
		fakePanel(long, "", "<p>0</p>"),
		fakePanel("Legend", "", series(mostSeries+1)),
	)
	got, err := browser.Dashboard(g.DashboardURL("roll", nil))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"Empty: No data", "Broken: error icon", "Notice: warning icon", "Message: Missing a field", "Column: clipped: Duration ↓",
		long + ": clipped: " + strings.TrimSpace(long), "Legend: 9 series in the legend",
	}
	if !slices.Equal(got.Defects, want) {
		t.Errorf("found %q, want %q", got.Defects, want)
	}
	checkPicture(t, got.PNG, pictureWidth, 9*300+border)

	g = startGrafana(t, fakePanel("Table", "", "<p>1</p>"), fakePanel("Trace", "", "<p>roll die</p>"))
	if got, err = browser.Trace(string(g) + "/explore"); err != nil || len(got.Defects) > 0 {
		t.Fatalf("%q, %v", got.Defects, err)
	}
	checkPicture(t, got.PNG, 500, 300) // the panel
}

// TestHas wants to see what is on a page, after it has loaded.
func TestHas(t *testing.T) {
	browser := startBrowser(t)
	g := startGrafana(t, `<input type="password">`)
	for selector, want := range map[string]bool{"input[type=password]": true, "output": false} {
		if got, err := browser.Has(string(g)+"/login", selector); err != nil || got != want {
			t.Errorf("%s: %t, %v", selector, got, err)
		}
	}
}

func checkPicture(t *testing.T, content []byte, width, height int) {
	t.Helper()
	picture, err := png.Decode(bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := picture.Bounds().Size(), image.Pt(width, height).Mul(3).Div(2); got != want {
		t.Errorf("%v pixels, want %v", got, want)
	}
	if _, ok := picture.(*image.Paletted); !ok {
		t.Errorf("%T, want a palette", picture)
	}
}

// TestReduce wants each color of a picture with few, and near ones of a picture with many.
func TestReduce(t *testing.T) {
	for name, most := range map[string]int{"few": 0, "many": 24} {
		t.Run(name, func(t *testing.T) {
			before := image.NewRGBA(image.Rect(0, 0, 64, 64))
			eachPixel(before, func(x, y int, _ color.RGBA) {
				c := color.RGBA{uint8(4 * x), uint8(4 * y), uint8(2 * (x + y)), 0xff}
				if name == "few" {
					c = color.RGBA{uint8(x / 8 * 30), uint8(y / 8 * 30), 7, 0xff}
				}
				before.SetRGBA(x, y, c)
			})
			var encoded bytes.Buffer
			if err := png.Encode(&encoded, before); err != nil {
				t.Fatal(err)
			}
			small, err := reduce(encoded.Bytes())
			if err != nil {
				t.Fatal(err)
			}
			after, err := png.Decode(bytes.NewReader(small))
			if err != nil {
				t.Fatal(err)
			}
			worst := 0
			eachPixel(after, func(x, y int, got color.RGBA) {
				want := before.RGBAAt(x, y)
				for i := range 3 {
					d := (counted{RGBA: got}).channel(i) - (counted{RGBA: want}).channel(i)
					worst = max(worst, d, -d)
				}
			})
			if worst > most {
				t.Errorf("a color is off by %d, want at most %d", worst, most)
			}
		})
	}
	if _, err := reduce([]byte("no picture")); err == nil {
		t.Error("no error for what is no picture")
	}
}

// TestAPI wants queries to fail as a panel would, and trace IDs in full.
func TestAPI(t *testing.T) {
	var asked []string
	replies := map[string]string{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.Path)
		fmt.Fprint(w, replies[r.URL.Path])
	}))
	t.Cleanup(server.Close)
	g := Grafana(server.URL)
	for reply, want := range map[string]string{
		`{"results": {"A": {"frames": [{"data": {"values": [[1], [2]]}}]}}}`: "",
		`{"results": {"A": {"frames": [{"data": {"values": [[], []]}}]}}}`:   "no data",
		`{"results": {"A": {"frames": []}}}`:                                 "no data",
		`{"results": {"A": {"error": "parse error"}}}`:                       "parse error",
		`{"results": {}}`: "0 results",
		`<html>`:          "invalid character",
	} {
		replies["/api/ds/query"] = reply
		err := g.Query(context.Background(), []json.RawMessage{json.RawMessage(`{"refId": "A"}`)})
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", reply, err, want)
		}
	}
	replies["/api/datasources/proxy/uid/tempo/api/search"] = `{"traces": [{"traceID": "abc"}]}`
	got, err := g.Traces(context.Background(), "{}")
	if want := strings.Repeat("0", 29) + "abc"; err != nil || !slices.Equal(got, []string{want}) {
		t.Errorf("%q, %v", got, err)
	}
	replies["/api/datasources/proxy/uid/tempo/api/search"] = `{}`
	if got, err := g.Traces(context.Background(), "{}"); err == nil {
		t.Errorf("%q", got)
	}
}
