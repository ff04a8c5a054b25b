package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"postfach/internal/hint"
	"postfach/internal/transcript"
	"postfach/maildrop/memory"
	"postfach/pop3"
	"postfach/pop3server"
)

// getServer is a server with two messages for "u", whose password is "secret
// word". It returns its addresses in clear and for TLS, and the certificate's
// file.
func getServer(t *testing.T) (clear, implicit, cafile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cafile = filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(cafile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	store := memory.New()
	store.Create("u")
	for _, mail := range []string{"Subject: one\r\n\r\n.\r\n", "Subject: two\r\n\r\n"} {
		if _, err := store.Deliver(t.Context(), "u", strings.NewReader(mail)); err != nil {
			t.Fatal(err)
		}
	}
	s := &pop3server.Server{
		Store: store, Auth: onePassword{}, Log: slog.New(slog.DiscardHandler),
		TLS:    &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}},
		Limits: pop3server.Limits{FailureDelay: time.Millisecond},
	}
	l1, l2 := listen(t), listen(t)
	go s.Serve(l1)
	go s.ServeTLS(l2)
	t.Cleanup(func() { s.Close() })
	return port(l1), port(l2), cafile
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func port(l net.Listener) string {
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return "localhost:" + port
}

type onePassword struct{}

func (onePassword) Authenticate(_ context.Context, _ *pop3server.Peer, name, password string) (pop3server.Identity, error) {
	if name == "u" && password == "secret word" {
		return pop3server.Identity{User: name}, nil
	}
	return pop3server.Identity{}, pop3server.ErrCredentials
}

// getRun is one run, as a script would see it.
func getRun(t *testing.T, c getCmd) (code int, out, help string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if c.Timeout == 0 {
		c.Timeout = time.Minute
	}
	err := c.run(t.Context(), newGetReport(&stdout, &stderr, c.JSON, false))
	if err != nil {
		hint.Print(&stderr, "postfach", err)
	}
	if strings.Contains(stdout.String()+stderr.String(), "secret word") {
		t.Error("the password was printed")
	}
	return exitCode(err), stdout.String(), stderr.String()
}

// TestGet: both kinds of TLS and none, every target, keep and delete.
func TestGet(t *testing.T) {
	t.Setenv("POSTFACH_PASSWORD", "secret word")
	clear, implicit, cafile := getServer(t)
	home := t.TempDir()
	log := filepath.Join(home, "log")
	for _, c := range []struct {
		cmd  getCmd
		want string
	}{
		{getCmd{URL: "pop3s://u@" + implicit, CAFile: cafile, To: "maildir:" + home + "/a/b", ProtocolLog: log}, "2 messages fetched, 0 known before"},
		{getCmd{URL: "pop3s://u@" + implicit, CAFile: cafile, To: "maildir:" + home + "/a/b"}, "0 messages fetched, 2 known before"},
		{getCmd{URL: "pop3://u@" + clear, To: "mbox:" + home + "/mbox"}, "2 messages fetched, 0 known before"},
		{getCmd{URL: "pop3://u@" + clear, CAFile: cafile, STLS: true, To: "dir:" + home + "/dir"}, "2 messages fetched, 0 known before"},
		{getCmd{URL: "pop3://u@" + clear, Delete: true, JSON: true, To: "dir:" + home + "/dir"}, `{"event":"done","listed":2,"known":2,"fetched":0,"octets":0,"failed":0,"deleted":2,"not-deleted":0,"exit":0}`},
		{getCmd{URL: "pop3://u;AUTH=PLAIN@" + clear, To: "dir:" + home + "/dir"}, "0 messages fetched, 0 known before"},
	} {
		code, out, help := getRun(t, c.cmd)
		if code != 0 || !strings.HasSuffix(out, c.want+"\n") || help != "" {
			t.Errorf("%s: %d %s %s", c.cmd.To, code, out, help)
		}
	}
	octets, err := os.ReadFile(log)
	if err != nil || !strings.Contains(string(octets), "<secret>") || strings.Contains(string(octets), "secret word") {
		t.Errorf("%v %s", err, octets)
	}
	if !strings.Contains(string(octets), ")\n(tls)\nS: +OK") {
		t.Errorf("that TLS began before the greeting is not in the log:\n%s", octets)
	}
	if _, err := transcript.Parse("log", string(octets)); err != nil {
		t.Error(err)
	}
	for dir, want := range map[string]int{"/a/b/new": 2, "/a/b/tmp": 0, "/dir": 2} {
		if entries, _ := os.ReadDir(home + dir); len(entries) != want {
			t.Errorf("%s: %v", dir, entries)
		}
	}
}

// TestGetExitCodes: what --help promises, with a hint that helps.
func TestGetExitCodes(t *testing.T) {
	t.Setenv("POSTFACH_PASSWORD", "secret word")
	clear, implicit, cafile := getServer(t)
	to := "dir:" + t.TempDir()
	closed := listen(t)
	closed.Close()
	for name, test := range map[string]struct {
		cmd  getCmd
		code int
		hint string
	}{
		"no user":        {getCmd{URL: "pop3s://localhost", To: to}, exitUsage, "pop3s://me@"},
		"password":       {getCmd{URL: "pop3s://u:secret word@localhost", To: to}, exitUsage, "pop3s://me@"},
		"empty password": {getCmd{URL: "pop3s://u@localhost", To: to, accountPassword: accountPassword{PasswordCommand: "echo"}}, exitUsage, "first line"},
		"target":         {getCmd{URL: "pop3s://u@localhost", To: "imap:x"}, exitUsage, "maildir:"},
		"mechanism":      {getCmd{URL: "pop3://u;AUTH=NTLM@" + clear, To: to}, exitUsage, "PLAIN"},
		"refused":        {getCmd{URL: "pop3s://u@" + port(closed), To: to}, exitConnect, "995"},
		"certificate":    {getCmd{URL: "pop3s://u@" + implicit, To: to}, exitConnect, "--cafile"},
		"STLS, too":      {getCmd{URL: "pop3://u@" + clear, STLS: true, To: to}, exitConnect, "--cafile"},
		"no TLS":         {getCmd{URL: "pop3s://u@" + clear, CAFile: cafile, To: to}, exitConnect, "pop3://"},
		"login":          {getCmd{URL: "pop3://other@" + clear, To: to}, exitLogin, "password"},
		"APOP":           {getCmd{URL: "pop3://u;AUTH=+APOP@" + clear, To: to}, exitLogin, "APOP"},
		"other CA":       {getCmd{URL: "pop3s://u@" + implicit, CAFile: "get.go", To: to}, exitUsage, ""},
		"in the way":     {getCmd{URL: "pop3://u@" + clear, To: "dir:get.go"}, exitFailed, ""},
		"no certificate": {getCmd{URL: "pop3s://u@" + implicit, CAFile: "missing", To: to}, exitUsage, ""},
	} {
		t.Run(name, func(t *testing.T) {
			code, out, help := getRun(t, test.cmd)
			_, hint, _ := strings.Cut(help, "hint: ")
			if code != test.code || !strings.Contains(hint, test.hint) || out != "" {
				t.Errorf("%d %s %s", code, out, help)
			}
		})
	}
}

// TestGetScripted: what a good server does not do.
func TestGetScripted(t *testing.T) {
	t.Setenv("POSTFACH_PASSWORD", "secret word")
	const login = "S: +OK\nC: CAPA\nS: -ERR\nC: USER u\nS: +OK\nC: PASS secret word\n"
	const in = login + "S: +OK\nC: CAPA\nS: -ERR\nC: LIST\nS: +OK\nS: 1 3\nS: .\nC: UIDL\nS: +OK\nS: 1 x\nS: .\nC: RETR 1\n"
	for name, test := range map[string]struct {
		script string
		code   int
		want   string
	}{
		"busy":     {"S: -ERR [SYS/TEMP] too \\x1b[31mmany\n(hangup)\n", exitConnect, "too \uFFFD[31mmany"},
		"in use":   {login + "S: -ERR [IN-USE] locked\n(hangup)\n", exitLogin, "another program"},
		"delay":    {login + "S: -ERR [LOGIN-DELAY] wait\n(hangup)\n", exitLogin, "wait"},
		"echo":     {login + "S: -ERR [AUTH] not secret word\n(hangup)\n", exitLogin, "not <secret>"},
		"failed":   {in + "S: -ERR no\nC: QUIT\nS: +OK\n(close)\n", exitFailed, "1 of 1 messages failed"},
		"cut":      {in + "S: +OK\nS: x\n(close)\n", exitFailed, "again"},
		"QUIT":     {in + "S: +OK\nS: x\nS: .\nC: DELE 1\nS: +OK\nC: QUIT\n(close)\n", exitQuit, "did not confirm"},
		"DELE":     {in + "S: +OK\nS: x\nS: .\nC: DELE 1\nS: -ERR no\nC: QUIT\nS: +OK\n(close)\n", exitQuit, "refused to delete"},
		"QUIT, no": {in + "S: +OK\nS: x\nS: .\nC: DELE 1\nS: +OK\nC: QUIT\nS: -ERR some left\n(close)\n", exitQuit, "some left"},
	} {
		t.Run(name, func(t *testing.T) {
			script, err := transcript.Parse(name, test.script)
			if err != nil {
				t.Fatal(err)
			}
			l := listen(t)
			played := make(chan error, 1)
			go func() {
				defer l.Close()
				conn, err := l.Accept()
				if err == nil {
					err = transcript.Serve(t.Context(), conn, script, transcript.Options{})
				}
				played <- err
			}()
			code, _, help := getRun(t, getCmd{URL: "pop3://u@" + port(l), To: "dir:" + t.TempDir(), Delete: true})
			if code != test.code || !strings.Contains(help, test.want) {
				t.Errorf("%d %s", code, help)
			}
			if err := <-played; err != nil {
				t.Error(err)
			}
		})
	}
}

// TestGetPassword: where it can come from.
func TestGetPassword(t *testing.T) {
	u := &pop3.URL{User: "u", Host: "h"}
	c := getCmd{accountPassword: accountPassword{PasswordCommand: "printf 'se cret\\r\\nmore\\n'"}}
	if got, err := c.password(t.Context(), u.User, u.Host); got != "se cret" || err != nil {
		t.Errorf("%q %v", got, err)
	}
	c = getCmd{accountPassword: accountPassword{PasswordCommand: "exit 1"}}
	if _, err := c.password(t.Context(), u.User, u.Host); exitCode(err) != exitFailed || hint.Of(err) == "" { // a safe that is locked is no wrong usage
		t.Error(err)
	}
	check := checkCmd{Host: "h", User: "u", accountPassword: c.accountPassword}
	if _, err := check.diagnosisPassword(t.Context()); exitCode(err) != exitUnreachable {
		t.Error(err)
	}
}

func TestHome(t *testing.T) {
	t.Setenv("HOME", "/home/me")
	for spec, want := range map[string]string{
		"maildir:~/Mail": "maildir:/home/me/Mail", "maildir:/a:~/b": "maildir:/a:~/b", "dir:~x": "dir:~x", "x": "x",
	} {
		if got := home(spec); got != want {
			t.Errorf("%s: %s", spec, got)
		}
	}
}

func TestPrintable(t *testing.T) {
	err := printable(&exitError{hint.Add(errors.New("a\x1b]0;x\x07b"), "do this"), 3})
	if err.Error() != "a\uFFFD]0;x\uFFFDb" || hint.Of(err) != "do this" || exitCode(err) != 3 {
		t.Errorf("%q", err)
	}
}
