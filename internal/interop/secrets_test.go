//go:build unix

package interop

import (
	"path/filepath"
	"strings"
	"testing"

	"postfach/internal/awkward"
	"postfach/internal/peer"
	"postfach/sasl"
)

// P3-USR-12: whatever a client logs in with, right or wrong, and whatever slip of the
// hand there is, no log of either end has what would let somebody in, or what
// passwords can be tried against.
func TestLogsHaveNoSecrets(t *testing.T) {
	peer.Need(t, "mpop")
	peer.Need(t, "curl")
	const wrong, early = "not.the.password", "a.password-typed-too-early"
	w := build(t)
	w.addUser(t, user, password, true) // CRAM-MD5 and APOP have the same secret
	w.put(t, user, awkward.Messages()[:1])
	p := w.startLogged(t, "--config", w.configure(t, `mechanisms = ["SCRAM-SHA-256", "PLAIN", "LOGIN", "CRAM-MD5"]`))

	for _, c := range saslClients() {
		peer.Need(t, c.needs)
		for _, mechanism := range c.mechanisms {
			for _, try := range []string{password, wrong} {
				if out, err := c.login(t, w, t.TempDir(), mechanism, try); (err == nil) != (try == password) {
					t.Errorf("%s with %s: %v\n%s", c.name, mechanism, err, tail(out))
				}
			}
		}
	}
	for _, auth := range []string{"SCRAM-SHA-256-PLUS", sasl.ScramSHA256, sasl.Plain, sasl.Login, sasl.CramMD5, "+APOP", ""} {
		for _, try := range []string{password, wrong} {
			home := w.home(t)
			own := filepath.Join(home, "protocol")
			args := []string{"get", "--to", "dir:" + filepath.Join(home, "got"), "--cafile", w.ca(), "--protocol-log", own, "--password-stdin", "pop3s://" + user + "@localhost:" + w.tls}
			if auth != "" {
				args = append(args, "--auth", auth)
			}
			if out, err := run(t, home, try+"\n", w.program("postfach"), args...); (err == nil) != (try == password) {
				t.Errorf("postfach get with %s: %v\n%s", auth, err, tail(out))
			} else {
				noSecrets(t, "output of postfach get with "+auth, out, password, wrong)
			}
			said := readFile(t, own)
			if !strings.Contains(said, "<secret>") {
				t.Errorf("postfach get with %q wrote no login:\n%s", auth, said)
			}
			noSecrets(t, "protocol log of postfach get with "+auth, said, password, wrong)
		}
	}

	for _, mechanism := range []string{"SCRAM-SHA-256-PLUS", sasl.ScramSHA256, sasl.Plain, sasl.Login, sasl.CramMD5} {
		home := w.home(t)
		own := filepath.Join(home, "protocol")
		out, err := run(t, home, "AUTH "+mechanism+"\nSTAT\nQUIT\n", w.program("postfach"), "shell", "pop3s://"+user+"@localhost:"+w.tls, "--cafile", w.ca(),
			"--protocol-log", own, "--strict", "--password-command", "cat "+write(t, filepath.Join(home, "password"), password+"\n", 0o600))
		if err != nil {
			t.Errorf("postfach shell with %s: %v\n%s", mechanism, err, tail(out))
		}
		noSecrets(t, "protocol log of postfach shell with "+mechanism, readFile(t, own), password)
	}

	c := w.dial(t)
	for _, line := range []string{
		early, "PASS " + early, "PAS " + early, "USER " + user, "PASS " + wrong, "pass " + wrong, "AUTH PLAIN " + early,
		"AUTH NOSUCH " + b64(early), "APOP " + user + " 0123456789abcdef0123456789abcdef", "AUTH " + b64("\x00"+user+"\x00"+early),
	} {
		if reply := c.say(line); !strings.HasPrefix(reply, "-ERR") && !strings.HasPrefix(line, "USER") || strings.Contains(reply, early) {
			t.Errorf("%s: %s", line, reply)
		}
		if strings.HasPrefix(line, "PASS "+wrong) { // three of them end the connection
			c.conn.Close()
			c = w.dial(t)
		}
	}
	c.say("QUIT")
	p.hides(t, password, wrong, early)
}
