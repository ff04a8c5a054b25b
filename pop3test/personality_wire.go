package pop3test

import (
	"strings"
	"time"
)

// wirePersonalities are servers that say the right thing in another form.
func wirePersonalities() []Personality {
	return []Personality{
		one("lower-case-status", "Replies begin with +ok and -err.", reworded(func(_ *Exchange, reply string) string {
			if status, rest, ok := strings.Cut(reply, " "); ok {
				return strings.ToLower(status) + " " + rest
			}
			return strings.ToLower(reply)
		})),
		one("no-text", "Replies have no text, where it means nothing.", reworded(bareStatus)),
		one("bare-lf", "Lines end with LF alone.", Fault{
			Greet: func(_ *Session, greeting string) string { return withoutCR(greeting) },
			Edit:  func(e *Exchange) { e.Reply = withoutCR(e.Reply) },
		}),
		one("sasl-bare", "An empty SASL challenge is + without a space.", Fault{Edit: func(e *Exchange) {
			if e.Reply == "+ \r\n" {
				e.Reply = "+\r\n"
			}
		}}),
		one("stls-injects", "In the segment of STLS's +OK comes another reply, in clear.", Fault{Edit: func(e *Exchange) {
			if e.Is("STLS") && positive(e.Reply) {
				e.Reply += "+OK injected\r\n"
			}
		}}),
		one("slow", "Each reply takes a fifth of a second.", Fault{
			Greet: func(s *Session, greeting string) string {
				s.Wait(slowness)
				return greeting
			},
			Edit: func(e *Exchange) { e.Wait(slowness) },
		}),
		one("drip", "Each octet comes in a segment of its own.", Fault{Send: func(s *Session, octets string) {
			for i := range len(octets) {
				if s.Write(octets[i : i+1]); !s.pause(time.Millisecond) {
					return
				}
			}
		}}),
	}
}

const slowness = 200 * time.Millisecond

// reworded changes the first line of every reply, greeting included, and no
// challenge. The line has no line end.
func reworded(change func(e *Exchange, line string) string) Fault {
	first := func(e *Exchange, reply string) string {
		line, rest, ok := strings.Cut(reply, "\r\n")
		if !ok || challenge(reply) {
			return reply
		}
		return change(e, line) + "\r\n" + rest
	}
	return Fault{
		Greet: func(s *Session, greeting string) string { return first(&Exchange{Session: s}, greeting) },
		Edit:  func(e *Exchange) { e.Reply = first(e, e.Reply) },
	}
}

// bareStatus leaves the status indicator, and the text where a client needs it
// (P3-SYN-18).
func bareStatus(e *Exchange, line string) string {
	switch {
	case strings.HasPrefix(line, "-ERR"):
		return "-ERR"
	case e.Is("STAT"), e.Args != "" && (e.Is("LIST") || e.Is("UIDL")):
		return line
	}
	return "+OK"
}

func withoutCR(reply string) string { return strings.ReplaceAll(reply, "\r\n", "\n") }
