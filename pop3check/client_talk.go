package pop3check

import (
	"slices"
	"strings"
	"time"

	"postfach/internal/popwire"
)

// A talk is a Recording, parted into what was said and what was answered.
type talk struct {
	rec      Recording
	greeting string
	greeted  int // index of the event, -1: never
	turns    []*turn
	tlsAt    int // index of the event that began TLS, -1: never
}

// A turn is a line of the client, and the reply to it.
type turn struct {
	line          string // with its line end
	keyword, args string
	response      bool // it answers a SASL challenge, and has no keyword
	tls           bool
	at            int // index of the event
	time          time.Time
	early         []*turn // what had no whole reply yet when it was said

	reply            string
	answered         bool // the reply has begun
	complete         bool // the reply is whole
	begun, completed int  // indexes of the events
}

func (x *turn) is(keywords ...string) bool {
	return !x.response && slices.Contains(keywords, x.keyword)
}

func (x *turn) ok() bool { return len(x.reply) >= 3 && strings.EqualFold(x.reply[:3], "+OK") }

// show is the line as a report may have it.
func (x *turn) show() string {
	if x.response {
		return "a SASL response"
	}
	return string(popwire.Redact([]byte(strings.TrimRight(x.line, "\r\n"))))
}

func talksOf(recordings []Recording) []*talk {
	var all []*talk
	for _, r := range recordings {
		all = append(all, talkOf(r))
	}
	return all
}

// talkOf parts a recording. It reads replies by itself: a terminator is CR LF
// "." CR LF, and nothing else is.
func talkOf(rec Recording) *talk {
	t := &talk{rec: rec, greeted: -1, tlsAt: -1}
	var open []*turn // said, and not wholly answered
	exchange := false
	pending := ""
	for i, e := range rec.Events {
		switch e.Kind {
		case TLSBegun:
			t.tlsAt = i
			open, exchange, pending = nil, false, ""
		case ClientSaid:
			x := newTurn(e, i)
			x.tls = t.tlsAt >= 0
			x.early = slices.Clone(open)
			if x.response = exchange && len(open) == 0; x.response {
				x.keyword, x.args = "", ""
			}
			t.turns = append(t.turns, x)
			open = append(open, x)
		case ServerSaid:
			pending += e.Octets
			if t.greeted < 0 {
				t.greeted = i
			}
			if t.greeting == "" {
				line, rest, whole := strings.Cut(pending, "\n")
				if !whole {
					continue
				}
				t.greeting, pending = line+"\n", rest
			}
			for pending != "" && len(open) > 0 {
				x := open[0]
				if !x.answered {
					x.answered, x.begun = true, i
				}
				n := replyLength(x, pending)
				if n == 0 {
					x.reply = pending
					break
				}
				x.reply, pending = pending[:n], pending[n:]
				x.complete, x.completed = true, i
				open = open[1:]
				exchange = strings.HasPrefix(x.reply, "+ ") || strings.TrimRight(x.reply, "\r\n") == "+"
				if exchange && len(open) > 0 {
					open[0].response, open[0].keyword, open[0].args = true, "", ""
				}
			}
			if len(open) == 0 {
				pending = "" // nobody asked for it
			}
		}
	}
	return t
}

func newTurn(e Event, at int) *turn {
	x := &turn{line: e.Octets, at: at, time: e.Time}
	word, args, _ := strings.Cut(strings.TrimRight(e.Octets, "\r\n"), " ")
	x.keyword, x.args = strings.ToUpper(word), args
	return x
}

// replyLength returns how many octets are the whole reply to x, 0 if it is not
// whole.
func replyLength(x *turn, octets string) int {
	first := strings.IndexByte(octets, '\n') + 1
	if first == 0 {
		return 0
	}
	if x.response || !x.multiLine() || !strings.HasPrefix(strings.ToUpper(octets), "+OK") {
		return first
	}
	if strings.HasPrefix(octets[first:], ".\r\n") {
		return first + len(".\r\n")
	}
	end := strings.Index(octets[first:], "\r\n.\r\n")
	if end < 0 {
		return 0
	}
	return first + end + len("\r\n.\r\n")
}

// multiLine reports whether a positive reply goes on behind its first line
// (P3-MLT-05).
func (x *turn) multiLine() bool {
	return x.is("RETR", "TOP", "CAPA") || x.is("LIST", "UIDL", "LANG", "AUTH") && x.args == ""
}

// lines returns what a multi-line reply has between its first line and its end.
func (x *turn) lines() []string {
	var all []string
	for i, line := range strings.Split(x.reply, "\n") {
		line = strings.TrimSuffix(line, "\r")
		if i > 0 && line != "." && line != "" {
			all = append(all, line)
		}
	}
	return all
}

// announced returns the capabilities, in upper case, that the client knew when
// it said x: those of the last CAPA since TLS began.
func (t *talk) announced(x *turn) (lines []string, known bool) {
	for _, c := range t.turns {
		if c.is("CAPA") && c.complete && c.completed < x.at && c.tls == x.tls {
			lines, known = nil, c.ok()
			for _, l := range c.lines() {
				lines = append(lines, strings.ToUpper(l))
			}
		}
	}
	return lines, known
}

// has reports whether one of the lines has the tag, and the parameter if there
// is one.
func hasTag(lines []string, tag string, param ...string) bool {
	return slices.ContainsFunc(lines, func(l string) bool {
		words := strings.Fields(l)
		return len(words) > 0 && words[0] == tag && (len(param) == 0 || slices.Contains(words[1:], param[0]))
	})
}

// maxShown bounds a line of a transcript, in octets.
const maxShown = 200

// transcript writes the recording as a transcript without secrets.
func (t *talk) transcript() []string {
	var lines []string
	said := make(map[int]*turn)
	for _, x := range t.turns {
		said[x.at] = x
	}
	server := ""
	flush := func() {
		for line := range strings.Lines(server) {
			lines = append(lines, "S: "+shownLine(line))
		}
		server = ""
	}
	for i, e := range t.rec.Events {
		if e.Kind == ServerSaid {
			server += e.Octets
			continue
		}
		flush()
		switch e.Kind {
		case ClientSaid:
			text, whole := strings.CutSuffix(e.Octets, "\r\n")
			shown := string(popwire.Redact([]byte(text)))
			if said[i].response && text != "*" && text != "" {
				shown = popwire.Secret
			}
			if !whole {
				shown += "\n"
			} else {
				shown += "\r\n"
			}
			lines = append(lines, "C: "+shownLine(shown))
		case TLSBegun:
			lines = append(lines, "(tls)")
		case TLSFailed:
			lines = append(lines, "# no TLS: "+printable(e.Err))
		case ClientClosed:
			lines = append(lines, strings.TrimSpace("# the client closes. "+printable(e.Err)))
		case ServerClosed:
			lines = append(lines, "# the server closes")
		}
	}
	flush()
	if over := len(lines) - maxTrace; over > 0 {
		lines = append([]string{"# lines left out here"}, lines[over:]...)
	}
	return lines
}

// shownLine escapes a line. One without CR LF ends in a backslash.
func shownLine(line string) string {
	text, whole := strings.CutSuffix(line, "\r\n")
	if !whole {
		text = strings.TrimSuffix(text, "\n")
	}
	if len(text) > maxShown {
		text = text[:maxShown] + "..."
	}
	if shown := escape(text); whole {
		return shown
	} else {
		return shown + `\`
	}
}
