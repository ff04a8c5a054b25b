//go:build unix

package program

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"postfach/internal/accounts"
)

// maxMessage is what programs read at least and, following checkpassword, at most,
// in octets.
const maxMessage = 512

// grace is how long a program that was killed has to be gone. One that has become
// somebody else cannot be killed.
const grace = time.Second

// ask runs the program once. What cannot be told it is wrong.
func (s *Source) ask(ctx context.Context, user, password string) (bool, error) {
	message := user + "\x00" + password + "\x00" + strconv.FormatInt(time.Now().Unix(), 10) + "\x00"
	if strings.Count(message, "\x00") != 3 || len(message) > maxMessage {
		return false, nil
	}
	ctx, cancel := context.WithTimeout(ctx, s.config.Timeout)
	defer cancel()
	select {
	case s.slots <- struct{}{}:
	case <-ctx.Done():
		return false, fmt.Errorf("wait for %s: %w", s.config.Command[0], context.Cause(ctx))
	}
	r, err := s.start(ctx, message)
	if err != nil {
		<-s.slots
		return false, fmt.Errorf("run %s: %w", s.config.Command[0], err)
	}
	ended := make(chan error, 1)
	go func() {
		ended <- r.end(ctx)
		<-s.slots // not before: there are no more programs than slots
	}()
	select {
	case err = <-ended:
	case <-ctx.Done():
		late := time.NewTimer(grace)
		defer late.Stop()
		select {
		case <-ended:
		case <-late.C:
		}
		return false, fmt.Errorf("run %s: %w", s.config.Command[0], context.Cause(ctx))
	}
	var status *exec.ExitError
	switch {
	case err == nil:
		return true, nil
	case errors.As(err, &status) && status.ExitCode() == 1:
		return false, nil
	}
	return false, fmt.Errorf("run %s: %w%s", s.config.Command[0], err, complaint(r.said(), password))
}

// A run is the program at work.
type run struct {
	cmd    *exec.Cmd
	stderr *os.File
	read   chan []byte // the beginning of what it says
}

// start runs the program. What it has to know waits on descriptor 3: not in its
// arguments or its environment, which others can read.
func (s *Source) start(ctx context.Context, message string) (*run, error) {
	in, err := pipeWith(message)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	stderr, out, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer out.Close()
	args := append(s.config.Command[1:len(s.config.Command):len(s.config.Command)], s.then)
	cmd := exec.Command(s.config.Command[0], args...)
	cmd.Dir = "/"
	cmd.Env = environment(ctx)
	cmd.Stderr = out
	cmd.ExtraFiles = []*os.File{in} // all others close in the child
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		stderr.Close()
		return nil, err
	}
	r := &run{cmd: cmd, stderr: stderr, read: make(chan []byte, 1)}
	go r.listen()
	return r, nil
}

// pipeWith returns a pipe that has a message in it, so short that it fits.
func pipeWith(message string) (*os.File, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer w.Close()
	if _, err := io.WriteString(w, message); err != nil {
		r.Close()
		return nil, err
	}
	return r, nil
}

// environment has nothing of ours in it.
func environment(ctx context.Context) []string {
	env := []string{"PATH=/usr/local/bin:/usr/bin:/bin", "PROTO=POP3"}
	if ip := accounts.Remote(ctx); ip.IsValid() {
		env = append(env, "TCPREMOTEIP="+ip.String())
	}
	return env
}

// listen reads what the program says, and keeps the beginning.
func (r *run) listen() {
	defer r.stderr.Close()
	first, _ := io.ReadAll(io.LimitReader(r.stderr, 4*maxComplaint))
	r.read <- first
	io.Copy(io.Discard, r.stderr)
}

// said returns the beginning of what the program said. Who still holds its
// standard error open is not waited for.
func (r *run) said() []byte { return <-r.read }
