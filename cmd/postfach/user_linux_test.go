package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// terminal opens a pseudo-terminal: the person's side and the program's.
func terminal(t *testing.T) (person, program *os.File) {
	t.Helper()
	person, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { person.Close() })
	if err := unix.IoctlSetPointerInt(int(person.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(person.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	program, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { program.Close() })
	return person, program
}

func TestPasswordIsAskedTwice(t *testing.T) {
	for _, c := range []struct {
		typed string
		code  int
		want  string
	}{
		{"geheim\ngeheim\n", 0, "account anna added"},
		{"geheim\ngehiem\n", exitFailed, "the two passwords differ"},
	} {
		data := filepath.Join(tempDir(t), "data")
		person, program := terminal(t)
		if _, err := person.WriteString(c.typed); err != nil {
			t.Fatal(err)
		}
		cmd := tool(t, "user", "add", "anna", "--data", data)
		var out bytes.Buffer
		cmd.Stdin, cmd.Stdout, cmd.Stderr = program, &out, &out
		cmd.Run()
		if code := cmd.ProcessState.ExitCode(); code != c.code || !strings.Contains(out.String(), "new password: \nonce more: \n") || !strings.Contains(out.String(), c.want) {
			t.Errorf("exit code %d, want %d\n%s\nwant %s", code, c.code, &out, c.want)
		}
		if c.code == 0 && !logsIn(t, data, "anna", "geheim") {
			t.Error("the password is not what was typed")
		}
	}
}

// A folder's owner plants links, and root calls the tools: nothing is made
// where the owner could not make it.
func TestToolsOfRootFollowNoLinkOfTheOwner(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can be led astray")
	}
	data, victim := filepath.Join(tempDir(t), "data"), tempDir(t)
	runTool(t, "p\n", "user", "add", "one", "--data", data, "--password-stdin").expect(t, 0, "", "")
	link := func(name string) {
		t.Helper()
		name = filepath.Join(data, name)
		if err := errors.Join(os.RemoveAll(name), os.Symlink(victim, name)); err != nil {
			t.Fatal(err)
		}
	}
	untouched := func() {
		t.Helper()
		if names, err := os.ReadDir(victim); err != nil || len(names) > 0 {
			t.Errorf("made where the link leads: %v, %v", names, err)
		}
	}
	link("mail/two")
	runTool(t, "p\n", "user", "add", "two", "--data", data, "--password-stdin").expect(t, exitFailed, "", "")
	untouched()
	link("keys")
	runTool(t, "", "user", "apop", "one", "--data", data).expect(t, exitFailed, "", "permission denied")
	untouched()
	link("mail/one/tmp")
	if r := runTool(t, "x\n", "deliver", "one", "--data", data); r.code != exitTempFail {
		t.Errorf("exit code %d\n%s", r.code, r.stderr)
	}
	untouched()
	link("mail")
	runTool(t, "p\n", "user", "add", "three", "--data", data, "--password-stdin").expect(t, exitFailed, "", "permission denied")
	untouched()
	link("run")
	runTool(t, "p\n", "user", "passwd", "one", "--data", data, "--password-stdin").expect(t, 0, "", "")
	untouched()
}

func TestFolderOfRootIsRefusedWithAHint(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can be refused")
	}
	data := tempDir(t)
	must(t, os.Mkdir(filepath.Join(data, "mail"), 0o700))
	runTool(t, "p\n", "user", "add", "one", "--data", data, "--password-stdin").expect(t, exitFailed, "", "belongs to root")
	runTool(t, "", "user", "list", "--data", data).expect(t, exitFailed, "", "hint: this is no data folder of Postfach's") // mail/ may be anybody's
	for _, part := range []string{"keys", "lastlogin"} {
		must(t, os.Mkdir(filepath.Join(data, part), 0o700))
	}
	runTool(t, "", "user", "list", "--data", data).expect(t, exitFailed, "", "hint: chown -R postfach: "+data)
	runTool(t, "x\n", "deliver", "one", "--data", data).expect(t, exitTempFail, "", "belongs to root")
}

// A limit of file sizes costs the delivery, not the program: Go has the write
// fail, where SIGXFSZ would kill others.
func TestMessageBeyondTheFileSizeLimitCanBeTriedAgain(t *testing.T) {
	data := filepath.Join(tempDir(t), "data")
	runTool(t, "p\n", "user", "add", "anna", "--data", data, "--password-stdin").expect(t, 0, "", "")
	deliver := tool(t, "deliver", "anna", "--data", data)
	limited := exec.CommandContext(t.Context(), "sh", "-c", `ulimit -f 8; exec "$0"`, deliver.Path)
	limited.Env = deliver.Env
	limited.Stdin = strings.NewReader(strings.Repeat("x\n", 1<<20))
	out, _ := limited.CombinedOutput()
	if code := limited.ProcessState.ExitCode(); code != exitTempFail || !strings.Contains(string(out), "file too large") {
		t.Errorf("%v\n%s", limited.ProcessState, out)
	}
	if left, err := filepath.Glob(filepath.Join(data, "mail", "anna", "*", "*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// All that root makes in the data folder belongs to the folder's owner.
func TestRootGivesToTheOwner(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can give")
	}
	data := filepath.Join(tempDir(t), "data")
	check := func() {
		t.Helper()
		err := filepath.WalkDir(data, func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			info, err := d.Info()
			if err != nil {
				return err
			}
			if st := info.Sys().(*syscall.Stat_t); st.Uid == 0 || st.Gid == 0 {
				t.Errorf("%s belongs to %d:%d", path, st.Uid, st.Gid)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
	runTool(t, "p\n", "user", "add", "anna", "--data", data, "--password-stdin", "--apop").expect(t, 0, "", "")
	check()
	runTool(t, "Subject: x\n\nx\n", "deliver", "anna", "--data", data).expect(t, 0, "", "")
	runTool(t, "p\n", "user", "passwd", "anna", "--data", data, "--password-stdin").expect(t, 0, "", "")
	check()
}
