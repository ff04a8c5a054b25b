package pop3test

import (
	"strings"
)

func uidlFaults() []Fault {
	return []Fault{
		{
			Name: "uidl-in-other-shape", Doc: "UIDL with a number answers without it, and without a number it has tabs.",
			Rules: []string{"P3-UIDL-01"},
			Edit: func(e *Exchange) {
				switch {
				case e.single("UIDL"):
					_, id := entry(e.Reply)
					e.Reply = "+OK " + id + "\r\n"
				case e.listing("UIDL"):
					e.Reply = relist(e.Reply, func(n int, id string) string {
						return itoa(n) + "\t" + id + "\r\n"
					})
				}
			},
		},
		{
			Name: "uidl-says-more", Doc: "UIDL has a size behind the unique-id.",
			Rules: []string{"P3-UIDL-02"},
			Edit:  func(e *Exchange) { reid(e, func(_ int, id string) string { return id + " 320" }) },
		},
		{
			Name: "unique-id-too-long", Doc: "Unique-ids have more than 70 characters.",
			Rules: []string{"P3-UIDL-03"},
			Edit: func(e *Exchange) {
				reid(e, func(_ int, id string) string { return id + "," + strings.Repeat("S=1234,", 10) })
			},
		},
		{
			Name: "unique-id-of-8-bit", Doc: "Unique-ids have octets that are not ASCII.",
			Rules: []string{"P3-UIDL-03"},
			Edit:  func(e *Exchange) { reid(e, func(_ int, id string) string { return id + "\xe9" }) },
		},
		{
			Name: "unique-id-twice", Doc: "The last message has the unique-id of the one before it.",
			Rules: []string{"P3-UIDL-04"},
			Edit: func(e *Exchange) {
				reid(e, func(n int, id string) string {
					if all := e.messages(); n > 1 && n == len(all) {
						return string(all[n-2].ID)
					}
					return id
				})
			},
		},
		{
			Name: "unique-id-of-the-session", Doc: "Each session has other unique-ids.",
			Rules: []string{"P3-UIDL-05"},
			Edit:  func(e *Exchange) { reid(e, func(_ int, id string) string { return itoa(e.Number) + "-" + id }) },
		},
		{
			Name: "unique-id-is-the-number", Doc: "The unique-id is the message number.",
			Rules: []string{"P3-UIDL-06", "P3-UIDL-09"},
			Edit:  func(e *Exchange) { reid(e, func(n int, _ string) string { return "msg" + itoa(n) }) },
		},
		{
			Name: "uidl-ignores-marks", Doc: "UIDL lists messages that are marked as deleted.",
			Rules:   []string{"P3-UIDL-07"},
			Command: unmarked("UIDL"),
		},
		{
			Name: "uidl-knows-any-number", Doc: "UIDL of a message that is not there, or marked as deleted, says a unique-id.",
			Rules: []string{"P3-UIDL-07"},
			Edit: func(e *Exchange) {
				if word := strings.TrimSpace(e.Args); e.Is("UIDL") && word != "" && negative(e.Reply) {
					e.Reply = "+OK " + word + " whqtswO00WBw418f9t5JxYwZ\r\n"
				}
			},
		},
		{
			Name: "uidl-unannounced", Doc: "UIDL works and CAPA does not list it.",
			Rules: []string{"P3-UIDL-08"},
			Edit: func(e *Exchange) {
				if e.Is("CAPA") {
					e.Reply = withoutTag(e.Reply, "UIDL")
				}
			},
		},
		{
			Name: "uidl-announced-and-missing", Doc: "CAPA lists UIDL, and it does not exist.",
			Rules: []string{"P3-UIDL-08"},
			Command: func(e *Exchange) bool {
				if !e.Is("UIDL") {
					return false
				}
				e.Reply = "-ERR unknown command\r\n"
				return true
			},
		},
	}
}
