package pop3test

import (
	"strconv"
	"strings"
)

func statFaults() []Fault {
	return []Fault{
		{
			Name: "stat-in-words", Doc: "STAT says count and size in a sentence.",
			Rules: []string{"P3-STAT-01"},
			Edit: func(e *Exchange) {
				if e.Is("STAT") && positive(e.Reply) {
					count, octets := entry(e.Reply)
					e.Reply = "+OK maildrop has " + itoa(count) + " messages (" + octets + " octets)\r\n"
				}
			},
		},
		{
			Name: "stat-counts-marked", Doc: "STAT counts messages that are marked as deleted.",
			Rules: []string{"P3-STAT-02"},
			Command: func(e *Exchange) bool {
				before, marked := e.Values["stat"].(string)
				switch {
				case e.Is("DELE") && !marked:
					e.Values["stat"] = e.Ask("STAT")
				case e.Is("STAT") && marked:
					e.Reply = before
					return true
				}
				return false
			},
		},
		{
			Name: "stat-says-more", Doc: "STAT has more behind the size.",
			Rules: []string{"P3-STAT-03"},
			Edit: func(e *Exchange) {
				if e.Is("STAT") && positive(e.Reply) {
					e.Reply = strings.TrimSuffix(e.Reply, "\r\n") + " (2 of them new)\r\n"
				}
			},
		},
		{
			Name: "stat-estimates", Doc: "The size in STAT is not the sum of those in LIST.",
			Rules: []string{"P3-STAT-05"},
			Edit: func(e *Exchange) {
				if e.Is("STAT") && positive(e.Reply) {
					count, octets := entry(e.Reply)
					sum, _ := strconv.Atoi(octets)
					e.Reply = "+OK " + itoa(count) + " " + itoa(sum+sum/50+40) + "\r\n"
				}
			},
		},
	}
}
