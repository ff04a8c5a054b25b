package main

import (
	"cmp"
	"image/color"
	"path/filepath"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// plotFolder is where plots and results are, beside the document.
const plotFolder = "performance"

// A curve is how a figure of a server grows.
type curve struct {
	server string
	points plotter.XYs
}

// curves are those of a row's first figure, with two points and more.
func (res *results) curves(r *row) (all []curve) {
	if len(r.grow) == 0 {
		return nil
	}
	for _, server := range r.servers {
		if !r.plots(server) {
			continue
		}
		c := curve{server: server}
		seen := make(map[int]bool)
		for _, x := range append(r.grow[:len(r.grow):len(r.grow)], r.size(server)) {
			if s, ok := res.spread(r, server, r.figures[0], x); ok && s.median > 0 && !seen[x] {
				seen[x] = true
				c.points = append(c.points, plotter.XY{X: float64(x), Y: s.median / figureNames[r.figures[0]].scale})
			}
		}
		slices.SortFunc(c.points, func(a, b plotter.XY) int { return cmp.Compare(a.X, b.X) })
		if len(c.points) > 1 {
			all = append(all, c)
		}
	}
	return all
}

// colours of the curves, which are told apart by their marks as well.
var colours = map[string]color.Color{
	postfach: color.RGBA{R: 0, G: 90, B: 160, A: 255},
	tuned:    color.RGBA{R: 200, G: 80, B: 0, A: 255},
	mpop:     color.RGBA{R: 200, G: 80, B: 0, A: 255},
}

// plot writes a plot for each row that was measured in several sizes.
func (res *results) plot(dir string) error {
	for _, r := range res.rows() {
		all := res.curves(&r)
		if len(all) == 0 {
			continue
		}
		if err := drawPlot(filepath.Join(dir, r.name+".svg"), &r, all); err != nil {
			return err
		}
	}
	return nil
}

func drawPlot(file string, r *row, all []curve) error {
	plot.DefaultFont = font.Font{Typeface: "Liberation", Variant: "Sans"}
	p := plot.New()
	p.X.Label.Text, p.Y.Label.Text = r.unit, figureNames[r.figures[0]].axis
	p.X.Scale, p.Y.Scale = plot.LogScale{}, plot.LogScale{}
	p.X.Tick.Marker, p.Y.Tick.Marker = plot.TickerFunc(decades), plot.TickerFunc(decades)
	p.Legend.Top, p.Legend.Left = true, true
	p.Add(plotter.NewGrid())
	for _, c := range all {
		line, marks, err := plotter.NewLinePoints(c.points)
		if err != nil {
			return err
		}
		line.Color, marks.Color = colours[c.server], colours[c.server]
		line.Width, marks.Radius = vg.Points(1.5), vg.Points(3)
		marks.Shape = draw.CircleGlyph{}
		if c.server != postfach {
			marks.Shape = draw.SquareGlyph{}
		}
		p.Add(line, marks)
		p.Legend.Add(shortNames[c.server], line, marks)
	}
	roundAxis(&p.X, 1)
	p.X.Max *= 1.5 // room for half of the last number
	roundAxis(&p.Y, 4)
	return p.Save(11*vg.Centimeter, 7*vg.Centimeter, file)
}
