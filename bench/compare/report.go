package main

import (
	"bytes"
	_ "embed"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"text/template"
)

// The document. What is written by hand stands there: what was done, what did not help.
//
//go:embed performance.md.tmpl
var documentText string

// A line is a row of the table, in words.
type line struct {
	Title, How, Shipped, Tuned, Other, Floor, Postfach, Target, Verdict string
}

// A drawing is a plot, and what it says.
type drawing struct{ Name, Title, Says string }

// A noise is what was measured of a figure, in all rounds.
type noise struct{ Row, Server, Figures string }

// page is what the template knows.
type page struct {
	*results
	Names   []named
	Lines   []line
	Plots   []drawing
	Noise   []noise
	Wrong   []string
	Reached int
	Piece   int
	Wanted  int
}

type named struct{ Name, Version string }

// document writes performance.md.
func (res *results) document(file string) error {
	t, err := template.New("").Parse(documentText)
	if err != nil {
		return err
	}
	var text bytes.Buffer
	if err := t.Execute(&text, res.page()); err != nil {
		return err
	}
	return os.WriteFile(file, text.Bytes(), 0o644)
}

func (res *results) page() *page {
	p := &page{results: res, Piece: pieceSize >> 10, Wanted: wantedSessions}
	for _, id := range res.ids() {
		p.Names = append(p.Names, named{shortNames[id], res.Versions[id]})
	}
	for _, r := range res.rows() {
		if !res.measured(&r) {
			continue
		}
		l := res.line(&r)
		if !strings.Contains(l.Verdict, "missed") && !strings.Contains(l.Verdict, "not ") {
			p.Reached++
		}
		p.Lines = append(p.Lines, l)
		p.Noise = append(p.Noise, res.noise(&r)...)
		if all := res.curves(&r); len(all) > 0 {
			p.Plots = append(p.Plots, drawing{r.name, r.title, says(&r, all)})
		}
	}
	p.Wrong = res.wrong()
	return p
}

// line is a row of the table.
func (res *results) line(r *row) line {
	l := line{
		Title: r.title, How: r.how,
		Shipped: res.cell(r, shipped), Tuned: res.cell(r, tuned), Postfach: res.cell(r, postfach),
		Other: res.cells(r, popa3d, mpop, unsynced), Floor: res.cells(r, floor, lateFloor, pieces, fromLF),
	}
	var targets, verdicts []string
	for _, b := range r.bounds {
		targets = append(targets, b.words())
		verdicts = append(verdicts, b.judge(res, r).words())
	}
	l.Target, l.Verdict = strings.Join(targets, "<br>"), strings.Join(verdicts, "<br>")
	if res.Short {
		l.Verdict = "not judged"
	}
	return l
}

// cell is what a server did.
func (res *results) cell(r *row, server string) string {
	var all []string
	for _, name := range r.figures {
		if s, ok := res.spread(r, server, name, r.size(server)); ok {
			all = append(all, figureNames[name].format(s.median))
		}
	}
	if len(all) == 0 {
		return "–"
	}
	return strings.Join(all, ", ")
}

// cells are those of several servers, with their names.
func (res *results) cells(r *row, servers ...string) string {
	var all []string
	for _, server := range servers {
		if c := res.cell(r, server); c != "–" {
			all = append(all, shortNames[server]+": "+c)
		}
	}
	switch {
	case len(all) == 0:
		return "–"
	case len(all) == 1 && servers[0] == floor:
		return strings.TrimPrefix(all[0], shortNames[floor]+": ")
	}
	return strings.Join(all, "<br>")
}

// noise is how far rounds were apart.
func (res *results) noise(r *row) (all []noise) {
	for _, server := range r.servers {
		var said []string
		for _, name := range r.figures {
			if s, ok := res.spread(r, server, name, r.size(server)); ok {
				said = append(said, figureNames[name].spread(s))
			}
		}
		if len(said) > 0 {
			all = append(all, noise{r.name, shortNames[server], strings.Join(said, "; ")})
		}
	}
	return all
}

// says is how a figure grows, in a sentence.
func says(r *row, all []curve) string {
	var parts []string
	for _, c := range all {
		first, last := c.points[0], c.points[len(c.points)-1]
		parts = append(parts, fmt.Sprintf("%s × %s for × %s", shortNames[c.server], strings.TrimSuffix(number(last.Y/first.Y), ".0"), strings.TrimSuffix(number(last.X/first.X), ".0")))
	}
	return strings.Join(parts, ", ")
}

// wrong is what did not go as it should, once for each kind.
func (res *results) wrong() (all []string) {
	for _, m := range res.Measured {
		said := ""
		switch {
		case m.Error != "":
			said = fmt.Sprintf("%s, %s: %s", m.Row, shortNames[m.Server], m.Error)
		case m.Figures[mistakes] > 0:
			said = fmt.Sprintf("%s, %s, %d: %.0f mistakes", m.Row, shortNames[m.Server], m.X, m.Figures[mistakes])
		}
		if said != "" && !slices.Contains(all, said) {
			all = append(all, said)
		}
	}
	return all
}

// table prints the table for a terminal.
func table(out io.Writer, res *results) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "row\tshipped\ttuned\tother\tfloor\tPostfach\ttarget\t")
	for _, r := range res.rows() {
		if !res.measured(&r) {
			continue
		}
		l := res.line(&r)
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t\n", r.name, l.Shipped, l.Tuned, oneLine(l.Other), oneLine(l.Floor), l.Postfach, oneLine(l.Target))
		fmt.Fprintf(w, "\t\t\t\t\t\t%s\t\n", oneLine(l.Verdict))
	}
	return w.Flush()
}

func oneLine(cell string) string {
	return strings.NewReplacer("<br>", "; ", "**", "").Replace(cell)
}
