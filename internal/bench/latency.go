package bench

import (
	"math/rand/v2"
	"slices"
	"time"
)

// maxKept bounds the durations that a worker keeps of one kind. Beyond it, those that
// are kept are chosen at random, each with the same chance.
const maxKept = 1 << 20

// A durations is what a worker measured of one kind.
type durations struct {
	kept []time.Duration
	seen int
}

func (d *durations) add(t time.Duration) {
	d.seen++
	if len(d.kept) < maxKept {
		d.kept = append(d.kept, t)
	} else if i := rand.IntN(d.seen); i < maxKept {
		d.kept[i] = t
	}
}

// A Latency is how long something took, in milliseconds.
type Latency struct {
	N    int     `json:"n"`
	Mean float64 `json:"mean"`
	P50  float64 `json:"p50"`
	P90  float64 `json:"p90"`
	P99  float64 `json:"p99"`
	P999 float64 `json:"p999"`
	Max  float64 `json:"max"`
	// Sampled: percentiles are those of a random part.
	Sampled bool `json:"sampled,omitempty"`
}

// latency joins what workers measured.
func latency(of []*durations) Latency {
	var all []time.Duration
	var l Latency
	for _, d := range of {
		all = append(all, d.kept...)
		l.N += d.seen
	}
	l.Sampled = len(all) < l.N
	if len(all) == 0 {
		return l
	}
	slices.Sort(all)
	var sum time.Duration
	for _, t := range all {
		sum += t
	}
	l.Mean = ms(sum) / float64(len(all))
	l.P50, l.P90, l.P99, l.P999 = ms(percentile(all, 500)), ms(percentile(all, 900)), ms(percentile(all, 990)), ms(percentile(all, 999))
	l.Max = ms(all[len(all)-1])
	return l
}

// percentile returns the smallest duration that so many in a thousand do not exceed.
func percentile(sorted []time.Duration, permille int) time.Duration {
	rank := (len(sorted)*permille + 999) / 1000
	return sorted[max(rank, 1)-1]
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
