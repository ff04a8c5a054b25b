package main

import (
	"math"
	"strconv"

	"gonum.org/v1/plot"
)

// roundAxis lets an axis begin and end at powers of ten, with room above for the legend.
func roundAxis(a *plot.Axis, room float64) {
	a.Min = math.Pow10(int(math.Floor(math.Log10(a.Min) + 1e-9)))
	a.Max = math.Pow10(int(math.Ceil(math.Log10(room*a.Max) - 1e-9)))
	if a.Max <= a.Min {
		a.Max = 10 * a.Min
	}
}

// decades marks powers of ten, and what lies between without a word.
func decades(least, most float64) (ticks []plot.Tick) {
	first, last := int(math.Floor(math.Log10(least)+1e-9)), int(math.Ceil(math.Log10(most)-1e-9))
	for e := first; e <= last; e++ {
		ticks = append(ticks, plot.Tick{Value: math.Pow10(e), Label: powerOfTen(e)})
		for i := 2; i < 10 && e < last; i++ {
			ticks = append(ticks, plot.Tick{Value: float64(i) * math.Pow10(e)})
		}
	}
	return ticks
}

func powerOfTen(e int) string {
	if e >= 3 {
		return number(math.Pow10(e))
	}
	return strconv.FormatFloat(math.Pow10(e), 'f', max(-e, 0), 64)
}
