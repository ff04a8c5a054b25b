package program

import (
	"context"
	"errors"
	"math"
	"time"

	"golang.org/x/sys/unix"
)

// end returns when the program has ended. It is killed when ctx ends, and what it
// has started is killed in any case. Until it is waited for, its number is nobody
// else's.
func (r *run) end(ctx context.Context) error {
	pid := r.cmd.Process.Pid
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			err := unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
			if !errors.Is(err, unix.EINTR) {
				return
			}
		}
	}()
	select {
	case <-ended:
	case <-ctx.Done():
	}
	unix.Kill(-pid, unix.SIGKILL)
	<-ended
	err := r.cmd.Wait()
	r.stderr.SetReadDeadline(time.Now().Add(grace / 10))
	return err
}

// closeOnExec marks all descriptors but the first three at once, for which it needs
// no file: not even within a confinement (Linux 5.11).
func closeOnExec() error {
	return unix.CloseRange(3, math.MaxUint32, unix.CLOSE_RANGE_CLOEXEC)
}
