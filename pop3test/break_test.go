package pop3test_test

import (
	"bufio"
	"errors"
	"io"
	"net"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"postfach/pop3check"
	"postfach/pop3test"
)

// Faults have a name each, break rules for servers, and say what they do.
func TestFaultsAreInOrder(t *testing.T) {
	t.Parallel()
	rules := make(map[string]bool)
	for _, r := range pop3check.Requirements() {
		rules[r.ID] = !strings.HasPrefix(r.Role, "client")
	}
	kebab := regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	seen := make(map[string]bool)
	for _, f := range pop3test.Faults() {
		if seen[f.Name] || !kebab.MatchString(f.Name) {
			t.Errorf("%q is there twice, or no name in kebab-case", f.Name)
		}
		seen[f.Name] = true
		if !strings.HasSuffix(f.Doc, ".") {
			t.Errorf("%s: %q is no sentence", f.Name, f.Doc)
		}
		if len(f.Rules) == 0 {
			t.Errorf("%s breaks no rule", f.Name)
		}
		for _, id := range f.Rules {
			if !rules[id] {
				t.Errorf("%s: there is no rule %s for servers", f.Name, id)
			}
		}
	}
}

// conversations show what faults send. Lines of the client have escapes; lines
// of the server are regular expressions. What is in parentheses happens.
var conversations = []struct{ fault, lines string }{
	{"segment-is-a-command", `
		(login)
		C: NO\
		S: -ERR .*
		C: OP\r\n
		S: -ERR .*`},
	{"keyword-case-matters", `
		(connect)
		C: QuIt
		S: -ERR unknown command`},
	{"separator-is-anything", `
		(login)
		C: LIST\t2
		S: \+OK 2 \d+
		C: LIST2
		S: \+OK 2 \d+`},
	{"keywords-by-their-beginning", `
		(login)
		C: LISTED 1
		S: \+OK 1 54`},
	{"control-octets-ignored", `
		(login)
		C: LIST \x001\x7f
		S: \+OK 1 54`},
	{"arguments-of-forty", `
		(connect)
		C: USER aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
		S: -ERR argument too long`},
	{"status-in-lower-case", `
		(login)
		C: NOOP
		S: \+ok .*
		C: RETR 9
		S: -err .*`},
	{"first-line-too-long", `
		(connect)
		C: XYZZ
		S: -ERR.{509,}`},
	{"unknown-commands-work", `
		(connect)
		C: XYZZ
		S: \+OK .*`},
	{"arguments-guessed", `
		(login)
		C: TOP 1 -1
		S: \+OK .*
		S: From: .*
		S: Subject: dots
		S:
		S: \.
		C: DELE
		S: \+OK .*`},
	{"transaction-before-login", `
		(connect)
		C: STAT
		S: \+OK 0 0
		C: LIST
		S: \+OK nothing
		S: \.`},
	{"replies-in-latin-1", `
		(connect)
		C: XYZZ
		S: -ERR ung\xfcltig`},
	{"echoes-everything", `
		(login)
		C: LIST 1\x1b[31m
		S: -ERR invalid: LIST 1\x1b\[31m`},
	{"numbers-in-hexadecimal", `
		(login)
		C: LIST 0x1
		S: \+OK 1 54`},
	{"numbers-by-atoi", `
		(login)
		C: LIST 4294967297
		S: \+OK 1 54
		C: LIST +1
		S: \+OK 1 54
		C: LIST 1x
		S: \+OK 1 54
		C: LIST 0
		S: \+OK 1 54
		C: LIST 1 2
		S: \+OK 1 54`},
	{"superfluous-arguments-ignored", `
		(login)
		C: QUIT now
		S: \+OK .*
		(end)`},
	{"any-line-end", `
		(login)
		C: NOOP\rNOOP\r\n
		S: \+OK .*
		S: \+OK .*
		C: NOOP\n
		S: \+OK [^\r]*\n`},
	{"answers-twice", `
		(login)
		C: NOOP
		S: \+OK .*
		S: \+OK .*`},

	{"timestamp-without-at", `
		(connect)
		C: APOP user fae8f72d0e7c4b6b21a4b7b75ea43321
		S: \+OK .*`},
	{"greets-in-clear-on-tls", `
		(connect tls)
		(connect tls)
		S: \+OK POP3 server ready`},

	{"quit-before-login-unanswered", `
		(connect)
		C: QUIT
		(end)`},
	{"hangup-deletes", `
		(login)
		C: DELE 1
		S: \+OK .*
		(hangup)
		(login)
		C: STAT
		S: \+OK 2 \d+`},
	{"logs-out-aloud", `
		(login)
		S: -ERR Disconnected for inactivity.
		(end)`},
	{"login-after-login", `
		(login)
		C: USER user
		S: \+OK .*`},
	{"quit-leaves-open", `
		(login)
		C: QUIT
		S: \+OK .*`},
	{"failed-login-lets-in", `
		(connect)
		C: USER user
		S: \+OK .*
		C: PASS wrong
		S: -ERR .*
		C: STAT
		S: \+OK 0 0
		C: PASS p w
		S: \+OK .*`},

	{"no-lock", `
		(login)
		(login)
		C: STAT
		S: \+OK 0 0`},
	{"refused-login-keeps-lock", `
		(connect)
		C: USER user
		S: \+OK .*
		C: PASS wrong
		S: -ERR .*
		(connect)
		C: USER user
		S: \+OK .*
		C: PASS p w
		S: -ERR \[IN-USE\] .*`},
	{"marks-survive", `
		(login)
		C: DELE 1
		S: \+OK .*
		(hangup)
		(login)
		C: STAT
		S: \+OK 2 \d+`},
	{"new-mail-shows", `
		(login)
		(put)
		C: STAT
		S: \+OK 4 \d+
		C: LIST
		S: \+OK .*
		S: 1 54
		S: 2 \d+
		S: 3 \d+
		S: 4 \d+
		S: \.`},
	{"in-use-before-password", `
		(login)
		(connect)
		C: USER user
		S: \+OK .*
		C: PASS wrong
		S: -ERR \[IN-USE\] .*`},

	{"numbers-begin-at-101", `
		(login)
		C: LIST
		S: \+OK .*
		S: 101 54
		S: 102 \d+
		S: 103 \d+
		S: \.
		C: LIST 101
		S: \+OK 101 54`},
	{"renumbers-after-dele", `
		(login)
		C: DELE 1
		S: \+OK .*
		C: LIST
		S: \+OK .*
		S: 1 35
		S: 2 30
		S: \.
		C: UIDL
		S: \+OK .*
		S: 1 .*
		S: 2 .*
		S: \.`},
	{"line-ends-count-one", `
		(login)
		C: LIST 1
		S: \+OK 1 48
		C: LIST 2
		S: \+OK 2 29`},
	{"stuffing-counts", `
		(login)
		C: LIST 1
		S: \+OK 1 56`},
	{"last-line-end-not-counted", `
		(login)
		C: LIST 2
		S: \+OK 2 35
		C: LIST 3
		S: \+OK 3 28`},
	{"stuffs-before-line-ends", `
		(login)
		C: RETR 2
		S: \+OK .*
		S: Subject: LF\n
		S: \n
		S: before\n
		S: \.\n
		S: after\n
		S: \n
		S: \.`},
	{"lines-end-with-lf", `
		(login)
		C: LIST
		S: \+OK .*
		S: 1 54\n
		S: 2 \d+\n
		S: 3 \d+\n
		S: \.\n`},
	{"retr-unstuffed", `
		(login)
		C: RETR 1
		S: \+OK .*
		S: From: .*
		S: Subject: dots
		S:
		S: \.
		S: \.\.two
		S: last
		S: \.`},
	{"refusal-with-terminator", `
		(login)
		C: RETR 99
		S: -ERR .*
		S: \.`},
	{"one-message-multi-line", `
		(login)
		C: LIST 1
		S: \+OK
		S: 1 54
		S: \.`},
	{"cut-short-and-terminated", `
		(login)
		C: RETR 1
		S: \+OK .*
		S: From: .*
		S: \.`},

	{"stat-counts-marked", `
		(login)
		C: DELE 1
		S: \+OK .*
		C: STAT
		S: \+OK 3 119`},
	{"list-ignores-marks", `
		(login)
		C: DELE 1
		S: \+OK .*
		C: LIST
		S: \+OK .*
		S: 1 54
		S: 2 35
		S: 3 30
		S: \.`},
	{"list-knows-any-number", `
		(login)
		C: LIST 99
		S: \+OK 99 0`},
	{"retr-deletes", `
		(login)
		C: RETR 3
		S: \+OK .*
		S: Subject: no end
		S:
		S: last line
		S: \.
		C: QUIT
		S: \+OK .*
		(end)
		(login)
		C: STAT
		S: \+OK 2 89`},
	{"dele-acts-at-once", `
		(login)
		C: DELE 1
		S: \+OK .*
		C: RSET
		S: \+OK .*
		C: STAT
		S: \+OK 2 65
		(hangup)
		(login)
		C: STAT
		S: \+OK 2 65`},
	{"marked-messages-answer", `
		(login)
		C: DELE 1
		S: \+OK .*
		C: LIST 1
		S: \+OK 1 54
		C: DELE 1
		S: \+OK .*`},
	{"top-any-line-is-all", `
		(login)
		C: TOP 1 1
		S: \+OK .*
		S: From: .*
		S: Subject: dots
		S:
		S: \.\.
		S: \.\.\.two
		S: last
		S: \.`},
	{"top-counts-header", `
		(login)
		C: TOP 1 4
		S: \+OK .*
		S: From: .*
		S: Subject: dots
		S:
		S: \.\.
		S: \.`},
	{"unique-id-twice", `
		(login)
		C: UIDL
		S: \+OK .*
		S: 1 1
		S: 2 2
		S: 3 2
		S: \.`},
	{"unique-id-is-the-number", `
		(login)
		C: DELE 1
		S: \+OK .*
		C: QUIT
		S: \+OK .*
		(end)
		(login)
		C: UIDL 1
		S: \+OK 1 msg1`},
	{"quit-removes-nothing", `
		(login)
		C: DELE 1
		S: \+OK .*
		C: QUIT
		S: \+OK .*
		(end)
		(login)
		C: STAT
		S: \+OK 3 119`},
	{"quit-removes-neighbour", `
		(login)
		C: DELE 3
		S: \+OK .*
		C: QUIT
		S: \+OK .*
		(end)
		(login)
		C: STAT
		S: \+OK 1 54`},
	{"half-a-quit-counts", `
		(login)
		C: DELE 1
		S: \+OK .*
		C: QUIT\
		(hangup)
		(login)
		C: STAT
		S: \+OK 2 65`},
	{"expires-without-quit", `
		(login)
		C: RETR 3
		S: \+OK .*
		S: Subject: no end
		S:
		S: last line
		S: \.
		(hangup)
		(login)
		C: STAT
		S: \+OK 2 89`},

	{"last-is-latest", `
		(login)
		C: RETR 3
		S: \+OK .*
		S: Subject: no end
		S:
		S: last line
		S: \.
		C: DELE 2
		S: \+OK .*
		C: LAST
		S: \+OK 2`},
	{"last-in-capa", `
		(login)
		C: RETR 3
		S: \+OK .*
		S: Subject: no end
		S:
		S: last line
		S: \.
		C: QUIT
		S: \+OK .*
		(end)
		(login)
		C: LAST
		S: \+OK 3
		C: RSET
		S: \+OK .*
		C: LAST
		S: \+OK 0`},
	{"utf8-only-after-login", `
		(login)
		C: UTF8
		S: \+OK .*`},
	{"names-are-octets", `
		(connect)
		C: USER \xc3\x28
		S: \+OK .*`},
	{"lang-lists-no-tags", `
		(connect)
		C: LANG
		S: \+OK .*
		S: en_US.ISO8859-1 English
		S: fr_FR.ISO8859-1 Fran\xe7ais
		S: \.`},
	{"lang-fails-and-changes", `
		(connect)
		C: LANG xx
		S: -ERR .*
		C: XYZZ
		S: -ERR unbekannter Befehl`},
	{"status-translated", `
		(connect)
		C: LANG de
		S: \+OK de .*
		C: XYZZ
		S: -FEHLER .*`},
}

// What faults send is what their names say, octet for octet.
func TestFaultsOnTheWire(t *testing.T) {
	t.Parallel()
	faults := make(map[string]pop3test.Fault)
	for _, f := range pop3test.Faults() {
		faults[f.Name] = f
	}
	for _, c := range conversations {
		t.Run(c.fault, func(t *testing.T) {
			t.Parallel()
			fault, ok := faults[c.fault]
			if !ok {
				t.Fatal("there is no such fault")
			}
			srv := pop3test.NewServer(t)
			for _, message := range []string{
				"From: a@example.com\r\nSubject: dots\r\n\r\n.\r\n..two\r\nlast\r\n", // 54 octets
				"Subject: LF\n\nbefore\n.\nafter\n\n",                                // 35 octets on the wire
				"Subject: no end\n\nlast line",                                       // 30
			} {
				deliver(t, srv, message)
			}
			srv.AllowAPOP(pop3test.User, "tanstaaf")
			srv.Use(fault)
			converse(t, srv, c.lines)
		})
	}
}

// oddLines are what clients should not say.
const oddLines = "\r\n \r\n\x00\r\nLIST  \r\nLIST -1\r\nUIDL  \r\nUIDL x y\r\nRETR\r\nRETR 0\r\nRETR -1\r\nRETR 99\r\nRETR 01\r\n" +
	"TOP\r\nTOP 1\r\nTOP 1 -1\r\nTOP 0 0\r\nTOP 99999999999 1\r\nDELE\r\nDELE 99\r\nDELE 3\r\nRETR 3\r\nLAST\r\nLAST 1\r\n" +
	"LANG  \r\nLANG x y\r\nLANG *\r\nAPOP\r\nAPOP x\r\nAUTH\r\nAUTH  \r\nAUTH PLAIN =\r\nUTF8 \r\nRSET\r\nSTAT\r\nQUI"

// No fault brings the server down, whatever the client says.
func TestFaultsSurviveOddLines(t *testing.T) {
	t.Parallel()
	for _, fault := range pop3test.Faults() {
		t.Run(fault.Name, func(t *testing.T) {
			t.Parallel()
			srv := pop3test.NewServer(t)
			deliver(t, srv, "Subject: one\n\n.\n")
			deliver(t, srv, "Subject: no end")
			deliver(t, srv, "")
			srv.Use(fault)
			for _, lines := range []string{oddLines, "USER user\r\nPASS p w\r\n" + oddLines} {
				l := dial(t, srv.Addr)
				// The server may have closed first, with lines unread: that
				// resets the connection.
				io.WriteString(l.nc, lines)
				l.nc.(*net.TCPConn).CloseWrite()
				if _, err := io.Copy(io.Discard, l.br); errors.Is(err, os.ErrDeadlineExceeded) {
					t.Error("the connection does not end")
				}
			}
		})
	}
}

func deliver(t *testing.T, srv *pop3test.Server, message string) {
	t.Helper()
	if _, err := srv.Put(pop3test.User, message); err != nil {
		t.Fatal(err)
	}
}

// A line is one connection of a conversation.
type line struct {
	*testing.T
	nc net.Conn
	br *bufio.Reader
}

func converse(t *testing.T, srv *pop3test.Server, lines string) {
	t.Helper()
	var l *line
	for step := range strings.Lines(strings.TrimSpace(lines)) {
		step = strings.TrimSpace(step)
		what, octets, _ := strings.Cut(step, " ")
		switch {
		case step == "(connect)":
			l = dial(t, srv.Addr)
			l.hear(`\+[Oo][Kk] .*`)
		case step == "(connect tls)":
			l = dial(t, srv.AddrTLS)
		case step == "(login)":
			l = dial(t, srv.Addr)
			l.hear(`\+[Oo][Kk] .*`)
			l.say("USER user")
			l.hear(`\+[Oo][Kk] .*`)
			l.say("PASS p w")
			l.hear(`\+[Oo][Kk] .*`)
		case step == "(put)":
			deliver(t, srv, "Subject: new\r\n\r\n")
		case step == "(hangup)":
			l.nc.Close()
		case step == "(end)":
			if octets, err := io.ReadAll(l.br); err != nil || len(octets) > 0 {
				t.Fatalf("want the connection's end, got %q, %v", octets, err)
			}
		case what == "C:":
			l.say(octets)
		case what == "S:":
			l.hear(octets)
		default:
			t.Fatalf("what is %q?", step)
		}
	}
}

func dial(t *testing.T, addr string) *line {
	t.Helper()
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	nc.SetDeadline(time.Now().Add(30 * time.Second))
	return &line{t, nc, bufio.NewReader(nc)}
}

// say sends a line with escapes. One that ends with a backslash has no line
// end.
func (l *line) say(text string) {
	l.Helper()
	whole := !strings.HasSuffix(text, `\`)
	octets, err := strconv.Unquote(`"` + strings.TrimSuffix(text, `\`) + `"`)
	if err != nil {
		l.Fatalf("%s: %v", text, err)
	}
	if whole && !strings.HasSuffix(octets, "\n") {
		octets += "\r\n"
	}
	if _, err := io.WriteString(l.nc, octets); err != nil {
		l.Fatal(err)
	}
}

// hear reads a line that must match; it ends with CR LF unless pattern says
// otherwise.
func (l *line) hear(pattern string) {
	l.Helper()
	if !strings.HasSuffix(pattern, `\n`) {
		pattern += `\r\n`
	}
	got, err := l.br.ReadString('\n')
	var latin1 []rune // a pattern's \xe7 is an octet
	for _, o := range []byte(got) {
		latin1 = append(latin1, rune(o))
	}
	if !regexp.MustCompile("^" + pattern + "$").MatchString(string(latin1)) {
		l.Fatalf("want %s, got %q, %v", pattern, got, err)
	}
}
