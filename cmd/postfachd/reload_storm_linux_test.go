package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Promise 20: reloads while people read, come and go lose no session, and leave
// neither descriptors nor goroutines behind.
func TestReloadsUnderTrafficLeaveNothing(t *testing.T) {
	const reloads = 200
	h := newHouse(t)
	h.put("cur/1.small:2,", "Subject: x\r\n\r\nx\r\n")
	theirs, ours, err := os.Pipe()
	must(t, err)
	p := launchWith(t, ours, "--data", h.data, "--pop3", "127.0.0.1:0", "--pop3s", "127.0.0.1:0")
	ours.Close()
	log := newLines(theirs) // not p.stderr: what the Go runtime says in the end is no log
	p.stdout.wait(t, "listening pop3s ")
	reader := h.login(p)
	before := p.descriptors()

	over := make(chan struct{})
	var traffic sync.WaitGroup
	reads := make(chan struct{}, 1)
	traffic.Go(func() {
		defer close(reads)
		for {
			select {
			case <-over:
				return
			case reads <- struct{}{}:
			default:
			}
			fmt.Fprint(reader.conn, "RETR 1\r\n")
			if answer, err := readAnswer(reader.r, true); err != nil || !strings.HasPrefix(answer, "+OK") {
				t.Errorf("RETR: %q, %v", answer, err)
				return
			}
		}
	})
	for _, protocol := range []string{"pop3", "pop3s"} {
		traffic.Go(func() {
			for {
				select {
				case <-over:
					return
				default:
				}
				if err := p.comeAndGo(protocol); err != nil {
					t.Errorf("%s: %v", protocol, err)
					return
				}
			}
		})
	}
	for range reloads {
		<-reads // one more since the last reload, or so
		n := log.count()
		p.signal(syscall.SIGHUP)
		log.waitAfter(t, n, "msg=reloaded")
	}
	close(over)
	traffic.Wait()
	reader.ok("NOOP")
	p.settle(before)
	reader.ok("QUIT")
	reader.closed()
	if got := h.names(); len(got) != 1 {
		t.Errorf("left: %q", got)
	}
	n := log.count()
	p.signal(syscall.SIGQUIT) // the Go runtime says what there is, and ends
	log.waitAfter(t, n, "rip ")
	<-log.over
	if goroutines := strings.Count(log.String(), "\ngoroutine "); goroutines < 5 || goroutines > 40 {
		t.Errorf("%d goroutines in the end", goroutines)
	}
}

// settle waits until no more files are open than before, and two for connections
// that have just gone.
func (p *program) settle(before int) {
	p.t.Helper()
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	late := time.After(patience)
	for p.descriptors() > before+2 {
		select {
		case <-look.C:
		case <-late:
			p.t.Errorf("%d descriptors before, %d after", before, p.descriptors())
			return
		}
	}
}

// descriptors is how many files the program has open.
func (p *program) descriptors() int {
	p.t.Helper()
	files, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", p.cmd.Process.Pid))
	must(p.t, err)
	return len(files)
}

// comeAndGo is a visitor who says a word. One with TLS does not even shake hands.
func (p *program) comeAndGo(protocol string) error {
	conn, err := from(0).Dial("tcp", p.address(protocol))
	if err != nil {
		return err
	}
	defer conn.Close()
	if protocol == "pop3s" {
		_, err := conn.Write([]byte{22, 3, 1, 0})
		return err
	}
	_, err = fmt.Fprint(conn, "QUIT\r\n")
	if answers, readErr := io.ReadAll(conn); readErr != nil || strings.Count(string(answers), "+OK") != 2 {
		return fmt.Errorf("%q, %w", answers, errors.Join(err, readErr))
	}
	return err
}
