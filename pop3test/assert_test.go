package pop3test_test

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"

	"postfach/pop3check"
	"postfach/pop3test"
)

// Each assertion holds for a client that behaves, over each way to connect, and
// is broken by a client that does not.
func TestAssertions(t *testing.T) {
	t.Parallel()
	const good = `
S: +OK
C: CAPA
S: +OK
S: ...
S: .
C: STLS
S: +OK
(tls)
C: CAPA
S: +OK
S: ...
S: .
C: USER user
S: +OK
C: PASS p  w
S: -ERR
C: AUTH PLAIN
S: + 
C: AHVzZXIAcCB3
S: +OK
C: LIST
S: +OK
S: 1 28
S: 2 22
S: .
C: RETR 1\x0d\x0aDELE 1
S: +OK
S: ...
S: .
S: +OK
C: QUIT
S: +OK
(close)
`
	bad := map[string]string{
		"NoPasswordBeforeTLS":   "S: +OK\nC: AUTH PLAIN AHVzZXIAcCB3\nS: +OK\n",
		"NothingBehindSTLS":     "S: +OK\nC: STLS\\x0d\\x0aCAPA\n",
		"CapaAfterSTLS":         "S: +OK\nC: CAPA\nS: +OK\nS: ...\nS: .\nC: STLS\nS: +OK\n(tls)\nC: USER user\nS: +OK\n",
		"DeleAfterRetr":         login + "C: TOP 1 0\nS: +OK\nS: ...\nS: .\nC: DELE 1\nS: +OK\n",
		"PipeliningAnnounced":   login + "C: NOOP\\x0d\\x0aSTAT\nS: +OK\nS: +OK\n",
		"OneSpace":              "S: +OK\nC: CAPA\\x20\nS: +OK\nS: ...\nS: .\n",
		"LinesEndWithCRLF":      "S: +OK\nC: NOOP\\x0a\\\nS: -ERR\n",
		"QuitAtEnd":             login + "C: DELE 1\nS: +OK\n(hangup)\n",
		"NothingBeforeGreeting": "",
	}
	for _, a := range pop3test.Assertions() {
		t.Run(a.Name, func(t *testing.T) {
			t.Parallel()
			if !slices.ContainsFunc(pop3check.Requirements(), func(r pop3check.Requirement) bool { return r.ID == a.Rule }) {
				t.Errorf("there is no requirement %s", a.Rule)
			}
			srv := newServer(t)
			play(t, srv, good)
			srv.Assert(t, a.Check)

			if a.Name == "NothingBeforeGreeting" {
				use(t, srv, `{"on":"greeting","delay":"50ms"}`)
				hasty(t, srv)
			} else {
				play(t, srv, bad[a.Name])
			}
			if err := srv.WaitSessions(t.Context(), 2); err != nil {
				t.Fatal(err)
			}
			failed := &failures{TB: t}
			srv.Assert(failed, a.Check)
			if len(failed.texts) != 1 || !strings.Contains(failed.texts[0], "connection 2: "+a.Rule) {
				t.Errorf("%q\n%s", failed.texts, srv.Transcripts()[1])
			}
		})
	}
}

// hasty does not wait for the greeting.
func hasty(t *testing.T, srv *pop3test.Server) {
	t.Helper()
	conn, err := net.Dial("tcp", srv.Addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "CAPA\r\nQUIT\r\n")
	for err == nil {
		_, err = conn.Read(make([]byte, 1000))
	}
}

func TestAssertWantsAClient(t *testing.T) {
	t.Parallel()
	failed := &failures{TB: t}
	pop3test.NewServer(t).Assert(failed, pop3test.QuitAtEnd)
	if len(failed.texts) != 1 {
		t.Errorf("%q", failed.texts)
	}
}

// failures is a test that may fail.
type failures struct {
	testing.TB
	texts []string
}

func (f *failures) Errorf(format string, args ...any) {
	f.texts = append(f.texts, fmt.Sprintf(format, args...))
}
