package explain

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"postfach/pop3"
)

// hold holds a conversation: lines that begin with "C: " or "S: ". It returns
// the last note.
func hold(c *Conversation, lines ...string) (n Note) {
	for _, l := range lines {
		n = c.Line(l[0] == 'C', l[3:])
	}
	return n
}

var login = []string{"S: +OK <1@h>", "C: USER u", "S: +OK", "C: PASS <secret>", "S: +OK"}

// What a shell asks for: what comes next, and how many replies are missing.
func TestExpectAndWaiting(t *testing.T) {
	c := NewConversation(English)
	for i, tt := range []struct {
		line    string
		expect  Place
		waiting int
	}{
		{"", Greeting, 0},
		{"S: +OK ready", Stray, 0},
		{"C: CAPA", Reply, 1},
		{"S: +OK", Item, 1},
		{"S: TOP", Item, 1},
		{"S: .", Stray, 0},
		{"C: AUTH PLAIN", Reply, 1},
		{"S: + ", Response, 1},
		{"C: <secret>", Reply, 1},
		{"S: +OK", Stray, 0},
		{"C: LIST 1", Reply, 1},
		{"C: RETR 1", Reply, 2},
		{"C: RETR 2", Reply, 3},
		{"S: +OK 1 9", Reply, 2},
		{"S: +OK", Content, 2},
		{"S: -ERR is text", Content, 2},
		{"S: .", Reply, 1},
		{"S: -ERR", Stray, 0},
		{"C: QUIT", Reply, 1},
		{"S: +OK", Stray, 0},
	} {
		if tt.line != "" {
			hold(c, tt.line)
		}
		if c.Expect() != tt.expect || c.Waiting() != tt.waiting {
			t.Errorf("%d %s: expects %d, waits for %d", i, tt.line, c.Expect(), c.Waiting())
		}
	}
}

// A mark counts when the server has agreed; RSET, QUIT and the end clear them.
func TestMarked(t *testing.T) {
	c := NewConversation(English)
	hold(c, login...)
	for _, tt := range []struct {
		line string
		want []int
	}{
		{"C: DELE 3", nil},
		{"S: +OK", []int{3}},
		{"C: DELE 1", []int{3}},
		{"C: DELE 2", []int{3}},
		{"S: +OK", []int{1, 3}},
		{"S: -ERR", []int{1, 3}},
		{"C: RSET", []int{1, 3}},
		{"S: +OK", nil},
		{"C: DELE 2", nil},
		{"S: +OK", []int{2}},
		{"C: QUIT now", []int{2}},
		{"S: -ERR", []int{2}},
		{"C: QUIT", []int{2}},
		{"S: +OK", nil},
	} {
		hold(c, tt.line)
		if got := c.Marked(); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v, want %v", tt.line, got, tt.want)
		}
	}
	if c.State() != pop3.Update {
		t.Error(c.State())
	}
}

func TestState(t *testing.T) {
	for _, tt := range []struct {
		lines string
		want  pop3.State
	}{
		{"S: +OK|C: USER u|S: +OK|C: PASS p", pop3.Authorization},
		{"S: +OK|C: USER u|S: +OK|C: PASS p|S: -ERR", pop3.Authorization},
		{"S: +OK|C: USER u|S: +OK|C: PASS p|S: +OK", pop3.Transaction},
		{"S: +OK|C: APOP u <secret>|S: +OK", pop3.Transaction},
		{"S: +OK|C: AUTH PLAIN <secret>|S: +OK", pop3.Transaction},
		{"S: +OK|C: AUTH PLAIN|S: + |C: *|S: -ERR", pop3.Authorization},
		{"S: +OK|C: QUIT|S: +OK", pop3.Authorization},
		{"S: +OK|C: AUTH PLAIN <secret>|S: +OK|C: QUIT", pop3.Transaction},
		{"S: +OK|C: AUTH PLAIN <secret>|S: +OK|C: QUIT|S: -ERR", pop3.Update},
	} {
		c := NewConversation(English)
		hold(c, strings.Split(tt.lines, "|")...)
		if c.State() != tt.want {
			t.Errorf("%s: %s", tt.lines, c.State())
		}
	}
}

// A timestamp that came before STLS may be an attacker's; one inside TLS is not.
func TestTimestamp(t *testing.T) {
	c := NewConversation(English)
	hold(c, "S: +OK ready <1@h>")
	if c.Timestamp() != "<1@h>" || c.Encrypted() {
		t.Error(c.Timestamp())
	}
	hold(c, "C: STLS", "S: +OK")
	if n := c.TLS(); n.Next == "" || c.Timestamp() != "" || !c.Encrypted() {
		t.Errorf("%q %+v", c.Timestamp(), n)
	}
	if n := c.TLS(); n.Meaning != "" {
		t.Errorf("%+v", n)
	}

	c = NewConversation(English)
	c.TLS()
	hold(c, "S: +OK ready <1@h>")
	if c.Timestamp() != "<1@h>" {
		t.Error(c.Timestamp())
	}
}

// What was pipelined behind STLS gets no reply inside TLS.
func TestSTLSForgetsCommands(t *testing.T) {
	c := NewConversation(English)
	hold(c, "S: +OK", "C: STLS", "C: USER u", "S: +OK")
	c.TLS()
	if c.Waiting() != 0 || c.Expect() != Stray {
		t.Error(c.Waiting())
	}
	if n := hold(c, "C: PASS <secret>"); !strings.Contains(n.Meaning, "USER has to come first") {
		t.Error(n.Meaning)
	}
}

// A server may delete what was fetched (EXPIRE 0): QUIT says so.
func TestExpireNow(t *testing.T) {
	c := NewConversation(English)
	hold(c, login...)
	hold(c, "C: CAPA", "S: +OK", "S: EXPIRE 0", "S: .", "C: RETR 1", "S: +OK", "S: x", "S: .")
	if n := hold(c, "C: QUIT"); !strings.Contains(n.Meaning, "EXPIRE 0") {
		t.Error(n.Meaning)
	}
	if n := c.Closed(false); !n.Warning {
		t.Errorf("%+v", n)
	}
}

// A QUIT that the server should refuse may have been obeyed all the same.
func TestClosedBehindOddQuit(t *testing.T) {
	c := NewConversation(English)
	hold(c, login...)
	hold(c, "C: DELE 1", "S: +OK", "C: QUIT now")
	if n := c.Closed(false); !n.Warning || !strings.Contains(n.Meaning, "nobody knows") {
		t.Errorf("%+v", n)
	}
}

// An unsolicited -ERR before the end, as servers send it when they time out.
func TestAutologout(t *testing.T) {
	c := NewConversation(German)
	hold(c, login...)
	if n := hold(c, "S: -ERR [SYS/TEMP] idle"); n.Place != Stray || !n.Refused || !n.Warning {
		t.Errorf("%+v", n)
	}
}

// Memory is bounded, whatever is said.
func TestMemoryIsBounded(t *testing.T) {
	c := NewConversation(English)
	hold(c, login...)
	for range 2 * mostAsked {
		hold(c, "C: NOOP")
	}
	if c.Waiting() > mostAsked || !c.lost {
		t.Errorf("%d are waiting", c.Waiting())
	}
	if n := hold(c, "S: +OK"); n.Place != Reply || n.Meaning == "" {
		t.Errorf("%+v", n)
	}

	c = NewConversation(English)
	hold(c, login...)
	hold(c, "C: LIST", "S: +OK")
	for i := range mostRemembered + 10 {
		c.Line(false, strconv.Itoa(i+1)+" 1")
	}
	if len(c.maildrop.sizes) > mostRemembered {
		t.Errorf("%d sizes", len(c.maildrop.sizes))
	}
	if n := hold(c, "S: ."); n.Meaning != "End of the list: 262,154 messages with 262,154 octets." {
		t.Error(n.Meaning)
	}
	for i := range mostRemembered + 10 {
		c.maildrop.mark(i + 1)
	}
	if n := hold(c, "C: QUIT"); !strings.Contains(n.Meaning, "8 and 262,146 more") {
		t.Error(n.Meaning)
	}
}

// A long line that is remembered is not kept whole.
func TestArgumentsAreShort(t *testing.T) {
	a := ask("LANG " + strings.Repeat("x", 1<<16) + strings.Repeat(" y", 1<<16))
	if len(a.args) != mostArguments || len(a.args[0]) != longestArgument {
		t.Errorf("%d of %d octets", len(a.args), len(a.args[0]))
	}
}

// Whatever is said, nothing panics, every note can be shown, and both languages
// agree on what is what.
func FuzzConversation(f *testing.F) {
	f.Add("S+OK <1@h>\nCUSER u\nS+OK\nCPASS x\nS+OK\nCRETR 1\nS+OK\nSx\nS.\nCQUIT\nS+OK")
	f.Add("S+OK\nCAUTH PLAIN\nCx\nS+ \nS+OK\nT\nCSTLS\nS+OK\nCXTND\nS+OK\nSx\nS.")
	f.Add("S+OK\nCCAPA\nS+OK\nSSASL X Y\nSEXPIRE 0 USER\nSLOGIN-DELAY 9\nS.\nCLIST\nS+OK\nS1 9999999999999999999\nS2 9223372036854775807\nS3 9223372036854775807\nS.")
	f.Fuzz(func(t *testing.T, script string) {
		en, de := NewConversation(English), NewConversation(German)
		for line := range strings.SplitSeq(script, "\n") {
			if line == "" {
				continue
			}
			var a, b Note
			switch line[0] {
			case 'T':
				a, b = en.TLS(), de.TLS()
			case 'X':
				a, b = en.Closed(true), de.Closed(true)
			default:
				a, b = en.Line(line[0] == 'C', line[1:]), de.Line(line[0] == 'C', line[1:])
			}
			if a.Place != b.Place || a.Warning != b.Warning || a.Refused != b.Refused || a.Keyword != b.Keyword || (a.Meaning == "") != (b.Meaning == "") || (a.Next == "") != (b.Next == "") {
				t.Fatalf("%q: %+v, %+v", line, a, b)
			}
			for _, text := range []string{a.Meaning, b.Meaning, a.Next, b.Next} {
				if len(text) > 10_000 || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }) || strings.Contains(text, "%!") && !strings.Contains(line, "%!") {
					t.Fatalf("%q: %q", line, text)
				}
			}
			if en.Waiting() != de.Waiting() || en.Waiting() < 0 || en.Expect() != de.Expect() || !slices.Equal(en.Marked(), de.Marked()) {
				t.Fatalf("%q: the languages disagree", line)
			}
		}
	})
}

// A Follower takes any octets, cut anywhere.
func FuzzFollower(f *testing.F) {
	f.Add([]byte("\x00+OK\r\n\x01RETR 1\r\n\x00+OK\r\n.a\r\n\n.\n.\r\n"))
	f.Fuzz(func(t *testing.T, script []byte) {
		lines := 0
		follower := NewFollower(German, func(l Line) {
			lines++
			if strings.ContainsFunc(l.Text, func(r rune) bool { return r < ' ' || r == 0x7f }) {
				t.Fatalf("%q", l.Text)
			}
		})
		client := false
		for _, c := range script {
			if c < 2 {
				client = c == 1
				continue
			}
			follower.Event(pop3.TraceEvent{Session: "s", Client: client, Octets: []byte{c}})
		}
		follower.Closed("s", true, pop3.TraceEvent{}.Time)
		if len(follower.sessions) != 0 || lines > len(script)+4 {
			t.Fatalf("%d lines", lines)
		}
	})
}
