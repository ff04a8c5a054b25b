//go:build unix

package interop

// A deviation is a rule that a client is known to break, in public: what it has
// not got, or what its documentation or source says. One that it no longer
// breaks is a failure.
type deviation struct {
	client, rule string
	what         string // in a few words, for docs/clients.md
}

// withheld is how many more rules each client breaks. Their makers hear of them
// first; who runs the test without this table sees them.
func withheld() map[string]int {
	return map[string]int{"curl": 6, "fetchmail": 5, "mpop": 12, "poplib": 6}
}

// isKnown reports whether the table has a client and a rule.
func isKnown(client, rule string) bool {
	for _, d := range deviations() {
		if d.client == client && d.rule == rule {
			return true
		}
	}
	return false
}

// What several of them do.
const (
	noALPN      = "does not offer ALPN in the TLS handshake"
	strictReply = "does not accept status indicators in lower case with bare LF line ends"
	noUTF8      = "does not ask for UTF8 before it fetches and deletes"
)

func deviations() []deviation {
	return []deviation{
		{"curl", "P3-SYN-28", strictReply},
		{"curl", "P3-TLS-23", noALPN},
		{"fetchmail", "P3-SYN-28", strictReply},
		{"fetchmail", "P3-MSG-11", "does not deliver a line of more than 8190 octets as it came"},
		{"fetchmail", "P3-TLS-23", noALPN},
		{"fetchmail", "P3-UTF-13", noUTF8},
		{"mpop", "P3-SYN-28", strictReply},
		{"mpop", "P3-TLS-23", noALPN},
		{"mpop", "P3-UTF-13", noUTF8},
		{"poplib", "P3-MSG-11", "does not take a line of more than 2048 octets"},
		{"poplib", "P3-TLS-17", "does not send close_notify before it closes the connection"},
		{"poplib", "P3-TLS-23", noALPN},
	}
}
