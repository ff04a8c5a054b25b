package main

import (
	"bytes"
	"os"
	"reflect"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"postfach/pop3test"
)

// A signal that ends the shell gives the terminal back as it was.
func TestShellRestoresTheTerminal(t *testing.T) {
	srv := pop3test.NewServer(t)
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	for _, sig := range []os.Signal{syscall.SIGHUP, syscall.SIGTERM, os.Interrupt} {
		person, program := terminal(t)
		before, err := unix.IoctlGetTermios(int(program.Fd()), unix.TCGETS)
		if err != nil {
			t.Fatal(err)
		}
		cmd := tool(t, "shell", srv.Addr)
		var stderr bytes.Buffer
		cmd.Stdin, cmd.Stdout, cmd.Stderr = program, program, &stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		shown, buffer := "", make([]byte, 4096)
		for !strings.Contains(shown, "pop3> ") {
			n, err := person.Read(buffer)
			if err != nil {
				t.Fatal(err)
			}
			shown += string(buffer[:n])
		}
		if err := cmd.Process.Signal(sig); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait() // the exit code says that it did not end well
		after, err := unix.IoctlGetTermios(int(program.Fd()), unix.TCGETS)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(before, after) || cmd.ProcessState.ExitCode() != exitFailed {
			t.Errorf("%v: exit code %d, before %+v, after %+v\n%s", sig, cmd.ProcessState.ExitCode(), before, after, &stderr)
		}
	}
}
