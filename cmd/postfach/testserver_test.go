package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"net/http"
	"net/textproto"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// testserver parses a command line.
func testserver(t *testing.T, args ...string) *testserverCmd {
	t.Helper()
	var c struct {
		Testserver testserverCmd `cmd:""`
	}
	parser, err := kong.New(&c)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parser.Parse(append([]string{"testserver"}, args...)); err != nil {
		t.Fatal(err)
	}
	return &c.Testserver
}

// serving is what --json says.
type serving struct{ POP3, POP3S, Control, User, Password, Certificate string }

// serve runs the command until the test ends, and returns its first line.
func serve(t *testing.T, args ...string) (s serving) {
	t.Helper()
	r, w := io.Pipe()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		err := testserver(t, append(args, "--json")...).run(ctx, w)
		w.CloseWithError(err)
		done <- err
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("the server ended: %v", err)
		}
	})
	line, err := bufio.NewReader(r).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(line), &s); err != nil {
		t.Fatal(err)
	}
	return s
}

// talk says lines over TLS, and returns the first line of the last reply.
func talk(t *testing.T, s serving, lines ...string) (reply string) {
	t.Helper()
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(s.Certificate))
	conn, err := tls.Dial("tcp", s.POP3S, &tls.Config{RootCAs: roots, ServerName: "localhost"})
	if err != nil {
		t.Fatal(err)
	}
	c := textproto.NewConn(conn)
	defer c.Close()
	c.ReadLine()
	for _, line := range append([]string{"USER " + s.User, "PASS " + s.Password}, lines...) {
		c.PrintfLine("%s", line)
		if reply, err = c.ReadLine(); err != nil {
			t.Fatal(err)
		}
	}
	return reply
}

func TestTestserver(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	for name, text := range map[string]string{"2.eml": "Subject: two\n\n", "1.EML": "Subject: one\n\n", "notes.txt": "no mail"} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	pem := filepath.Join(folder, "root.pem")
	s := serve(t, "--user", "ada:a,b:c", "--mail", folder, "--mail", filepath.Join(folder, "2.eml"), "--cert-out", pem,
		"--personality", "estimated-sizes,no-top", "--rule", `{"on":"NOOP","reply":"+OK, a rule\r\n","times":1}`)
	if got, err := os.ReadFile(pem); err != nil || string(got) != s.Certificate {
		t.Errorf("--cert-out: %v", err)
	}
	if s.User != "ada" || s.Password != "a,b:c" {
		t.Errorf("account %q %q", s.User, s.Password)
	}
	for range 2 { // the second time after a reset
		if got := talk(t, s, "STAT"); got != "+OK 3 3072" {
			t.Errorf("STAT: %s", got)
		}
		if got := talk(t, s, "TOP 1 0"); !strings.HasPrefix(got, "-ERR") {
			t.Errorf("TOP: %s", got)
		}
		if got := talk(t, s, "NOOP"); got != "+OK, a rule" {
			t.Errorf("NOOP: %s", got)
		}
		resp, err := http.Post(s.Control+"/reset", "", nil)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Errorf("reset: %s", resp.Status)
		}
	}
}

func TestTestserverRefuses(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]string{
		"--listen 0.0.0.0:0":            "reached from outside",
		"--listen-tls :0":               "reached from outside",
		"--control 192.0.2.1:80":        "reached from outside",
		"--listen 127.0.0.1":            "is no address",
		"--listen none":                 "is no address",
		"--user ada":                    "no name and password",
		"--personality nobody":          "no personality",
		"--break P3-ABC-01":             "P3-ABC-01",
		`--rule {"on":"RETR"}`:          "does nothing",
		`--rule {"onn":"RETR"}`:         "unknown field",
		"--mail /there/is/no/such/file": "read mail",
	} {
		err := testserver(t, strings.Fields(args)...).run(t.Context(), io.Discard)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want: %s", args, err, want)
		}
	}
}

func TestTestserverTellsWhatItIs(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out strings.Builder
	if err := testserver(t, "--control", "none", "--break", "P3-TOP-03", "--listen", "localhost:0").run(ctx, &out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"pop3 ", "pop3s ", `"user", password "p w"`, "--cert-out", "top-zero-sends-all: "} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("without %q:\n%s", want, out.String())
		}
	}
	if strings.Contains(out.String(), "control") {
		t.Errorf("a control that is not there:\n%s", out.String())
	}
	out.Reset()
	if err := testserver(t, "--list").run(ctx, &out); err != nil || !strings.Contains(out.String(), "  no-uidl ") || !strings.Contains(out.String(), "(P3-TOP-03)") {
		t.Errorf("%v\n%s", err, out.String())
	}
	out.Reset()
	if err := testserver(t, "--list", "--json").run(ctx, &out); err != nil || !json.Valid([]byte(out.String())) {
		t.Errorf("%v\n%s", err, out.String())
	}
}
