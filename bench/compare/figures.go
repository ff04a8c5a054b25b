package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// A figureName is how people read a figure.
type figureName struct {
	name, axis string
	unit       string
	scale      float64 // figures are divided by it
}

var figureNames = map[string]figureName{
	cpu:      {"CPU", "server CPU, µs", " µs", 1},
	rate:     {"rate", "a second", "/s", 1},
	cpuGB:    {"CPU", "server CPU, s/GB", " s/GB", 1},
	took:     {"time", "time, ms", " ms", 1},
	slow:     {"p99", "p99, ms", " ms p99", 1},
	quit:     {"QUIT", "QUIT, ms", " ms", 1},
	memory:   {"memory", "memory of a session, KiB", " KiB", 1024},
	held:     {"held", "sessions", " held", 1},
	resumed:  {"resumed", "resumed, %", " % resumed", 0.01},
	cpuPlain: {"CPU without a hash", "server CPU, µs", " µs without a hash", 1},
	seconds:  {"time", "time, s", " s", 1},
}

// shortNames are those of servers in the table's head and in targets.
var shortNames = map[string]string{
	shipped: "Dovecot as shipped", tuned: "tuned Dovecot", popa3d: "popa3d", mpop: "mpop", unsynced: "mpop without fsync", floor: "floor",
	lateFloor: "floor with late timers", pieces: "floor in pieces", fromLF: "floor from LF", postfach: "Postfach",
}

func (n figureName) format(f float64) string { return number(f/n.scale) + n.unit }

func (n figureName) spread(s spread) string {
	if s.least == s.most {
		return n.format(s.median)
	}
	return fmt.Sprintf("%s (%s–%s)", n.format(s.median), number(s.least/n.scale), number(s.most/n.scale))
}

// number writes three digits that count, and commas.
func number(f float64) string {
	switch a := math.Abs(f); {
	case a == 0:
		return "0"
	case a < 1:
		return strconv.FormatFloat(f, 'f', 3, 64)
	case a < 10:
		return strconv.FormatFloat(f, 'f', 2, 64)
	case a < 100:
		return strconv.FormatFloat(f, 'f', 1, 64)
	}
	digits := strconv.FormatFloat(math.Abs(f), 'f', 0, 64)
	var b strings.Builder
	if f < 0 {
		b.WriteByte('-')
	}
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(d)
	}
	return b.String()
}
