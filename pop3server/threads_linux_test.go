package pop3server_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"testing"

	"postfach/maildrop"
)

// An emptyPipe is a store whose calls are system calls that do not come back until
// the pipe is closed: each holds a thread, as one on a dead disk does.
type emptyPipe struct {
	read, write int
	entered     chan struct{} // one for each call
}

func newEmptyPipe(t *testing.T, calls int) *emptyPipe {
	t.Helper()
	var ends [2]int
	if err := syscall.Pipe2(ends[:], syscall.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	p := &emptyPipe{read: ends[0], write: ends[1], entered: make(chan struct{}, calls)}
	t.Cleanup(func() { syscall.Close(p.read) })
	return p
}

func (p *emptyPipe) Open(context.Context, string) (maildrop.Maildrop, error) {
	p.entered <- struct{}{}
	for {
		_, err := syscall.Read(p.read, make([]byte, 1))
		if !errors.Is(err, syscall.EINTR) {
			return nil, errors.New("the disk is dead")
		}
	}
}

// threads returns how many the process has.
func threads(t *testing.T) int {
	t.Helper()
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Fatal(err)
	}
	return len(tasks)
}

// Promise 17: 1,000 sessions on a disk that does not answer take as many threads as
// there may be calls, with the defaults, and the server still talks to others.
func TestBlockedStoreTakesFewThreads(t *testing.T) {
	const (
		sessions = 1000
		turns    = 256
	)
	srv, _, _ := guarded()
	srv.Limits.ConnectionsPerAddress = sessions + 1
	disk := newEmptyPipe(t, sessions)
	srv.Store = disk
	before := threads(t)
	var all []*client
	for i := range sessions {
		c := connectFrom(t, srv, fmt.Sprintf("192.0.2.%d", i%250))
		c.talk(fmt.Sprintf("S: +OK ...\nC: USER u%d\nS: +OK ...\nC: PASS right", i))
		all = append(all, c)
	}
	for range turns {
		<-disk.entered
	}
	connectFrom(t, srv, "192.0.2.1").talk("S: +OK ...\nC: CAPA\nS: +OK ...")
	more := len(disk.entered)

	syscall.Close(disk.write) // the disk fails at last
	for _, c := range all {
		c.talk("S: -ERR [SYS/TEMP] internal error, try again later")
	}
	grown := threads(t) - before // none of them ends before the process
	t.Logf("%d more threads, %d calls too many", grown, more)
	if grown > turns+32 || more > 0 {
		t.Errorf("%d sessions on a disk that does not answer: %d more threads, %d calls in the store", sessions, grown, turns+more)
	}
}
