//go:build unix

package main

import (
	"os/exec"
	"syscall"
)

// ownGroup makes a command the first of a process group, which ends with it
// when its time is over.
func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
