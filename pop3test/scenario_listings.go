package pop3test

import "strings"

func listingScenarios() []Scenario {
	twins := []string{letters()[0], letters()[0], letters()[2]}
	return []Scenario{
		{Name: "list-size", Doc: "LIST says 1 octet of the first message, and far too many of the second.", Faults: []Fault{edited("list-size", func(e *Exchange) {
			resize(e, func(n int, octets int64) int64 {
				switch n {
				case 1:
					return 1
				case 2:
					return 1000 * octets
				}
				return octets
			})
		})}},
		{Name: "huge-size", Doc: "LIST says 5 000 000 000 octets of each message, and STAT the sum.", Faults: []Fault{edited("huge-size", func(e *Exchange) {
			resize(e, func(int, int64) int64 { return 5_000_000_000 })
		})}},
		{Name: "no-uidl", Doc: "No UIDL.", Faults: []Fault{without("UIDL")}},
		{Name: "uidl-temporary", Doc: "CAPA announces UIDL; the first UIDL of a session fails.", Faults: []Fault{{
			Name: "uidl-temporary",
			Command: func(e *Exchange) bool {
				const failed = "uidl failed"
				if !e.Is("UIDL") || e.Values[failed] != nil {
					return false
				}
				e.Values[failed], e.Reply = true, "-ERR [SYS/TEMP] no unique-ids at the moment\r\n"
				return true
			},
		}}},
		{Name: "uidl-double", Doc: "Two messages are the same, and have one unique-id.", Mail: twins, Faults: []Fault{edited("uidl-double", func(e *Exchange) {
			reid(e, func(n int, id string) string {
				if n < 3 {
					return "twin"
				}
				return id
			})
		})}},
		{Name: "uidl-odd", Doc: "Two unique-ids differ in case, one has 100 octets and some beyond ASCII.", Faults: []Fault{edited("uidl-odd", func(e *Exchange) {
			reid(e, func(n int, _ string) string {
				return []string{"", "abc", "ABC", strings.Repeat("long-", 19) + "\x80\xffodd"}[n]
			})
		})}},
		{Name: "last", Doc: "LAST says that all messages were read.", Faults: []Fault{{
			Name: "last",
			Command: func(e *Exchange) bool {
				if !e.Is("LAST") {
					return false
				}
				e.Reply = "+OK 3 is the last read message.\r\n"
				return true
			},
		}}},
	}
}
