package pop3test

import (
	"fmt"
	"strings"

	"postfach/pop3check"
)

// An Assertion is something that can be said of a client, and of how a
// connection shows that it is not so.
type Assertion struct {
	Name, Doc string
	// Rule is the requirement, "" where the RFCs leave it to the client.
	Rule  string
	Check func(rec pop3check.Recording) error
}

// Assertions returns all that the package has.
func Assertions() []Assertion {
	return []Assertion{
		{"NoPasswordBeforeTLS", "no name, password, digest or token crosses the connection without TLS", "P3-TLS-11", NoPasswordBeforeTLS},
		{"NothingBeforeGreeting", "nothing is sent before the greeting", "P3-GRT-15", NothingBeforeGreeting},
		{"NothingBehindSTLS", "nothing is sent between STLS and the handshake", "P3-TLS-05", NothingBehindSTLS},
		{"CapaAfterSTLS", "capabilities that were known before STLS are asked for again", "P3-TLS-08", CapaAfterSTLS},
		{"DeleAfterRetr", "a message is marked as deleted only when it has come whole", "P3-RETR-04", DeleAfterRetr},
		{"PipeliningAnnounced", "a command waits for the reply to the last one, unless the server announced PIPELINING", "P3-PIPE-04", PipeliningAnnounced},
		{"OneSpace", "keyword and arguments are parted by one space each", "P3-SYN-03", OneSpace},
		{"LinesEndWithCRLF", "lines end with CR LF", "P3-SYN-01", LinesEndWithCRLF},
		{"QuitAtEnd", "the session ends with QUIT, and its reply is waited for", "P3-UPD-07", QuitAtEnd},
	}
}

// Assert makes the test fail for each connection so far that one of the checks
// finds something wrong with, and if there was no connection at all. Checks are
// those of this package, or the test's own.
//
//	srv.Assert(t, pop3test.NoPasswordBeforeTLS, pop3test.DeleAfterRetr)
func (s *Server) Assert(t TB, checks ...func(pop3check.Recording) error) {
	t.Helper()
	all := s.Recordings()
	if len(all) == 0 {
		t.Errorf("pop3test: no client has connected")
	}
	for _, rec := range all {
		for _, check := range checks {
			if err := check(rec); err != nil {
				t.Errorf("pop3test: connection %d: %v\n%s", rec.Number, err, Transcript(rec))
			}
		}
	}
}

// NoPasswordBeforeTLS: USER, PASS, APOP, and AUTH with a mechanism that sends a
// secret, happen in TLS only (P3-TLS-11).
func NoPasswordBeforeTLS(rec pop3check.Recording) error {
	for _, t := range converse(rec).turns {
		if t.TLS || t.Response {
			continue
		}
		mechanism, _, _ := strings.Cut(strings.ToUpper(t.Args), " ")
		switch {
		case t.Is("USER"), t.Is("PASS"), t.Is("APOP"):
			return fmt.Errorf("P3-TLS-11: %s without TLS", t.Keyword)
		case t.Is("AUTH") && strings.Contains(" PLAIN LOGIN XOAUTH2 OAUTHBEARER ", " "+mechanism+" "):
			return fmt.Errorf("P3-TLS-11: AUTH %s without TLS", mechanism)
		}
	}
	return nil
}

// NothingBeforeGreeting: the server speaks first (P3-GRT-15). A client that
// does not wait is sure to be seen when the greeting is late: give the server a
// Rule on "greeting" with a Delay.
func NothingBeforeGreeting(rec pop3check.Recording) error {
	if converse(rec).hasty {
		return fmt.Errorf("P3-GRT-15: a command before the greeting")
	}
	return nil
}

// NothingBehindSTLS: STLS is followed by the handshake (P3-TLS-05).
func NothingBehindSTLS(rec pop3check.Recording) error {
	turns := converse(rec).turns
	for i, t := range turns {
		if t.Is("STLS") && !t.TLS && i+1 < len(turns) && !turns[i+1].TLS && (turns[i+1].early || t.ok()) {
			return fmt.Errorf("P3-TLS-05: a command behind STLS, before TLS")
		}
	}
	return nil
}

// CapaAfterSTLS: a client that asked for the capabilities before STLS does not
// go on with them after it (P3-TLS-08, P3-CAPA-08).
func CapaAfterSTLS(rec pop3check.Recording) error {
	before := false
	for _, t := range converse(rec).turns {
		switch {
		case t.Is("CAPA") && !t.TLS:
			before = true
		case t.Is("CAPA"), t.Is("QUIT"):
			return nil // anew, or not needed
		case t.TLS && before:
			return fmt.Errorf("P3-TLS-08: %s after STLS, without CAPA again", t.shown())
		}
	}
	return nil
}

// DeleAfterRetr: what is deleted has come whole, on the same connection
// (P3-RETR-04). It is not for clients that delete mail of earlier sessions.
func DeleAfterRetr(rec pop3check.Recording) error {
	come := make(map[string]bool)
	for _, t := range converse(rec).turns {
		switch {
		case t.Is("RETR") && t.ok():
			come[t.Args] = true
		case t.Is("DELE") && !come[t.Args]:
			return fmt.Errorf("P3-RETR-04: %s, and no whole RETR of it before", t.shown())
		}
	}
	return nil
}

// PipeliningAnnounced: commands are sent before the reply to the last one only
// if the server announced PIPELINING (P3-PIPE-04).
func PipeliningAnnounced(rec pop3check.Recording) error {
	announced := false
	for _, t := range converse(rec).turns {
		if t.early && !announced {
			return fmt.Errorf("P3-PIPE-04: %s before the reply to the last command", t.shown())
		}
		switch {
		case t.Is("CAPA") && t.ok():
			announced = strings.Contains(strings.ToUpper(t.reply), "\nPIPELINING")
		case t.Is("STLS") && t.ok():
			announced = false
		}
	}
	return nil
}

// OneSpace: one SP between keyword and arguments, none at the end, no TAB
// (P3-SYN-03). Names and passwords may have spaces of their own.
func OneSpace(rec pop3check.Recording) error {
	for _, t := range converse(rec).turns {
		line, _ := cutLineEnd(t.Line)
		switch {
		case t.Response:
		case strings.HasPrefix(line, " "), strings.Contains(strings.TrimSuffix(line, t.Args), "\t"):
			return fmt.Errorf("P3-SYN-03: %s", t.shown())
		case t.Is("USER"), t.Is("PASS"), t.Is("APOP"):
		case strings.Contains(line, "  "), strings.HasSuffix(line, " "), strings.Contains(line, "\t"):
			return fmt.Errorf("P3-SYN-03: %s", t.shown())
		}
	}
	return nil
}

// LinesEndWithCRLF is what it says (P3-SYN-01).
func LinesEndWithCRLF(rec pop3check.Recording) error {
	for _, t := range converse(rec).turns {
		if _, end := cutLineEnd(t.Line); end == "\n" {
			return fmt.Errorf("P3-SYN-01: %s ends with a bare LF", t.shown())
		}
	}
	return nil
}

// QuitAtEnd: the client does not hang up; it says QUIT and waits for the reply
// (P3-UPD-07). A connection that the server ended, or whose greeting was no
// welcome, is all right.
func QuitAtEnd(rec pop3check.Recording) error {
	c := converse(rec)
	if !c.hungUp || c.noTLS || !positive(c.greeting) {
		return nil
	}
	for _, t := range c.turns {
		if t.Is("QUIT") && t.whole {
			return nil
		}
	}
	return fmt.Errorf("P3-UPD-07: the client hung up without QUIT and its reply")
}

// shown is the line as it may stand in a report.
func (t *turn) shown() string {
	switch t.Keyword {
	case "CAPA", "DELE", "LANG", "LAST", "LIST", "NOOP", "QUIT", "RETR", "RSET", "STAT", "STLS", "TOP", "UIDL", "UTF8":
		line, _ := cutLineEnd(t.Line)
		return fmt.Sprintf("%q", line)
	case "USER", "PASS", "APOP", "AUTH":
		return t.Keyword
	}
	return "a line"
}
