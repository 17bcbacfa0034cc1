package stages

import (
	"os"
	"path/filepath"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// takePictures retakes the pictures of the README.
func takePictures(t tab, stage string, page *frontend) {
	t.Helper()
	want := rolled
	if page.severalDice {
		want = total
		t.do(chromedp.SetValue(chromedp.CSS("input[name=times]"), "3"))
	}
	t.do(click)
	t.expect(want)
	for _, scheme := range []string{"light", "dark"} {
		t.do(command(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
		}))
		t.savePicture(stage, "page-"+scheme+".png")
	}
}

// savePicture writes what the tab shows to a file in the stage's folder docs.
func (t tab) savePicture(stage, name string) {
	t.Helper()
	picture, err := chromedp.Run(t.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		t.Fatal(err)
	}
	directory := filepath.Join(root, stage, "docs")
	if err := os.MkdirAll(directory, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(directory, name), picture, 0o644); err != nil {
		t.Fatal(err)
	}
}
