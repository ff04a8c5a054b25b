//go:build unix

package interop

import (
	"bufio"
	gotls "crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"postfach/internal/peer"
)

// configure writes a configuration in which tries that fail cost no time. Where root's
// server runs as nobody, it reads the file all the same.
func (w *world) configure(t *testing.T, text string) string {
	t.Helper()
	return write(t, filepath.Join(w.dir, "postfachd.toml"), text+"\n[limits]\nfailure_delay = \"1ms\"\naddress_delay = \"1ms\"\n", 0o644)
}

// secretFile writes a file that only the server may read.
func (w *world) secretFile(t *testing.T, name, content string) string {
	t.Helper()
	name = write(t, filepath.Join(w.dir, name), content, 0o600)
	if err := w.giveAway(name); err != nil {
		t.Fatal(err)
	}
	return name
}

// openFile copies a file, or writes one, that everybody may read.
func (w *world) openFile(t *testing.T, name, from string) string {
	t.Helper()
	octets, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	return write(t, filepath.Join(w.dir, name), string(octets), 0o644)
}

// maildir makes a Maildir with one message, and returns what the message says.
func (w *world) maildir(t *testing.T, dir, owner string) string {
	t.Helper()
	for _, part := range []string{"tmp", "new", "cur"} {
		if err := os.MkdirAll(filepath.Join(dir, part), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	text := "Subject: for " + owner + "\n\nonly for " + owner + "\n"
	write(t, filepath.Join(dir, "new", "1600000000.M1P1.test"), text, 0o600)
	if err := w.giveAway(dir); err != nil {
		t.Fatal(err)
	}
	return text
}

// startLogged is start with a protocol log, and a channel that says when the server
// has read its configuration again.
func (w *world) startLogged(t *testing.T, args ...string) *logged {
	t.Helper()
	logs := filepath.Join(w.dir, "logs")
	if err := os.Mkdir(logs, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := w.giveAway(logs); err != nil {
		t.Fatal(err)
	}
	l := &logged{w: w, protocol: filepath.Join(logs, "protocol"), reloaded: make(chan bool, 100)}
	clean := true
	w.hear = func(line string) {
		switch {
		case strings.Contains(line, "not reloaded"):
			clean = false
		case strings.Contains(line, "msg=reloaded"), strings.Contains(line, `msg="reload incomplete"`):
			l.reloaded <- clean
			clean = true
		}
	}
	l.Process = w.start(t, append([]string{"--protocol-log", l.protocol}, args...)...)
	return l
}

// A logged is a server whose logs are looked at in the end.
type logged struct {
	*peer.Process
	w        *world
	protocol string
	reloaded chan bool
}

// reload returns whether all could be read again.
func (l *logged) reload(t *testing.T) bool {
	t.Helper()
	if err := l.Cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	late := time.NewTimer(30 * time.Second)
	defer late.Stop()
	select {
	case clean := <-l.reloaded:
		return clean
	case <-l.Done():
		t.Fatal("postfachd ended")
	case <-late.C:
		t.Fatal("postfachd reads nothing again")
	}
	return false
}

// hides ends the server and looks for secrets in all that it wrote.
func (l *logged) hides(t *testing.T, secrets ...string) {
	t.Helper()
	l.Stop()
	protocol := readFile(t, l.protocol)
	if !strings.Contains(protocol, "<secret>") {
		t.Errorf("the protocol log has no login:\n%s", protocol)
	}
	noSecrets(t, "log", l.Output(), secrets...)
	noSecrets(t, "protocol log", protocol, secrets...)
}

// noSecrets looks for secrets in a text (P3-USR-12): as they are, in base64, whatever
// is before them, and in hexadecimal digits; and for what SCRAM and digests send, with
// which passwords can be guessed.
func noSecrets(t *testing.T, what, text string, secrets ...string) {
	t.Helper()
	for _, secret := range secrets {
		for _, form := range formsOf(secret) {
			if i := strings.Index(text, form); i >= 0 {
				t.Errorf("the %s has the secret %q in it:\n…%s…", what, secret, text[max(0, i-200):min(len(text), i+200)])
			}
		}
	}
	for _, word := range regexp.MustCompile(`[A-Za-z0-9+/=]{8,}`).FindAllString(text, -1) {
		octets, err := base64.StdEncoding.DecodeString(word)
		if err == nil && proof.Match(octets) {
			t.Errorf("the %s has %q in it", what, octets)
		}
	}
	if i := proof.FindStringIndex(text); i != nil {
		t.Errorf("the %s has %q in it", what, text[i[0]:i[1]])
	}
}

// proof is SCRAM's of either end, or the digest of APOP and CRAM-MD5.
var proof = regexp.MustCompile(`^v=|,p=[A-Za-z0-9+/]|(?i:\b[0-9a-f]{32}\b)`)

// formsOf are the ways in which a secret may be written.
func formsOf(secret string) []string {
	forms := []string{secret, hex.EncodeToString([]byte(secret))}
	for before := range 3 {
		text := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("x", before) + secret))
		whole := (before + len(secret)) / 3 * 4 // beyond it, what follows shows
		forms = append(forms, text[(before*8+5)/6:whole])
	}
	return forms
}

// dial opens a TLS connection to the server, with client certificates.
func (w *world) dial(t *testing.T, certs ...gotls.Certificate) *conversation {
	t.Helper()
	pem, err := os.ReadFile(w.ca())
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	conn, err := gotls.Dial("tcp", net.JoinHostPort("127.0.0.1", w.tls), &gotls.Config{RootCAs: roots, ServerName: "localhost", Certificates: certs})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(time.Minute))
	c := &conversation{t, conn, bufio.NewReader(conn)}
	c.line()
	return c
}

// A conversation is by hand.
type conversation struct {
	t    *testing.T
	conn net.Conn
	r    *bufio.Reader
}

func (c *conversation) line() string {
	c.t.Helper()
	line, err := c.r.ReadString('\n')
	if err != nil {
		c.t.Fatal(err)
	}
	return strings.TrimRight(line, "\r\n")
}

// say sends a line and returns the first one of the answer.
func (c *conversation) say(line string) string {
	c.t.Helper()
	fmt.Fprintf(c.conn, "%s\r\n", line)
	return c.line()
}

// plainReply logs in by PLAIN, and returns the reply.
func (w *world) plainReply(t *testing.T, user, password string) string {
	t.Helper()
	c := w.dial(t)
	defer c.conn.Close()
	reply := c.say("AUTH PLAIN " + base64.StdEncoding.EncodeToString([]byte("\x00"+user+"\x00"+password)))
	if strings.HasPrefix(reply, "+OK") {
		c.say("QUIT") // the maildrop is unlocked then
	}
	return reply
}

// refusal is what a client hears that shows a token of no use: the JSON challenge, and
// the reply when it has answered that.
func (c *conversation) refusal(first, second string) (challenge map[string]string, reply string) {
	c.t.Helper()
	said := c.say(first)
	if said == "+ " {
		said = c.say(second)
	}
	octets, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(said, "+ "))
	if err == nil {
		err = json.Unmarshal(octets, &challenge)
	}
	if err != nil {
		c.t.Errorf("expected a challenge in JSON, got %q: %v", said, err)
	}
	return challenge, c.say("AQ==") // P3-OAUTH-05
}

// dialWith is dial with a certificate, or without one for nil.
func (w *world) dialWith(t *testing.T, cert *peer.ClientCertificate) *conversation {
	t.Helper()
	if cert == nil {
		return w.dial(t)
	}
	return w.dial(t, cert.Certificate)
}

func b64(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }
