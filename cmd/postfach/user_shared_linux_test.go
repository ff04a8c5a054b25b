package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// The owner of the data folder, and the group of a file that another program reads.
const (
	mailOwner = 12345
	readers   = 23458
)

// A sharedFile is a file of accounts in a folder of its own, for whose group members is.
type sharedFile struct {
	dir, data, config, users string
	members                  string // of the group, for the tool
}

func newSharedFile(t *testing.T, members string) *sharedFile {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("only root can become somebody who is in a group")
	}
	dir := tempDir(t)
	s := &sharedFile{dir, filepath.Join(dir, "data"), filepath.Join(dir, "f.toml"), filepath.Join(dir, "etc", "users"), members}
	if err := errors.Join(
		os.Mkdir(s.data, 0o700), os.Chown(s.data, mailOwner, mailOwner),
		os.Mkdir(filepath.Dir(s.users), 0o755), os.Chown(filepath.Dir(s.users), mailOwner, mailOwner),
		os.WriteFile(s.users, []byte("anna:{PLAIN}p\n"), 0o600), os.Chmod(s.users, 0o640), os.Chown(s.users, mailOwner, readers),
		os.WriteFile(s.config, []byte("data = \"data\"\naccounts = \"etc/users\"\n"), 0o644),
		os.WriteFile(filepath.Join(dir, "passwd"), []byte("root:x:0:0::/root:/bin/sh\nmailowner:x:12345:12345::/:/bin/sh\n"), 0o644),
		os.WriteFile(filepath.Join(dir, "group"), fmt.Appendf(nil, "root:x:0:\nmailowner:x:12345:\nreaders:x:%d:%s\n", readers, members), 0o644),
	); err != nil {
		t.Fatal(err)
	}
	return s
}

// run runs a tool of root's on a machine with these users and groups.
func (s *sharedFile) run(t *testing.T, stdin string, args ...string) result {
	t.Helper()
	inner := tool(t, append(args, "--config", s.config)...)
	cmd := exec.CommandContext(t.Context(), "sh", "-c",
		`mount --make-rprivate / && mount --bind "$1/passwd" /etc/passwd && mount --bind "$1/group" /etc/group || exit 99; umask 077; exec "$0"`,
		inner.Path, s.dir)
	cmd.Env, cmd.Stdin = inner.Env, strings.NewReader(stdin)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	var exit *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &exit) || cmd.ProcessState.ExitCode() == 99 {
		t.Skip("files of the system cannot be covered here: ", err, stderr.String())
	}
	return result{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

// is checks whose the file is, and who may read it.
func (s *sharedFile) is(t *testing.T, uid, gid uint32, mode os.FileMode) {
	t.Helper()
	info, err := os.Lstat(s.users)
	if err != nil {
		t.Fatal(err)
	}
	if st := info.Sys().(*syscall.Stat_t); st.Uid != uid || st.Gid != gid || info.Mode() != mode {
		t.Errorf("it is %d:%d, mode %#o; want %d:%d, mode %#o", st.Uid, st.Gid, info.Mode(), uid, gid, mode)
	}
}

// A file that another program reads, too, stays one that it can read.
func TestToolsOfRootKeepAFileShared(t *testing.T) {
	s := newSharedFile(t, "dovecot,mailowner")
	s.run(t, "new\n", "user", "passwd", "anna", "--password-stdin").expect(t, 0, "password of anna changed", "")
	s.is(t, mailOwner, readers, 0o640)
	s.run(t, "new\n", "user", "add", "otto", "--password-stdin").expect(t, 0, "account otto added", "")
	s.is(t, mailOwner, readers, 0o640)
	if err := os.Chown(s.users, 0, readers); err != nil { // root's, as configuration tools leave it
		t.Fatal(err)
	}
	s.run(t, "", "user", "remove", "otto").expect(t, 0, "account otto removed", "")
	s.is(t, mailOwner, readers, 0o640)
	if err := os.Chown(s.users, mailOwner+1, readers); err != nil {
		t.Fatal(err)
	}
	s.run(t, "new\n", "user", "passwd", "anna", "--password-stdin").
		expect(t, exitFailed, "", fmt.Sprintf("belongs to uid %d, who could let anybody in\nhint: chown %d ", mailOwner+1, mailOwner))
}

// Whoever is not in the group cannot keep the file in it, and changes nothing.
func TestFileOfAnotherGroupIsNotChanged(t *testing.T) {
	s := newSharedFile(t, "dovecot")
	before, err := os.ReadFile(s.users)
	if err != nil {
		t.Fatal(err)
	}
	s.run(t, "new\n", "user", "passwd", "anna", "--password-stdin").
		expect(t, exitFailed, "", fmt.Sprintf("operation not permitted\nhint: put uid %d into group %d, or ", mailOwner, readers))
	s.is(t, mailOwner, readers, 0o640)
	if after, err := os.ReadFile(s.users); err != nil || string(after) != string(before) {
		t.Errorf("%v, left:\n%s", err, after)
	}
	// A setgid folder gives its group to all that is made in it.
	if err := errors.Join(os.Chown(filepath.Dir(s.users), mailOwner, readers), os.Chmod(filepath.Dir(s.users), os.ModeSetgid|0o755)); err != nil {
		t.Fatal(err)
	}
	s.run(t, "new\n", "user", "passwd", "anna", "--password-stdin").expect(t, 0, "password of anna changed", "")
	s.is(t, mailOwner, readers, 0o640)
}
