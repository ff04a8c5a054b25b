package main

import (
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"postfach/internal/hint"
)

func TestFailedStartHasAHint(t *testing.T) {
	for _, why := range []syscall.Errno{syscall.ENOSPC, syscall.EDQUOT, syscall.EROFS} {
		err := &fs.PathError{Op: "write", Path: "/x", Err: why}
		if got := atStart(err); hint.Of(got) == "" || !errors.Is(got, why) || got.Error() != err.Error() {
			t.Errorf("%v, hint %q", got, hint.Of(got))
		}
	}
	for _, err := range []error{syscall.EIO, hint.Add(syscall.ENOSPC, "its own")} {
		if got := atStart(err); got != err {
			t.Errorf("%v, hint %q", got, hint.Of(got))
		}
	}
}

// A source that does not answer is told of with what to try.
func TestSourceThatIsAwayHasAHint(t *testing.T) {
	for source, want := range map[string]string{
		"type = \"ldap\"\nurl = \"ldap://127.0.0.1:1\"\nbase = \"dc=example\"\nfilter = \"(uid={user})\"":               "ldapsearch",
		"type = \"sql\"\nurl = \"postgres://127.0.0.1:1/x\"\nquery = \"SELECT password FROM users WHERE name = @user\"": "psql",
	} {
		data, name := newData(t), filepath.Join(tempDir(t), "f.toml")
		configured(t, name, "[[source]]\n"+source)
		p := serveIn(t, data, "--config", name)
		if line := p.stderr.wait(t, notAsked); !strings.Contains(line, "hint=") || !strings.Contains(line, want) {
			t.Error(line)
		}
		p.end()
	}
}

// Who may not connect needs no other program that asks, but to be let.
func TestSourceThatMayNotBeAskedHasItsHint(t *testing.T) {
	if got := askingRemedy("ldap", &fs.PathError{Op: "connect", Path: "x", Err: syscall.EPERM}); !strings.Contains(got, "restart") {
		t.Error(got)
	}
}
