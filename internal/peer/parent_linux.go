package peer

import (
	"os/exec"
	"syscall"
)

// dieWithParent ends the process when the test's process dies without cleaning
// up: after a panic, or a time limit.
func dieWithParent(cmd *exec.Cmd) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = new(syscall.SysProcAttr)
	}
	cmd.SysProcAttr.Pdeathsig = syscall.SIGTERM
}
