package shell

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"postfach/internal/explain"
	"postfach/internal/peer"
	"postfach/pop3test"
)

func explained(t *testing.T, recording string) string {
	t.Helper()
	var out strings.Builder
	if err := Explain(strings.NewReader(recording), &out, Look{Width: 110}); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// Recordings of other programs, in their own forms.
func TestExplainsRecordings(t *testing.T) {
	for _, name := range []string{"outlook-express", "thunderbird-old", "thunderbird", "telnet", "mailkit"} {
		text, err := os.ReadFile(filepath.Join("testdata", name+".log"))
		if err != nil {
			t.Fatal(err)
		}
		out := explained(t, string(text))
		for _, secret := range []string{"meinkennwort", "p w secret"} {
			if strings.Contains(out, secret) {
				t.Errorf("%s: a secret is shown", name)
			}
		}
		golden(t, name, out)
		// Whatever is cut out, nothing breaks.
		for i := 0; i < len(text); i += 97 {
			err := Explain(strings.NewReader(string(text[i:])), io.Discard, Look{})
			if err != nil && !errors.Is(err, ErrNoPOP3) {
				t.Error(err)
			}
		}
	}
}

// What stands in a recording cannot steer the terminal, and lines of any length
// are shortened.
func TestHostileRecording(t *testing.T) {
	out := explained(t, "\x1b[2J\nC: NO\x1b[31m\nS: +OK \x9b\nS: "+strings.Repeat("x", 1<<20)+"\n# "+strings.Repeat("y", 1<<20)+"\nPASS geheim\npassword = geheim\n")
	if strings.Contains(out, "\x1b") || strings.Contains(out, "\x9b") || len(out) > 20000 || strings.Contains(out, "geheim") {
		t.Errorf("%d octets: %.5000q", len(out), out)
	}
}

// Real programs' logs, of the versions that are installed.
func TestExplainsRealPrograms(t *testing.T) {
	const secret = "kennwortchen"
	for _, c := range []struct {
		program string
		command func(t *testing.T, path, dir, host, port string) *exec.Cmd
		says    []string
	}{
		{"fetchmail", func(t *testing.T, path, dir, host, port string) *exec.Cmd {
			rc := filepath.Join(dir, "rc")
			text := fmt.Sprintf("poll %s protocol POP3 port %s user u password %s options keep sslproto '' mda 'cat >/dev/null'\n", host, port, secret)
			if err := os.WriteFile(rc, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			return exec.Command(path, "-f", rc, "-v", "--nosyslog", "--idfile", filepath.Join(dir, "ids"), "--pidfile", filepath.Join(dir, "pid"))
		}, []string{"1 message with", "The server sends message 1", "goodbye"}},
		{"mpop", func(_ *testing.T, path, dir, host, port string) *exec.Cmd {
			return exec.Command(path, "--debug", "--file=", "--host="+host, "--port="+port, "--tls=off", "--auth=user", "--user=u", "--passwordeval=echo "+secret,
				"--keep=on", "--uidls-file="+filepath.Join(dir, "uidls"), "--delivery=mbox,"+filepath.Join(dir, "mbox"))
		}, []string{"1 message with", "End of message 1", "goodbye"}},
		{"curl", func(_ *testing.T, path, _, host, port string) *exec.Cmd {
			return exec.Command(path, "-sv", "--user", "u:"+secret, "pop3://"+net.JoinHostPort(host, port)+"/1")
		}, []string{"The login has succeeded", "The server sends message 1"}},
		{"python3", func(_ *testing.T, path, _, host, port string) *exec.Cmd {
			return exec.Command(path, "-c", fmt.Sprintf(`
import poplib
for level in 1, 2:
    p = poplib.POP3(%q, %s); p.set_debuglevel(level)
    p.user('u'); p.pass_(%q); p.stat(); p.list(); p.retr(1); p.quit()
`, host, port, secret))
		}, []string{"1 message with", "The server sends message 1", "End of message 1", "goodbye"}},
	} {
		t.Run(c.program, func(t *testing.T) {
			path := peer.Need(t, c.program)
			srv := pop3test.NewServer(t)
			srv.AddUser("u", secret)
			if _, err := srv.Put("u", "Subject: hello\r\n\r\n+OK world\r\nQUIT\r\n"); err != nil {
				t.Fatal(err)
			}
			host, port, err := net.SplitHostPort(srv.Addr)
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			cmd := c.command(t, path, dir, host, port)
			cmd.Env = append(os.Environ(), "HOME="+dir)
			cmd.Dir = dir
			log, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, log)
			}
			out := explained(t, string(log))
			contains(t, out, append(c.says, "<secret>")...)
			for _, wrong := range []string{secret, "Nobody asked", "must begin with +OK"} {
				if strings.Contains(out, wrong) {
					t.Errorf("%q in\n%s\n%s", wrong, out, log)
				}
			}
		})
	}
}

// The responses of a login by SASL are secrets, too, and what is in them, and
// slips of the hand.
func TestRecordedSecretsAreHidden(t *testing.T) {
	for _, recording := range []string{
		"S: +OK\nC: AUTH LOGIN\nS: + VXNlcm5hbWU6\nC: YmVu\nS: + UGFzc3dvcmQ6\nC: aHVudGVyMjI=\nS: -ERR hunter22 aHVudGVyMjI= bad\n",
		"S: +OK\nC: AUTH PLAIN\nS: +\nC: AGJlbgBodW50ZXIyMg==\nS: -ERR hunter22 AGJlbgBodW50ZXIyMg==\n",
		"S: +OK\nC: AUTH PLAIN AGJlbgBodW50ZXIyMg==\nS: -ERR hunter22\n",
		"S: +OK\nC: PSAS hunter22\nS: -ERR PSAS hunter22\n",
		"S: +OK\nC: hunter22\nS: -ERR hunter22\n",
		"+OK hi\npasss hunter22\n-ERR no\npass hunter22\n-ERR not hunter22\n",
	} {
		if out := explained(t, recording); strings.Contains(out, "hunter22") || strings.Contains(out, "aHVudGVyMjI=") || strings.Contains(out, "AGJlbg") {
			t.Error(out)
		}
	}
}

// A file that is no recording is not shown as if it were one.
func TestNoRecording(t *testing.T) {
	for _, text := range []string{"", "hello\nworld\n", "\x00\x01\xff", "Connected to nobody\n(tls)\nQUIT\n", "# garbage\nS: garbage\n"} {
		var out strings.Builder
		err := Explain(strings.NewReader(text), &out, Look{Width: 110})
		if !errors.Is(err, ErrNoPOP3) || !strings.HasPrefix(out.String(), "-- nothing here looks like POP3") {
			t.Errorf("%q: %v, %q", text, err, out.String())
		}
	}
}

// FuzzExplain: any octets at all are shown without steering the terminal.
func FuzzExplain(f *testing.F) {
	files, err := filepath.Glob("testdata/*.log")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, recording []byte) {
		var out strings.Builder
		if err := Explain(strings.NewReader(string(recording)), &out, Look{Width: 100, Lang: explain.German}); err != nil && !errors.Is(err, ErrNoPOP3) {
			t.Fatal(err)
		}
		for _, r := range out.String() {
			if r < ' ' && r != '\n' || r >= 0x7f && r < 0xa0 {
				t.Fatalf("%q", r)
			}
		}
	})
}
