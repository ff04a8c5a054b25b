//go:build unix

package peer

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// A Process is a program that runs until the test ends.
type Process struct {
	Cmd  *exec.Cmd
	done chan struct{} // closed when it has ended and all it wrote is read

	mu  sync.Mutex // guards out
	out bytes.Buffer
}

// Start runs cmd. Its standard output and error are read line by line; line,
// if not nil, sees each one. When the test ends the process gets SIGTERM, and
// SIGKILL if that does not help.
func Start(t testing.TB, cmd *exec.Cmd, line func(string)) *Process {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = w, w
	dieWithParent(cmd)
	err = cmd.Start()
	w.Close()
	if err != nil {
		r.Close()
		t.Fatal(err)
	}
	p := &Process{Cmd: cmd, done: make(chan struct{})}
	read := make(chan struct{})
	go func() {
		defer close(read)
		p.read(r, line)
	}()
	go func() {
		cmd.Wait()
		// A child of the process that lives on keeps the pipe open, but not
		// for ever.
		r.SetReadDeadline(time.Now().Add(5 * time.Second))
		<-read
		r.Close()
		close(p.done)
	}()
	t.Cleanup(func() {
		p.Stop()
		if t.Failed() {
			out := p.Output()
			t.Logf("the end of what %s wrote:\n%s", cmd.Path, out[max(0, len(out)-4000):])
		}
	})
	return p
}

func (p *Process) read(r io.Reader, line func(string)) {
	s := bufio.NewScanner(r)
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		p.mu.Lock()
		if p.out.Len() < 1<<20 {
			p.out.WriteString(s.Text() + "\n")
		}
		p.mu.Unlock()
		if line != nil {
			line(s.Text())
		}
	}
}

// Done is closed when the process has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Output returns what the process wrote so far.
func (p *Process) Output() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.ToValidUTF8(p.out.String(), "?")
}

// Stop ends the process, and returns when it has ended.
func (p *Process) Stop() {
	p.Cmd.Process.Signal(syscall.SIGTERM)
	kill := time.AfterFunc(10*time.Second, func() { p.Cmd.Process.Kill() })
	defer kill.Stop()
	<-p.done
}
