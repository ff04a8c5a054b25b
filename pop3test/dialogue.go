package pop3test

import (
	"strings"

	"postfach/pop3check"
)

// A turn is one line of the client and the reply to it.
type turn struct {
	*Exchange      // Line, Keyword, Args, Response
	TLS       bool // it was said in TLS
	early     bool // before the replies to all earlier ones, or before the greeting
	reply     string
	whole     bool // the reply has come to its end
}

// ok reports whether the reply is there, whole and positive.
func (t *turn) ok() bool { return t.whole && positive(t.reply) }

// A dialogue is a recording, read again as commands and their replies.
type dialogue struct {
	turns    []*turn
	greeting string
	hasty    bool // the client spoke before the greeting was sent
	hungUp   bool // the client closed the connection
	noTLS    bool // a handshake failed
	tls      bool
	octets   string // of the server, not read yet
	answered int    // turns that have their whole reply
}

func converse(rec pop3check.Recording) *dialogue {
	c := new(dialogue)
	for _, e := range rec.Events {
		switch e.Kind {
		case pop3check.ClientSaid:
			c.client(e.Octets)
		case pop3check.ServerSaid:
			c.octets += e.Octets
			for c.read() {
			}
		case pop3check.TLSBegun:
			c.tls, c.octets = true, ""
			c.answered = len(c.turns) // what came behind STLS gets no reply
		case pop3check.TLSFailed:
			c.noTLS = true
		case pop3check.ClientClosed:
			c.hungUp = true
		}
	}
	return c
}

func (c *dialogue) client(octets string) {
	t := &turn{Exchange: newExchange(nil, octets), TLS: c.tls, early: c.greeting == "" || c.answered < len(c.turns)}
	if n := len(c.turns); n > 0 && !t.early && challenge(c.turns[n-1].reply) {
		t.Keyword, t.Args, t.Response = "", "", true
	}
	c.hasty = c.hasty || c.greeting == ""
	c.turns = append(c.turns, t)
}

// read takes the next line of the server, if there is one.
func (c *dialogue) read() bool {
	line, rest, found := strings.Cut(c.octets, "\n")
	if !found {
		return false
	}
	line += "\n"
	c.octets = rest
	switch {
	case c.greeting == "":
		c.greeting = line
	case c.answered == len(c.turns): // nobody has asked
	default:
		t := c.turns[c.answered]
		first := t.reply == ""
		t.reply += line
		t.whole = first && !(positive(line) && multiLine(t.Line, "+OK")) || !first && strings.TrimRight(line, "\r\n") == "."
		if t.whole {
			c.answered++
		}
	}
	return true
}
