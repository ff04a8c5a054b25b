//go:build unix && !linux

package program

import (
	"context"
	"errors"
	"syscall"
	"time"
)

// end returns when the program has ended. It is killed when ctx ends, with what it
// has started.
func (r *run) end(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { syscall.Kill(-r.cmd.Process.Pid, syscall.SIGKILL) })
	err := r.cmd.Wait()
	stop()
	r.stderr.SetReadDeadline(time.Now().Add(grace / 10))
	return err
}

// closeOnExec is for Linux only.
func closeOnExec() error { return errors.ErrUnsupported }
