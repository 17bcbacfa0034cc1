package grafana

import (
	"bytes"
	"cmp"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"slices"
)

const mostColors = 256

// reduce encodes a picture again, with a palette of its own. A dashboard has few colors, so nobody sees a difference, and the
// file is a third of the size.
func reduce(picture []byte) ([]byte, error) {
	decoded, err := png.Decode(bytes.NewReader(picture))
	if err != nil {
		return nil, fmt.Errorf("reading the picture: %w", err)
	}
	small := image.NewPaletted(decoded.Bounds(), colorsOf(decoded))
	indexes := make(map[color.RGBA]uint8) // because the search for the nearest color is slow
	eachPixel(decoded, func(x, y int, c color.RGBA) {
		index, ok := indexes[c]
		if !ok {
			index = uint8(small.Palette.Index(c))
			indexes[c] = index
		}
		small.SetColorIndex(x, y, index)
	})
	var encoded bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.BestCompression}
	if err := encoder.Encode(&encoded, small); err != nil {
		return nil, fmt.Errorf("encoding the picture: %w", err)
	}
	return encoded.Bytes(), nil
}

func eachPixel(picture image.Image, do func(x, y int, c color.RGBA)) {
	for y := picture.Bounds().Min.Y; y < picture.Bounds().Max.Y; y++ {
		for x := picture.Bounds().Min.X; x < picture.Bounds().Max.X; x++ {
			do(x, y, color.RGBAModel.Convert(picture.At(x, y)).(color.RGBA))
		}
	}
}

type counted struct {
	color.RGBA
	n int
}

// colorsOf chooses the palette by median cut: the colors are divided into boxes of as many pixels, each of which becomes the mean
// of its colors.
func colorsOf(picture image.Image) color.Palette {
	counts := make(map[color.RGBA]int)
	eachPixel(picture, func(_, _ int, c color.RGBA) { counts[c]++ })
	var all []counted
	for c, n := range counts {
		all = append(all, counted{c, n})
	}
	boxes := [][]counted{all}
	for len(boxes) < mostColors {
		i, channel := widest(boxes)
		if i < 0 {
			break // each box is one color
		}
		lower, upper := split(boxes[i], channel)
		boxes[i] = lower
		boxes = append(boxes, upper)
	}
	palette := make(color.Palette, len(boxes))
	for i, box := range boxes {
		palette[i] = meanOf(box)
	}
	return palette
}

func (c counted) channel(i int) int { return int([3]uint8{c.R, c.G, c.B}[i]) }

// widest returns the box, and the channel in it, whose colors differ most. It returns -1 if no box has two colors.
func widest(boxes [][]counted) (box, channel int) {
	most := 0
	box = -1
	for i, b := range boxes {
		for c := range 3 {
			by := func(x, y counted) int { return cmp.Compare(x.channel(c), y.channel(c)) }
			if width := slices.MaxFunc(b, by).channel(c) - slices.MinFunc(b, by).channel(c); width > most {
				most, box, channel = width, i, c
			}
		}
	}
	return box, channel
}

// split divides a box in the middle of its width, so that a rare color that differs keeps a box of its own.
func split(box []counted, channel int) (lower, upper []counted) {
	slices.SortFunc(box, func(x, y counted) int { return cmp.Compare(x.channel(channel), y.channel(channel)) })
	middle := (box[0].channel(channel) + box[len(box)-1].channel(channel) + 1) / 2
	at, _ := slices.BinarySearchFunc(box, middle, func(c counted, m int) int { return cmp.Compare(c.channel(channel), m) })
	return box[:at], box[at:]
}

func meanOf(box []counted) color.RGBA {
	var r, g, b, n int
	for _, c := range box {
		r, g, b, n = r+int(c.R)*c.n, g+int(c.G)*c.n, b+int(c.B)*c.n, n+c.n
	}
	return color.RGBA{uint8(r / n), uint8(g / n), uint8(b / n), 0xff}
}
