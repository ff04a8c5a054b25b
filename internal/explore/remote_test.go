package explore

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"postfach/fetch"
	"postfach/internal/explain"
	"postfach/internal/hint"
	"postfach/internal/remotes"
	"postfach/pop3"
	"postfach/pop3client"
	"postfach/pop3test"
)

// remote is an account of the server's, as a file would have it.
func remote(t *testing.T, url string, more remotes.Account) Account {
	t.Helper()
	u, err := pop3.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	more.URL = u
	return Remote(more, time.Minute)
}

func rootFile(t *testing.T, srv *pop3test.Server) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "root.pem")
	if err := os.WriteFile(name, srv.RootPEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestRemoteAccountConnectsAsItSays(t *testing.T) {
	srv := mailServer(t, "Subject: x\r\n\r\n")
	root := rootFile(t, srv)
	for url, more := range map[string]remotes.Account{
		"pop3s://user@" + srv.AddrTLS:        {CAFile: root},
		"pop3://user@" + srv.Addr:            {},
		"pop3://user;AUTH=PLAIN@" + srv.Addr: {CAFile: root, STLS: true},
	} {
		e, keys := opened(t, remote(t, url, more))
		status := e.Status()
		if len(keys) != 1 || status.TLS != (more.CAFile != "") || status.Account.User != "user" || !strings.HasPrefix(status.Account.Name, "user@127.0.0.1:") {
			t.Errorf("%s: %+v", url, status)
		}
		e.Close()
	}
}

func TestRemoteAccountAsksItsCommand(t *testing.T) {
	srv := mailServer(t)
	a := remote(t, "pop3://user@"+srv.Addr, remotes.Account{Name: "work", PasswordCommand: "echo 'p w'"})
	e := New(a, Options{NoHeaders: true})
	defer e.Close()
	if err := e.Connect(t.Context(), ""); err != nil || a.Name != "work" {
		t.Errorf("%s: %v", a.Name, err)
	}
	if b := remote(t, "pop3://user@"+srv.Addr, remotes.Account{}); b.Password != nil || b.NoPassword {
		t.Error("a person is not asked")
	}
}

func TestRemoteErrorsHaveAHint(t *testing.T) {
	srv := mailServer(t)
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	for _, c := range []struct {
		url  string
		more remotes.Account
		want error
		hint string
	}{
		{"pop3s://user@" + srv.AddrTLS, remotes.Account{}, nil, "--cafile"},
		{"pop3s://user@" + srv.AddrTLS, remotes.Account{CAFile: "remote.go"}, nil, "PEM"},
		{"pop3://user@" + closed.Addr().String(), remotes.Account{}, nil, "no program answers"},
		{"pop3://other@" + srv.Addr, remotes.Account{}, &pop3.Error{Code: pop3.CodeAuth}, ""},
		{"pop3://user;AUTH=NTLM@" + srv.Addr, remotes.Account{}, fetch.ErrMechanism, "PLAIN"},
		{"pop3://user;AUTH=+APOP@" + srv.Addr, remotes.Account{}, pop3client.ErrNoTimestamp, "APOP"},
	} {
		e := New(remote(t, c.url, c.more), Options{NoHeaders: true})
		err := e.Connect(t.Context(), "wrong")
		if err == nil || c.want != nil && !errors.Is(err, c.want) || hint.Of(err) == "" || !strings.Contains(hint.Of(err), c.hint) {
			t.Errorf("%s: %v, hint %q", c.url, err, hint.Of(err))
		}
		e.Close()
	}
}

func TestDiagnoseNeedsNoLogin(t *testing.T) {
	srv := mailServer(t)
	root := rootFile(t, srv)
	for url, more := range map[string]remotes.Account{
		"pop3s://user@" + srv.AddrTLS: {CAFile: root},
		"pop3://user@" + srv.Addr:     {},
		"pop3://me@" + srv.Addr:       {CAFile: root, STLS: true},
	} {
		e := New(remote(t, url, more), Options{})
		d, err := e.Diagnose(t.Context())
		if err != nil || d.Used == nil || !d.Used.Works || d.LoginAsked || (d.Used.TLS != nil) != (more.CAFile != "") {
			t.Errorf("%s: %+v, %v", url, d, err)
		}
		e.Close()
	}
	e := New(remote(t, "pop3s://user@"+srv.AddrTLS, remotes.Account{CAFile: "remote.go"}), Options{})
	defer e.Close()
	if d, err := e.Diagnose(t.Context()); err != nil || d.OK {
		t.Errorf("%+v, %v", d, err)
	}
	for _, text := range srv.Transcripts() {
		if strings.Contains(text, "C: PASS") || strings.Contains(text, "C: AUTH PLAIN") {
			t.Errorf("logged in: %s", text)
		}
	}
}

// Where TLS began before the greeting, nothing is said of reading along or STLS.
func TestTLSFromTheFirstOctetIsExplained(t *testing.T) {
	srv := mailServer(t, "Subject: x\r\n\r\n")
	a := remote(t, "pop3s://user@"+srv.AddrTLS, remotes.Account{CAFile: rootFile(t, srv)})
	a.Login = func(ctx context.Context, c *pop3client.Client, password string) error {
		if err := c.User(ctx, "user"); err != nil {
			return err
		}
		return c.Pass(ctx, password)
	}
	e, _ := opened(t, a)
	defer e.Close()
	lines, _ := e.Log(0)
	if len(lines) == 0 || lines[0].Note.Place != explain.Event || !strings.Contains(lines[0].Note.Meaning, "TLS") {
		t.Errorf("%+v", lines[:min(1, len(lines))])
	}
	for _, l := range lines {
		if l.Note.Warning || strings.Contains(l.Note.Next, "STLS") {
			t.Errorf("%s: %s %s", l.Text, l.Note.Meaning, l.Note.Next)
		}
	}
}
