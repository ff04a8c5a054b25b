package pop3server_test

import (
	"encoding/base64"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"postfach/internal/peer"
	"postfach/pop3server"
	"postfach/sasl"
)

// faked is what a client says so that a log reader takes it for a line of the
// server about somebody else.
const faked = `time=2026-11-23T06:40:00Z level=WARN msg="login failed" session=1.ABCDEFGH rip=198.51.100.66 mechanism=PASS name=x`

// wrongPassword must not be in any log.
const wrongPassword = "hunter2-secret"

// A guesser fails once, from one address.
type guesser struct {
	from string
	tls  bool
	try  func(c *client)
}

// guessers fail by all mechanisms and under all kinds of names.
func guessers() (all []guesser) {
	next := 0
	add := func(tls bool, try func(*client)) {
		next++
		from := fmt.Sprintf("192.0.2.%d", next)
		if next%3 == 0 {
			from = fmt.Sprintf("2001:db8:%x::1", next)
		}
		all = append(all, guesser{from, tls, try})
	}
	for _, name := range []string{
		"anna", "x rip=198.51.100.66", `x" rip=198.51.100.66 mechanism="PASS`, `\" rip=198.51.100.66`, "name=y", "Grüße", "user@example.org",
		"' rip=198.51.100.66 '", faked, "mail postfachd[1]: " + faked,
	} {
		add(false, func(c *client) {
			c.talk("C: USER " + name + "\nS: +OK ...\nC: PASS " + wrongPassword + "\nS: -ERR [AUTH] ...")
		})
		add(false, func(c *client) {
			c.talk("C: APOP " + name + " 00112233445566778899aabbccddeeff\nS: -ERR [AUTH] ...")
		})
		for _, m := range []sasl.Client{
			sasl.NewPlainClient("", name, wrongPassword), sasl.NewLoginClient(name, wrongPassword), sasl.NewCramMD5Client(name, wrongPassword),
			sasl.NewScramClient(sasl.SHA256, false, name, wrongPassword), sasl.NewScramClient(sasl.SHA1, false, name, wrongPassword),
			sasl.NewOAuthBearerClient(sasl.Bearer{User: name, Token: wrongPassword}), sasl.NewXOAuth2Client(name, wrongPassword), sasl.NewExternalClient(name),
		} {
			add(true, func(c *client) { c.want(c.enter(m), "-ERR [AUTH]") })
		}
	}
	for _, name := range []string{"\x1b[2J", "\x7f", "\u2028" + faked, "\u202e" + faked, "\xc2\x9b2J", strings.Repeat("x", 100) + " " + faked} {
		add(true, func(c *client) {
			c.want(c.line("AUTH PLAIN "+plain(name)), "-ERR [AUTH] login failed")
		})
	}
	return all
}

func plain(name string) string {
	return base64.StdEncoding.EncodeToString([]byte("\x00" + name + "\x00" + wrongPassword))
}

// connectTLSFrom is connectFrom with TLS.
func connectTLSFrom(t *testing.T, srv *pop3server.Server, ip string) *client {
	t.Helper()
	ours, theirs := net.Pipe()
	c := &client{t: t, conn: ours, done: make(chan struct{})}
	go func() {
		defer close(c.done)
		srv.ServeConnTLS(&conn{theirs, &net.TCPAddr{IP: net.ParseIP(ip), Port: 40000}})
	}()
	t.Cleanup(func() {
		ours.Close()
		<-c.done
	})
	c.handshake(showing(0, "eve"))
	return c
}

// guessedLog is the log of a server after all guessers, and of others who are
// none, and the addresses of the failures.
func guessedLog(t *testing.T) (log string, failed []string) {
	t.Helper()
	srv, out := newFullServer(three())
	srv.AllowCleartext = true
	srv.APOP = &secrets{}
	srv.Limits.AddressDelay = time.Nanosecond
	for _, g := range guessers() {
		var c *client
		if g.tls {
			c = connectTLSFrom(t, srv, g.from)
		} else {
			c = connectFrom(t, srv, g.from)
		}
		c.talk("S: +OK POP3 ...")
		g.try(c)
		c.conn.Close()
		<-c.done
		failed = append(failed, g.from)
	}
	for _, innocent := range []string{
		"C: USER u\nS: +OK ...\nC: PASS p w\nS: +OK ...\nC: QUIT\nS: +OK ...", // a login
		"C: USER broken\nS: +OK ...\nC: PASS x\nS: -ERR [SYS/TEMP] ...",       // not their fault
		"C: AUTH PLAIN *\nS: -ERR ...",
		"C: AUTH PLAIN " + plain("x\r\n"+faked) + "\nS: -ERR [AUTH] malformed ...", // no try: nothing was checked
		"C: AUTH PLAIN " + plain("\xff\xfe") + "\nS: -ERR [AUTH] malformed ...",
		"C: " + faked + "\nS: -ERR ...",
		"C: USER " + faked + "\nS: +OK ...", // and says no more
	} {
		c := connectFrom(t, srv, "203.0.113.1")
		c.talk("S: +OK POP3 ...\n" + innocent)
		c.conn.Close()
		<-c.done
	}
	return out.String(), failed
}

// Promise 14: the filter that is shipped, run by fail2ban itself, finds each
// failure with its address, and nothing else, whatever clients say.
func TestFail2banFindsFailuresAndNothingElse(t *testing.T) {
	program := peer.Need(t, "fail2ban-regex")
	log, want := guessedLog(t)
	slices.Sort(want)
	for kind, prefix := range map[string]string{
		"file": "", "journal": "mail postfachd[123]: ",
		"syslog": "Nov 23 06:39:59 mail postfachd[123]: ", "syslog with a long date": "2026-11-23T06:40:00.123456+00:00 mail postfachd: ",
	} {
		t.Run(kind, func(t *testing.T) {
			var lines strings.Builder
			for line := range strings.Lines(log) {
				lines.WriteString(prefix + line)
			}
			name := filepath.Join(t.TempDir(), "log")
			if err := os.WriteFile(name, []byte(lines.String()), 0o600); err != nil {
				t.Fatal(err)
			}
			filter := filepath.Join("..", "packaging", "fail2ban", "filter.d", "postfachd.conf")
			cmd := exec.Command(program, "--usedns=no", "--out=ip", name, filter)
			cmd.Env = append(os.Environ(), "TZ=UTC", "PYTHONIOENCODING=utf-8")
			out, err := cmd.Output()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			got := strings.Fields(string(out))
			slices.Sort(got)
			if !slices.Equal(got, want) {
				t.Errorf("fail2ban finds %d addresses instead of %d:\n%v", len(got), len(want), got)
			}
		})
	}
}

// Promise 14: no password, no control octet, no line that a client has made.
func TestLogHasNothingOfTheClientUnquoted(t *testing.T) {
	log, _ := guessedLog(t)
	for line := range strings.Lines(log) {
		line = strings.TrimSuffix(line, "\n")
		if !strings.HasPrefix(line, "time=") || strings.HasPrefix(line, "time=2026-11-23T06:40:00Z ") || strings.ContainsFunc(line, unicode.IsControl) {
			t.Errorf("line %q", line)
		}
	}
	for _, secret := range []string{wrongPassword, "p w", base64.StdEncoding.EncodeToString([]byte(wrongPassword))[:16], "aabbccddeeff"} {
		if strings.Contains(log, secret) {
			t.Errorf("%q is in the log", secret)
		}
	}
}

// What stands in the log stands in docs/logging.md.
func TestLogIsDocumented(t *testing.T) {
	doc, err := os.ReadFile(filepath.Join("..", "docs", "logging.md"))
	if err != nil {
		t.Fatal(err)
	}
	log, _ := guessedLog(t)
	quoted := regexp.MustCompile(`"(\\.|[^"\\])*"`)
	keys := regexp.MustCompile(`(?:^| )([a-z_]+)=`)
	for line := range strings.Lines(log) {
		line = quoted.ReplaceAllString(line, `""`)
		for _, key := range keys.FindAllStringSubmatch(line, -1) {
			switch name := key[1]; name {
			case "time", "level", "msg":
			case "host", "port": // of a token for another server
			default:
				if !strings.Contains(string(doc), "| `"+name+"` |") {
					t.Errorf("%s= is not documented: %s", name, line)
				}
			}
		}
	}
	source, err := os.ReadFile("session.go")
	if err != nil {
		t.Fatal(err)
	}
	reasons := regexp.MustCompile(`\tend[A-Z]\w+ += "(.*)"`).FindAllStringSubmatch(string(source), -1)
	if len(reasons) < 12 {
		t.Fatalf("reasons: %v", reasons)
	}
	for _, reason := range reasons {
		if !strings.Contains(string(doc), "`"+reason[1]+"`") {
			t.Errorf("the reason %q is not documented", reason[1])
		}
	}
}
