//go:build unix

package interop

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"postfach/internal/awkward"
	"postfach/internal/peer"
)

// postfach get brings every message without any difference, in every way.
func TestGetFromPostfachd(t *testing.T) {
	w := build(t)
	w.addUser(t, user, password, true)
	w.start(t)
	messages := corpus(t)
	w.put(t, user, messages)
	for name, args := range map[string][]string{
		"clear": {"pop3://" + user + "@localhost:" + w.plain},
		"APOP":  {"pop3://" + user + ";AUTH=+APOP@localhost:" + w.plain},
		"STLS":  {"pop3://" + user + "@localhost:" + w.plain, "--stls", "--cafile", w.ca()},
		"TLS":   {"pop3s://" + user + "@localhost:" + w.tls, "--cafile", w.ca()},
	} {
		t.Run(name, func(t *testing.T) {
			home := w.home(t)
			w.get(t, home, password, args...)
			whole(t, messages, filepath.Join(home, "got"))
		})
	}
}

// The same from Dovecot, which is somebody else's idea of a server.
func TestGetFromDovecot(t *testing.T) {
	w := build(t)
	d := peer.StartDovecot(t, peer.User{Name: user, Password: password})
	messages := slices.DeleteFunc(corpus(t), func(m awkward.Message) bool {
		return forgiven("Dovecot", m.Name) != nil // TestDovecotDoesNotStuffTheFirstOctet
	})
	for i, m := range messages {
		d.Deliver(t, user, i+1, m.Octets)
	}
	for name, args := range map[string][]string{
		"clear": {"pop3://" + user + "@" + d.Plain},
		"APOP":  {"pop3://" + user + ";AUTH=+APOP@" + d.Plain},
		"STLS":  {"pop3://" + user + "@" + d.Plain, "--stls", "--cafile", d.Cert.CAFile},
		"TLS":   {"pop3s://" + user + "@" + d.TLS, "--cafile", d.Cert.CAFile},
	} {
		t.Run(name, func(t *testing.T) {
			home := w.home(t)
			w.get(t, home, password, args...)
			whole(t, messages, filepath.Join(home, "got"))
		})
	}
}

// The one message that Dovecot itself changes. When it no longer does, the
// exception has to go.
func TestDovecotDoesNotStuffTheFirstOctet(t *testing.T) {
	w := build(t)
	d := peer.StartDovecot(t, peer.User{Name: user, Password: password})
	var changed []awkward.Message
	for _, m := range corpus(t) {
		if e := forgiven("Dovecot", m.Name); e != nil {
			d.Deliver(t, user, len(changed)+1, m.Octets)
			changed = append(changed, awkward.Message{Name: m.Name, Octets: m.Octets[1:]})
		}
	}
	home := w.home(t)
	w.get(t, home, password, "pop3://"+user+"@"+d.Plain)
	whole(t, changed, filepath.Join(home, "got"))
}

// get runs postfach get into the folder "got" of home.
func (w *world) get(t *testing.T, home, password string, args ...string) {
	t.Helper()
	args = append([]string{"get", "--to", "dir:" + filepath.Join(home, "got"), "--password-stdin"}, args...)
	if out, err := run(t, home, password+"\n", w.program("postfach"), args...); err != nil {
		t.Fatalf("%v\n%s", err, tail(out))
	}
}

// whole compares the files in dir with what RETR must have given: as many, and
// each of them.
func whole(t *testing.T, messages []awkward.Message, dir string) {
	t.Helper()
	got := make(map[string]int)
	entries, err := filepath.Glob(filepath.Join(dir, "*.eml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range entries {
		octets, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		got[string(octets)]++
	}
	if len(entries) != len(messages) {
		t.Errorf("%d messages, want %d", len(entries), len(messages))
	}
	for _, m := range messages {
		octets := string(m.Wire())
		if got[octets] == 0 {
			octets = string(bytes.ReplaceAll(m.Wire(), []byte("\r\n"), []byte("\n")))
		}
		if got[octets] == 0 {
			t.Errorf("message %q is not there", m.Name)
			continue
		}
		got[octets]--
	}
}
