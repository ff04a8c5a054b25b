//go:build unix && !linux

package peer

import "os/exec"

// dieWithParent is for Linux only.
func dieWithParent(*exec.Cmd) {}
