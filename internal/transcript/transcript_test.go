package transcript

import (
	"bytes"
	"context"
	"errors"
	"net"
	"reflect"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"postfach/pop3"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const talk = `#! user: mrose
# a comment
S: +OK ready <{stamp}@{host}>
C: APOP mrose {apop:tanstaaf}
S: +OK
C: UIDL
S: +OK
S: 1 {id}
S: ...
S: .
C: UIDL 1
S: +OK 1 {id}
C: NOOP\x0a\
S: -ERR {*}
C:
S: -ERR
C: QUIT
S: +OK
(close)
`

func parse(t *testing.T, text string) *Script {
	t.Helper()
	s, err := Parse(t.Name(), text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// play plays one script at the other.
func play(t *testing.T, client, server *Script, o Options) (clientErr, serverErr error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	a, b := net.Pipe()
	served := make(chan error, 1)
	go func() { served <- Serve(ctx, b, server, Options{}) }()
	clientErr = Play(ctx, a, client, o)
	return clientErr, <-served
}

func TestPlayAndServeAgree(t *testing.T) {
	s := parse(t, talk)
	for name, o := range map[string]Options{
		"plain":             {},
		"one octet a time":  {Octet: true},
		"pipelined":         {OneSegment: true},
		"pipelined, octets": {OneSegment: true, Octet: true},
	} {
		t.Run(name, func(t *testing.T) {
			if c, s := play(t, s, s, o); c != nil || s != nil {
				t.Errorf("client: %v\nserver: %v", c, s)
			}
		})
	}
}

func TestPlayTellsWhatDiffers(t *testing.T) {
	tests := []struct{ expected, said, want, got string }{
		{"S: +OK hello", "S: +OK hell", "S: +OK hello", "S: +OK hell"},
		{"S: +OK", "S: -ERR no", "S: +OK", "S: -ERR no"},
		{"S: +OK", "S: +OKAY", "S: +OK", "S: +OKAY"},
		{"S: 1 {id}\nS: 1 {id}", "S: 1 a\nS: 1 b", "S: 1 a", "S: 1 b"},
		{"S: +OK {*x}\nS: +OK {*x}", "S: +OK a b\nS: +OK a c", "S: +OK a b", "S: +OK a c"},
		{"S: {id}", "S: a b", "S: {id}", "S: a b"},
		{"S: +OK", `S: +OK\x0a\`, "S: +OK", `S: +OK\x0a\`},
		{"S: +OK\nS: ...\nS: .", "S: +OK\nS: 1\n(close)", "S: .", "the connection's end; before it S: 1"},
		{"S: +OK", "(close)", "S: +OK", "the connection's end"},
		{"S: +OK\n(close)", "S: +OK\nS: more", "(close)", "S: more"},
	}
	for _, tt := range tests {
		client, _ := play(t, parse(t, tt.expected), parse(t, tt.said), Options{})
		var m *Mismatch
		if !errors.As(client, &m) || m.Want != tt.want || m.Got != tt.got {
			t.Errorf("%q against %q: %v", tt.expected, tt.said, client)
		}
	}
}

func TestServeTellsWhatDiffers(t *testing.T) {
	_, server := play(t, parse(t, "S: +OK\nC: NOOP"), parse(t, "S: +OK\nC: QUIT"), Options{})
	var m *Mismatch
	if !errors.As(server, &m) || m.Want != "C: QUIT" || m.Got != "C: NOOP" || m.Line != 2 {
		t.Errorf("%v", server)
	}
}

func TestPlayEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	a, b := net.Pipe()
	defer b.Close()
	cancel()
	if err := Play(ctx, a, parse(t, "S: +OK"), Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func TestParseRefuses(t *testing.T) {
	for _, text := range []string{
		"X: y", "C:x", `C: \q`, `C: \x4`, "C: {", "C: {a b}", "C: {*}x", "S: {apop:x}",
		"S: ...", "S: ...\nC: x", "(connection )", "(connection x", "#! nosuch: 1", "#! last: maybe", "#! user",
	} {
		var syntax *SyntaxError
		if _, err := Parse("x", text); !errors.As(err, &syntax) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestRecordingCanBePlayed(t *testing.T) {
	var log bytes.Buffer
	r := NewRecorder(&log)
	say := func(client bool, octets string) {
		r.Record(pop3.TraceEvent{Session: "a", Time: time.Unix(0, 0), Client: client, Octets: []byte(octets)})
	}
	say(false, "+OK re")
	say(false, "ady\r\n")
	say(true, "STLS\r\n")
	say(false, "+OK go\r\n")
	r.Record(pop3.TraceEvent{Session: "a", Time: time.Unix(0, 0), TLS: true})
	say(true, "NO")
	say(true, "OP\nQUIT\r\n")
	say(false, "+OK {x} \\ \xff\r\n+OK ...\r\n")
	say(false, "cut")
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	const want = `# 1970-01-01T00:00:00Z a
(connection a)
S: +OK ready
C: STLS
S: +OK go
(tls)
C: NOOP\x0a\
C: QUIT
S: +OK \x7bx} \\ \xff
S: +OK ...
S: cut\
`
	if log.String() != want {
		t.Fatalf("got\n%s", log.String())
	}
	s := parse(t, strings.Replace(log.String(), "(tls)\n", "", 1))
	if c, _ := play(t, s, parse(t, strings.Replace(s.String(), "(connection a)\n", "", 1)), Options{}); c != nil {
		t.Error(c)
	}
}

func TestRecorderKeepsNothingOfFinishedLines(t *testing.T) {
	r := NewRecorder(new(bytes.Buffer))
	for _, session := range []string{"a", "b", "c"} {
		r.Record(pop3.TraceEvent{Session: session, Octets: []byte("+OK\r\n")})
	}
	r.Record(pop3.TraceEvent{Session: "d", Octets: bytes.Repeat([]byte("x"), 3*longestPiece)})
	if len(r.sessions) != 0 {
		t.Errorf("%d sessions are remembered", len(r.sessions))
	}
}

func FuzzEscape(f *testing.F) {
	for _, s := range []string{"", " ", "a \\ {b}\x00\xff\u00e4\u2028\r\n", "\\x41"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, octets string) {
		s := Escape(octets)
		if back, ok := Unescape(s); !ok || back != octets {
			t.Fatalf("%q became %q became %q", octets, s, back)
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add(talk)
	f.Add("S: +OK\n(tls)\n(hangup)\n(connection b)\nC: \\\nS: \\x2e..\nC: {apop:a\\x7d} x{y}")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := Parse("x", text)
		if err != nil {
			return
		}
		once := s.String()
		again, err := Parse("x", once)
		if err != nil {
			t.Fatalf("%q: %v", once, err)
		}
		if twice := again.String(); twice != once {
			t.Fatalf("%q became %q", once, twice)
		}
		if !reflect.DeepEqual(s.Settings, again.Settings) {
			t.Fatalf("%+v became %+v", s.Settings, again.Settings)
		}
	})
}

func FuzzRecorder(f *testing.F) {
	f.Add([]byte("+OK\r\n...\r\n{x}\n\\\r"), 3)
	f.Fuzz(func(t *testing.T, octets []byte, cut int) {
		var log bytes.Buffer
		r := NewRecorder(&log)
		cut = min(max(cut, 0), len(octets))
		r.Record(pop3.TraceEvent{Session: "a)b", Octets: octets[:cut]})
		r.Record(pop3.TraceEvent{Session: "a)b", Octets: octets[cut:]})
		r.Close()
		s, err := Parse("log", log.String())
		if err != nil {
			t.Fatal(err)
		}
		var back []byte
		for _, l := range s.Lines {
			if l.Kind == Server {
				p, missing := newVars(nil).fill(l)
				if missing != "" {
					t.Fatalf("placeholder in %s", l)
				}
				back = append(back, p...)
			}
		}
		if !bytes.Equal(back, octets) {
			t.Fatalf("%q became %q\n%s", octets, back, log.String())
		}
	})
}
