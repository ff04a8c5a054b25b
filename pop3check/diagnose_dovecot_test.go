//go:build unix

package pop3check_test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"postfach/internal/peer"
	"postfach/pop3check"
	"postfach/pop3client"
)

// What is said about somebody else's server.
func TestDiagnosisOfDovecot(t *testing.T) {
	t.Parallel()
	ada := peer.User{Name: "ada", Password: "kein.Geheimnis_42"}
	dovecot := peer.StartDovecot(t, ada)
	for i, m := range aLotOfMail {
		dovecot.Deliver(t, ada.Name, i+1, []byte(m))
	}
	ask := func(addr string, security pop3client.Security) pop3check.Question {
		return pop3check.Question{
			Host: addr, Security: []pop3client.Security{security}, TLS: dovecot.Cert.Client,
			User: ada.Name, Password: ada.Password, Timeout: 30 * time.Second,
		}
	}
	for _, tr := range transports {
		addr := dovecot.Plain
		if tr.security == pop3client.ImplicitTLS {
			addr = dovecot.TLS
		}
		d := diagnose(t, ask(addr, tr.security))
		if !d.OK || !d.LoggedIn || d.Maildrop == nil || d.Maildrop.Count != len(aLotOfMail) || len(d.Maildrop.Samples) != 3 || d.Maildrop.Pipelining != "works" {
			t.Errorf("%s: cause %q, maildrop %+v", tr.name, d.Cause, d.Maildrop)
		}
	}
	notSeen(t, dovecot, ask(dovecot.Plain, pop3client.RequireSTLS))

	q := ask(dovecot.TLS, pop3client.ImplicitTLS)
	q.Password = "something else"
	if d := diagnose(t, q); d.Cause != "password" {
		t.Errorf("wrong password: cause %q", d.Cause)
	}
	q = ask(dovecot.TLS, pop3client.ImplicitTLS)
	q.TLS = q.TLS.Clone()
	q.TLS.ServerName = "pop.example.org"
	if d := diagnose(t, q); d.Cause != "certificate-name" || d.LoggedIn || !strings.Contains(strings.Join(d.Advice, " "), "localhost") {
		t.Errorf("another name: cause %q, advice %q", d.Cause, d.Advice)
	}
	q = ask(dovecot.Plain, pop3client.ImplicitTLS)
	if d := diagnose(t, q); d.Cause != "plain-on-tls" {
		t.Errorf("TLS on the port for STLS: cause %q", d.Cause)
	}
	q = ask(dovecot.TLS, pop3client.RequireSTLS)
	if d := diagnose(t, q); d.Cause != "tls-on-plain" {
		t.Errorf("STLS on the port for TLS: cause %q", d.Cause)
	}

	other := logIn(t, ask(dovecot.Plain, pop3client.RequireSTLS))
	if d := diagnose(t, ask(dovecot.TLS, pop3client.ImplicitTLS)); d.Cause != "in-use" || d.Whose != pop3check.Temporary {
		t.Errorf("with another session: cause %q", d.Cause)
	}
	other.Close()
}

// logIn opens a session of somebody else.
func logIn(t *testing.T, q pop3check.Question) *pop3client.Client {
	t.Helper()
	c, err := pop3client.Dial(t.Context(), q.Host, &pop3client.Options{Security: q.Security[0], TLS: q.TLS})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.Login(t.Context(), q.User, q.Password); err != nil {
		t.Fatal(err)
	}
	return c
}

// notSeen checks that no file has the flag of a message that was read. Once
// somebody can log in, the sessions before are over.
func notSeen(t *testing.T, dovecot *peer.Dovecot, q pop3check.Question) {
	t.Helper()
	c := logIn(t, q)
	files, err := filepath.Glob(filepath.Join(dovecot.Maildir(q.User), "*", "*.test*"))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != len(aLotOfMail) {
		t.Errorf("%d files", len(files))
	}
	for _, file := range files {
		if _, flags, _ := strings.Cut(filepath.Base(file), ":2,"); strings.Contains(flags, "S") {
			t.Errorf("%s was marked as read", filepath.Base(file))
		}
	}
	// The flag would be there after QUIT: then the check is worth something.
	m, err := c.Retr(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	if err := c.Quit(t.Context()); err != nil {
		t.Fatal(err)
	}
	seen, err := filepath.Glob(filepath.Join(dovecot.Maildir(q.User), "cur", "*:2,*S*"))
	if err != nil || len(seen) == 0 {
		t.Errorf("%v: RETR and QUIT mark nothing as read here, so that this proves nothing", err)
	}
}
