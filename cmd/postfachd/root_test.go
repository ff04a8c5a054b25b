//go:build linux

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"postfach/internal/datafolder"
)

func needRoot(t *testing.T) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("only root can give root up")
	}
}

func TestRootIsGivenUp(t *testing.T) {
	needRoot(t)
	data := newData(t)
	p := serveIn(t, data)
	info, err := os.Stat(data)
	must(t, err)
	owner := info.Sys().(*syscall.Stat_t)
	if owner.Uid == 0 || owner.Gid == 0 {
		t.Fatal("the data folder is root's")
	}
	tasks, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", p.cmd.Process.Pid))
	must(t, err)
	for _, task := range tasks {
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/status", p.cmd.Process.Pid, task.Name()))
		must(t, err)
		for _, want := range []string{
			fmt.Sprintf("Uid:\t%d\t%[1]d\t%[1]d\t%[1]d\n", owner.Uid),
			fmt.Sprintf("Gid:\t%d\t%[1]d\t%[1]d\t%[1]d\n", owner.Gid),
			fmt.Sprintf("Groups:\t%d \n", owner.Gid),
			"CapPrm:\t0000000000000000\n", "CapEff:\t0000000000000000\n",
		} {
			if !strings.Contains(string(status), want) {
				t.Errorf("thread %s is not %q:\n%s", task.Name(), want, status)
			}
		}
	}
	must(t, filepath.Walk(data, func(path string, info os.FileInfo, err error) error {
		if err == nil && info.Sys().(*syscall.Stat_t).Uid != owner.Uid {
			t.Errorf("%s belongs to uid %d", path, info.Sys().(*syscall.Stat_t).Uid)
		}
		return err
	}))
	p.dialTLS(data).login("postfach", firstPassword(t, data))
	p.end()
	if exists(filepath.Join(data, "run", "listeners")) {
		t.Error("the file of listeners stays")
	}
}

func TestWhatIsInForceIsLogged(t *testing.T) {
	p := serveIn(t, newData(t))
	line := p.stderr.wait(t, "msg=confinement")
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	must(t, err)
	_, caps, _ := strings.Cut(string(status), "CapEff:\t")
	caps, _, _ = strings.Cut(caps, "\n")
	if !strings.Contains(line, "capeff="+caps) || strings.Contains(line, "uid=0 ") {
		t.Errorf("logged: %s\nin force: %s", line, caps)
	}
	tasks, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", p.cmd.Process.Pid))
	must(t, err)
	for _, task := range tasks { // with C code in the program, too
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/status", p.cmd.Process.Pid, task.Name()))
		must(t, err)
		if !strings.Contains(string(status), "NoNewPrivs:\t1\n") {
			t.Errorf("thread %s may gain privileges:\n%s", task.Name(), status)
		}
	}
	if strings.Contains(p.stderr.String(), "not as confined") {
		t.Errorf("log:\n%s", p.stderr)
	}
	limits, err := os.ReadFile(fmt.Sprintf("/proc/%d/limits", p.cmd.Process.Pid))
	if err == nil && !strings.Contains(string(limits), "Max core file size        0                    0 ") {
		t.Errorf("core dumps are possible:\n%s", limits)
	}
	p.end()
}

func TestFoldersThatTheOwnerCannotUseAreRefused(t *testing.T) {
	needRoot(t)
	free := []string{"--pop3", "127.0.0.1:0", "--pop3s", "", "--data"}

	roots := newData(t)
	must(t, os.MkdirAll(filepath.Join(roots, "mail"), 0o700))
	refused(t, "belongs to root", "no data folder of Postfach's", append(free, roots)...) // mail/ may be anybody's
	must(t, datafolder.Folder(roots).MakeParts())
	refused(t, "belongs to root", "chown -R postfach:", append(free, roots)...)

	closed := filepath.Join(tempDir(t), "closed")
	must(t, os.Mkdir(closed, 0o700))
	refused(t, "permission denied", "pass the folders above it", append(free, filepath.Join(closed, "data"))...)

	part := newData(t)
	serveIn(t, part).end()
	must(t, os.Chown(filepath.Join(part, "mail"), 0, 0))
	refused(t, "permission denied", "chown -R postfach:", append(free, part)...)

	secret := filepath.Join(tempDir(t), "postfachd.toml")
	must(t, os.WriteFile(secret, nil, 0o600))
	refused(t, "the server cannot read what it needs", "SIGHUP", append(free, begunData(t), "--config", secret)...)
}

// The protocol log is opened by whom the server has become.
func TestProtocolLogIsNotWrittenAsRoot(t *testing.T) {
	needRoot(t)
	closed := tempDir(t)
	free := []string{"--pop3", "127.0.0.1:0", "--pop3s", "", "--data", newData(t), "--protocol-log"}
	refused(t, "open the protocol log", "where uid", append(free, filepath.Join(closed, "log"))...)
	if exists(filepath.Join(closed, "log")) {
		t.Error("it was made")
	}
}

// A folder that root has made, and nobody used, is given away, too.
func TestEmptyFolderOfRootIsGivenAway(t *testing.T) {
	needRoot(t)
	data := tempDir(t)
	serveIn(t, data).end()
	info, err := os.Stat(data)
	must(t, err)
	if info.Sys().(*syscall.Stat_t).Uid == 0 || info.Mode().Perm() != 0o700 {
		t.Errorf("%+v", info)
	}
}
