package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
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
		data := filepath.Join(t.TempDir(), "data")
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

// All that root makes in the data folder belongs to the folder's owner.
func TestRootGivesToTheOwner(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can give")
	}
	data := filepath.Join(t.TempDir(), "data")
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
