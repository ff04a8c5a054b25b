package main

import (
	"testing"
)

func TestSpread(t *testing.T) {
	for _, c := range []struct {
		all  []float64
		want spread
	}{
		{[]float64{3}, spread{3, 3, 3}},
		{[]float64{9, 1}, spread{5, 1, 9}},
		{[]float64{9, 1, 2}, spread{2, 1, 9}},
		{[]float64{4, 9, 1, 2}, spread{3, 1, 9}},
	} {
		if got := spreadOf(c.all); got != c.want {
			t.Errorf("%v: %+v, want %+v", c.all, got, c.want)
		}
	}
}

// three are results of one row in three rounds.
func three(r *row, ours, theirs [3]float64) *results {
	res := &results{Rounds: 3}
	for i := range 3 {
		res.Measured = append(res.Measured,
			measurement{Row: r.name, Server: tuned, X: r.x, Round: i + 1, Figures: figures{cpu: theirs[i], rate: 1000 / theirs[i]}},
			measurement{Row: r.name, Server: postfach, X: r.x, Round: i + 1, Figures: figures{cpu: ours[i], rate: 1000 / ours[i], cpuPlain: 10}})
	}
	return res
}

// A machine that is slow in one round is slow for all: rounds are compared, not medians.
func TestRatiosAreThoseOfARound(t *testing.T) {
	r := &row{name: "r", x: 1}
	res := three(r, [3]float64{10, 100, 30}, [3]float64{20, 200, 20})
	v := bound{figure: cpu, factor: 0.5, of: tuned}.judge(res, r)
	if want := (spread{0.5, 0.5, 1.5}); v.got != want || !v.reached || !v.known {
		t.Errorf("%+v", v)
	}
}

func TestVerdicts(t *testing.T) {
	r := &row{name: "r", x: 1}
	res := three(r, [3]float64{10, 11, 12}, [3]float64{40, 44, 48})
	for _, c := range []struct {
		b     bound
		words string
	}{
		{bound{figure: cpu, factor: 0.25, of: tuned}, "reached: 0.25"},
		{bound{figure: cpu, factor: 0.24, of: tuned}, "**missed**: 0.25"},
		{bound{figure: rate, atLeast: true, factor: 4, of: tuned}, "reached: 4.00"},
		{bound{figure: rate, atLeast: true, factor: 4.1, of: tuned}, "**missed**: 4.00"},
		{bound{figure: cpu, factor: 0.1, of: tuned, aside: true}, "aside: 0.25"},
		{bound{figure: cpu, factor: 11}, "reached: 11.0 µs (10.0–12.0)"},
		{bound{figure: cpu, factor: 10}, "**missed**: 11.0 µs (10.0–12.0)"},
		{bound{figure: cpu, factor: 1.1, of: postfach, ofFigure: cpuPlain}, "reached: 1.10 (1.00–1.20)"},
		{bound{figure: cpu, factor: 9, of: popa3d}, "not measured"},
		{bound{figure: quit, factor: 9}, "not measured"},
		{bound{figure: quit, factor: 9, aside: true}, "aside: no figure"},
	} {
		if got := c.b.judge(res, r).words(); got != c.words {
			t.Errorf("%+v: %s, want %s", c.b, got, c.words)
		}
	}
}

// A measurement that failed is none.
func TestFailedMeasurementsDoNotCount(t *testing.T) {
	r := &row{name: "r", x: 1}
	res := three(r, [3]float64{10, 10, 10}, [3]float64{20, 20, 20})
	res.Measured[1].Error = "it broke off"
	res.Measured[1].Figures = figures{cpu: 1}
	if v := (bound{figure: cpu, factor: 0.5, of: tuned}).judge(res, r); v.got != (spread{0.5, 0.5, 0.5}) {
		t.Errorf("%+v", v)
	}
	if res.trouble() == nil {
		t.Error("a measurement failed, and nobody hears of it")
	}
}

func TestNumbersHaveThreeDigits(t *testing.T) {
	for f, want := range map[float64]string{0: "0", 0.1234: "0.123", 1.234: "1.23", 12.34: "12.3", 123.4: "123", 1234: "1,234", 1234567: "1,234,567"} {
		if got := number(f); got != want {
			t.Errorf("%v: %s, want %s", f, got, want)
		}
	}
}
