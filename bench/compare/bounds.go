package main

import (
	"fmt"
	"slices"
)

// A bound is what a figure of Postfach must not exceed, or must reach: a factor of a
// figure of somebody else in the same run, or a number. Where the target was a time on the
// machine on which it was set, the factor is the one that it implied there, to tuned Dovecot.
// The one to the floor is shown beside it and not judged: that floor was another program.
type bound struct {
	figure   string
	atLeast  bool
	factor   float64
	of       string // whose figure; "": factor is the bound itself
	ofFigure string // "": the same one
	ofRow    string // "": the same one
	was      string // the target, where factor is only what follows from it
	aside    bool   // shown, and not judged
}

// A verdict is what became of a bound.
type verdict struct {
	bound
	got     spread // the ratio in each round, or the figure where there is no ratio
	known   bool   // something was measured
	reached bool
}

// judge compares figures of the same round, and takes the median.
func (b bound) judge(res *results, r *row) verdict {
	v := verdict{bound: b}
	var all []float64
	for round := 1; round <= res.Rounds; round++ {
		ours, ok := res.figure(r, postfach, b.figure, round)
		if !ok {
			continue
		}
		if b.of == "" {
			all = append(all, ours)
			continue
		}
		other := b.figure
		if b.ofFigure != "" {
			other = b.ofFigure
		}
		if theirs, ok := res.figure(res.row(r, b.ofRow), b.of, other, round); ok && theirs > 0 {
			all = append(all, ours/theirs)
		}
	}
	if len(all) == 0 {
		return v
	}
	v.known, v.got = true, spreadOf(all)
	v.reached = v.got.median <= b.factor
	if b.atLeast {
		v.reached = v.got.median >= b.factor
	}
	return v
}

// A spread is several measurements of the same.
type spread struct{ median, least, most float64 }

// spreadOf wants at least one.
func spreadOf(all []float64) spread {
	sorted := slices.Sorted(slices.Values(all))
	n := len(sorted)
	return spread{median: (sorted[(n-1)/2] + sorted[n/2]) / 2, least: sorted[0], most: sorted[n-1]}
}

// words is the bound, as the table has it.
func (b bound) words() string {
	sign := "≤"
	if b.atLeast {
		sign = "≥"
	}
	what := figureNames[b.figure].name
	switch {
	case b.of == "":
		return fmt.Sprintf("%s %s %s", what, sign, figureNames[b.figure].format(b.factor))
	case b.of == postfach:
		return fmt.Sprintf("%s %s %.3g × %s", what, sign, b.factor, figureNames[b.ofFigure].name)
	case b.ofRow != "":
		return fmt.Sprintf("%s %s %.2f × %s in %s (%s)", what, sign, b.factor, shortNames[b.of], b.ofRow, b.was)
	case b.was != "":
		return fmt.Sprintf("%s %s %.2f × %s (%s)", what, sign, b.factor, shortNames[b.of], b.was)
	}
	return fmt.Sprintf("%s %s %.3g × %s", what, sign, b.factor, shortNames[b.of])
}

// words is what became of it.
func (v verdict) words() string {
	switch {
	case !v.known && v.aside:
		return "aside: no figure" // and the row may be reached all the same
	case !v.known:
		return "not measured"
	}
	said := "**missed**"
	switch {
	case v.aside:
		said = "aside"
	case v.reached:
		said = "reached"
	}
	if v.of == "" {
		return fmt.Sprintf("%s: %s", said, figureNames[v.figure].spread(v.got))
	}
	if v.got.least == v.got.most {
		return fmt.Sprintf("%s: %.2f", said, v.got.median)
	}
	return fmt.Sprintf("%s: %.2f (%.2f–%.2f)", said, v.got.median, v.got.least, v.got.most)
}
