package main

import (
	"crypto/tls"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"postfach/internal/remotes"
	"postfach/pop3test"
)

// Exit codes of the shell, and what reaches the server.
func TestShell(t *testing.T) {
	srv := pop3test.NewServer(t)
	if _, err := srv.Put(pop3test.User, "Subject: hello\r\n\r\nworld\r\n"); err != nil {
		t.Fatal(err)
	}
	roots := filepath.Join(t.TempDir(), "roots.pem")
	if err := os.WriteFile(roots, srv.RootPEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(srv.Addr)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := tls.Dial("tcp", srv.AddrTLS, &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	pin := remotes.PinOf(conn.ConnectionState().PeerCertificates[0]).String()
	conn.Close()
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	t.Setenv("LC_ALL", "de_DE.UTF-8")
	const login = "USER user\nPASS p w\n"
	for name, c := range map[string]struct {
		script string
		args   []string
		code   int
		says   string
	}{
		"clear":          {login + "STAT\nQUIT\n", []string{srv.Addr}, 0, "1 Nachricht mit"},
		"English":        {login + "STAT\nQUIT\n", []string{srv.Addr, "--lang", "en"}, 0, "1 message with"},
		"TLS":            {login + "STAT\nQUIT\n", []string{srv.AddrTLS, "--tls", "--cafile", roots}, 0, "TLS 1.3"},
		"STLS":           {login + "STAT\nQUIT\n", []string{"pop3://localhost:" + port, "--stls", "--cafile", roots}, 0, "TLS 1.3"},
		"command":        {"USER user\nPASS\nSTAT\nQUIT\n", []string{srv.Addr, "--password-command", "cat; echo 'p w'"}, 0, "1 Nachricht mit"},
		"nothing but":    {"STAT\nQUIT\n", []string{srv.Addr, "--no-explain", "--no-times"}, 0, "C: STAT\nS: -ERR"},
		"refused":        {"NOSUCH\nQUIT\n", []string{srv.Addr, "--strict"}, exitRefused, "-ERR"},
		"no password":    {"USER user\nPASS\n", []string{srv.Addr}, exitUsage, "POSTFACH_PASSWORD"},
		"unknown root":   {login, []string{srv.AddrTLS, "--tls"}, exitConnect, "verbunden"},
		"nobody there":   {login, []string{"127.0.0.1:1"}, exitConnect, ""},
		"no server":      {"", nil, exitUsage, ""},
		"two ways":       {"", []string{srv.Addr, "--tls", "--stls"}, exitUsage, ""},
		"password-stdin": {"p w\n", []string{srv.Addr, "--password-stdin"}, exitUsage, ""},
		"a recording":    {"+OK hello\nSTAT\n-ERR no\n", []string{"--explain", "-"}, 0, "S: -ERR no"},
		"garbage":        {"hello\ngarbage\n", []string{"--explain", "-"}, exitUsage, "Nichts hier sieht nach POP3 aus"},
		"other pin":      {"STLS\n", []string{srv.Addr, "--pin", strings.Repeat("ab", 32)}, 1, "TLS kommt nicht zustande"},
		"other pin, TLS": {"", []string{srv.AddrTLS, "--tls", "--pin", strings.Repeat("ab", 32)}, exitConnect, ""},
		"right pin":      {login + "QUIT\n", []string{srv.AddrTLS, "--tls", "--pin", pin}, 0, "TLS 1.3"},
		"a folder":       {"", []string{"--explain", os.TempDir()}, exitUsage, ""},
		"no TLS":         {login, []string{srv.Addr, "--tls"}, exitConnect, ""},
		"no good STLS":   {"STLS\n", []string{srv.Addr}, 1, "TLS kommt nicht zustande"},
		"no recording":   {"", []string{"--explain", "/nowhere"}, exitUsage, ""},
	} {
		t.Run(name, func(t *testing.T) {
			log := filepath.Join(t.TempDir(), "log")
			args := append([]string{"shell", "--width", "120", "--protocol-log", log}, c.args...)
			r := runTool(t, c.script, args...)
			if r.code != c.code || !strings.Contains(r.stdout, c.says) {
				t.Errorf("exit code %d, want %d, and %q in\n%s\n%s", r.code, c.code, c.says, r.stdout, r.stderr)
			}
			if advice := map[string]string{
				"no TLS": "--stls", "no good STLS": "--pin " + pin, "unknown root": "--pin " + pin, "nobody there": "--cleartext",
				"other pin": "another one than the pin says", "other pin, TLS": pin, "garbage": "no POP3",
			}[name]; !strings.Contains(r.stderr, advice) {
				t.Errorf("no %q in %q", advice, r.stderr)
			}
			if c.code != 0 && !strings.Contains(r.stderr, "postfach: ") {
				t.Errorf("stderr %q", r.stderr)
			}
			text, err := os.ReadFile(log)
			if err == nil && strings.Contains(string(text), "p w") || strings.Contains(r.stdout+r.stderr, "p w") {
				t.Errorf("the password is shown:\n%s\n%s", text, r.stdout)
			}
			if c.code == 0 && c.args[0] != "--explain" && !strings.Contains(string(text), "C: QUIT") {
				t.Errorf("log %q", text)
			}
		})
	}
}
