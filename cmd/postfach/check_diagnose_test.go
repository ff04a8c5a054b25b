package main

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"postfach/pop3test"
)

// diagnosisCmd asks about a server with two messages, whose certificate is
// pinned.
func diagnosisCmd(t *testing.T, faults ...pop3test.Fault) (*checkCmd, *pop3test.Server) {
	t.Helper()
	srv := pop3test.NewServer(t)
	for _, m := range []string{"Subject: one\r\n\r\n.\r\n", "Subject: two\r\n\r\n"} {
		if _, err := srv.Put(pop3test.User, m); err != nil {
			t.Fatal(err)
		}
	}
	conn, err := tls.Dial("tcp", srv.AddrTLS, srv.ClientTLS())
	if err != nil {
		t.Fatal(err)
	}
	pin := sha256.Sum256(conn.ConnectionState().PeerCertificates[0].Raw)
	conn.Close()
	srv.Use(faults...)
	return &checkCmd{
		Host: srv.AddrTLS, TLS: true, Pin: hex.EncodeToString(pin[:]), Timeout: 5 * time.Second, User: pop3test.User, Samples: 3,
		accountPassword: accountPassword{PasswordCommand: "echo '" + pop3test.Password + "'"},
	}, srv
}

// wrongSum is a fault that a session survives.
func wrongSum() pop3test.Fault {
	return pop3test.Fault{Command: func(e *pop3test.Exchange) bool {
		if e.Is("STAT") {
			e.Reply = "+OK 2 1\r\n"
		}
		return e.Is("STAT")
	}}
}

func output(t *testing.T, c *checkCmd) (string, int) {
	t.Helper()
	var out bytes.Buffer
	err := c.answer(t.Context(), &out)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("%v\n%s", err, out.String())
		}
	})
	return out.String(), exitCode(err)
}

func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func TestDiagnosisAsText(t *testing.T) {
	t.Parallel()
	c, _ := diagnosisCmd(t)
	out, code := output(t, c)
	if code != 0 || !strings.HasPrefix(out, "works: user at ") {
		t.Errorf("exit %d", code)
	}
	for _, title := range []string{"Servers tried", "The server at", "Capabilities", "The maildrop", "Times"} {
		if !strings.Contains(out, "\n\n"+title) {
			t.Errorf("nothing about %s", title)
		}
	}
	for line := range strings.Lines(out) {
		if len([]rune(line)) > width+1 && strings.Contains(strings.TrimSpace(line), " ") && !strings.Contains(line, "pin") {
			t.Errorf("%d columns: %s", len([]rune(line)), line)
		}
	}
	if strings.Contains(out, "Subject") {
		t.Error("the report shows mail")
	}

	c, _ = diagnosisCmd(t, wrongSum())
	out, code = output(t, c)
	if code != exitFindings || !strings.HasPrefix(out, "works, with 1 finding: ") || !strings.Contains(out, "\n  -> ") || !strings.Contains(out, "S: +OK 2 1\n") {
		t.Errorf("exit %d", code)
	}

	c, _ = diagnosisCmd(t)
	c.PasswordCommand = "echo something else"
	out, code = output(t, c)
	if code != exitUnreachable || !strings.HasPrefix(out, "no login: ") || !strings.Contains(out, "whose fault: the account") || !strings.Contains(out, "-ERR") {
		t.Errorf("exit %d", code)
	}

	out, code = output(t, &checkCmd{Host: closedPort(t), Timeout: time.Second})
	if code != exitUnreachable || !strings.HasPrefix(out, "does not work: ") {
		t.Errorf("exit %d", code)
	}
}

func TestDiagnosisAsJSON(t *testing.T) {
	t.Parallel()
	for _, fault := range []pop3test.Fault{{}, wrongSum()} {
		c, srv := diagnosisCmd(t, fault)
		c.JSON = true
		out, code := output(t, c)
		var report struct {
			Verdict, Host, Cause string
			OK                   bool `json:"ok"`
			Phases               []struct{ Name string }
			TLS                  struct{ Version, Pin string }
			Capabilities         struct{ Clear, TLS, Login []string }
			Maildrop             struct{ Messages int }
			Results              []struct {
				ID, Level, Status string
				Want, Got         *string
				Trace             []string
			}
		}
		if err := json.Unmarshal([]byte(out), &report); err != nil {
			t.Fatal(err)
		}
		if report.OK != (code == 0) || report.Host != srv.AddrTLS || report.TLS.Pin != c.Pin || report.Maildrop.Messages != 2 || len(report.Phases) < 8 {
			t.Errorf("exit %d, %+v", code, report)
		}
		if report.Capabilities.Clear != nil || len(report.Capabilities.TLS) == 0 || len(report.Capabilities.Login) == 0 {
			t.Errorf("%+v", report.Capabilities)
		}
		for _, r := range report.Results {
			if r.ID == "" || r.Level == "" || !strings.Contains("pass fail skip", r.Status) || r.Want == nil || r.Got == nil || r.Trace == nil {
				t.Errorf("%+v", r)
			}
		}
	}
}

func TestDiagnosisForNagios(t *testing.T) {
	t.Parallel()
	good, _ := diagnosisCmd(t)
	findings, _ := diagnosisCmd(t, wrongSum())
	refused, _ := diagnosisCmd(t)
	refused.PasswordCommand = "echo x"
	for _, c := range []struct {
		cmd  *checkCmd
		line string
		code int
	}{
		{good, `^POP3 OK - works: .* \| name=[0-9.]+s;;;0 connect=[0-9.]+s;;;0 tls=.* messages=2;;;0 octets=35B;;;0 cert_days=36\d findings=0;;;0\n$`, 0},
		{findings, `^POP3 WARNING - works, with 1 finding: .* findings=1;;;0\n$`, nagiosWarning},
		{refused, `^POP3 CRITICAL - no login: .*\n$`, nagiosCritical},
		{&checkCmd{Host: closedPort(t), Timeout: time.Second}, `^POP3 CRITICAL - does not work: .*\n$`, nagiosCritical},
	} {
		c.cmd.Nagios = true
		if out, code := output(t, c.cmd); code != c.code || !regexp.MustCompile(c.line).MatchString(out) {
			t.Errorf("exit %d, want %d\n%s", code, c.code, out)
		}
	}
	var exit *exitError
	if err := (&checkCmd{Args: []string{"no host"}, Nagios: true}).Run(t.Context()); !errors.As(err, &exit) || exit.code != nagiosUnknown || exit.error != nil {
		t.Errorf("%v", err)
	}
}

func TestDiagnosisForPrometheus(t *testing.T) {
	t.Parallel()
	c, _ := diagnosisCmd(t)
	c.Prometheus = filepath.Join(t.TempDir(), "pop3.prom")
	if err := os.WriteFile(c.Prometheus, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, code := output(t, c); code != 0 {
		t.Errorf("exit %d", code)
	}
	octets, err := os.ReadFile(c.Prometheus)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		`postfach_check_up{host="[^"]+",user="[^"]*"} 1`, `postfach_check_ok{host="[^"]+",user="[^"]*"} 1`, `postfach_check_findings{host="[^"]+",user="[^"]*"} 0`,
		`postfach_check_phase_seconds{host="[^"]+",user="[^"]*",phase="login"} \d+\.\d{6}`, `postfach_check_messages{host="[^"]+",user="[^"]*"} 2`,
		`postfach_check_octets{host="[^"]+",user="[^"]*"} 35`, `postfach_check_certificate_expiry_timestamp_seconds{host="[^"]+",user="[^"]*"} \d{10}`,
	} {
		if !regexp.MustCompile(`(?m)^` + line + `$`).Match(octets) {
			t.Errorf("no line like %s in\n%s", line, octets)
		}
	}
	known := regexp.MustCompile(`^(# (HELP|TYPE) postfach_check_\w+ .+|postfach_check_\w+\{host="[^"]+",user="[^"]*"(,phase="\w+")?\} [0-9.]+)\n$`)
	for line := range strings.Lines(string(octets)) {
		if !known.MatchString(line) {
			t.Errorf("not the text format: %q", line)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(c.Prometheus), ".*")); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
	c.Prometheus = filepath.Join(t.TempDir(), "not", "there")
	if _, code := output(t, c); code != exitUsage {
		t.Errorf("exit %d", code)
	}
}

// What is no file is written to, and not replaced; a link stays one.
func TestDiagnosisForPrometheusReplacesFilesOnly(t *testing.T) {
	t.Parallel()
	c, _ := diagnosisCmd(t)
	dir := t.TempDir()
	device, link, file := filepath.Join(dir, "device"), filepath.Join(dir, "link"), filepath.Join(dir, "file")
	if err := errors.Join(os.Symlink(os.DevNull, device), os.WriteFile(file, nil, 0o600), os.Symlink("file", link)); err != nil {
		t.Fatal(err)
	}
	for _, c.Prometheus = range []string{device, link} {
		if _, code := output(t, c); code != 0 {
			t.Errorf("exit %d", code)
		}
		if info, err := os.Lstat(c.Prometheus); err != nil || info.Mode()&os.ModeSymlink == 0 {
			t.Errorf("%s: %v %v", c.Prometheus, info, err)
		}
	}
	if octets, err := os.ReadFile(file); err != nil || len(octets) == 0 {
		t.Errorf("%q %v", octets, err)
	}
}

// A wrong use says what is wrong before anything is sent.
func TestDiagnosisUsage(t *testing.T) {
	t.Parallel()
	for _, c := range []*checkCmd{
		{Host: "no host"},
		{Host: "pop.example.org", Pin: "12"},
		{Host: "pop.example.org", accountPassword: accountPassword{PasswordCommand: "echo x"}},
		{Host: "pop.example.org", User: "u", accountPassword: accountPassword{PasswordCommand: "echo"}},
	} {
		if out, code := output(t, c); code != exitUsage || out != "" {
			t.Errorf("%+v: exit %d", c, code)
		}
	}
}
