package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"syscall"
	"time"
)

const (
	startTime = 20 * time.Second // until a server answers
	stopTime  = 20 * time.Second // until it has ended by itself
)

// A process is a program that this run has started, the first of a group of its own.
type process struct {
	cmd  *exec.Cmd
	log  string // what it says
	done chan struct{}
}

// spawn starts a program, whose words go into a file.
func spawn(cmd *exec.Cmd, log string) (*process, error) {
	f, err := os.OpenFile(log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if cmd.Stdout == nil {
		cmd.Stdout = f
	}
	cmd.Stderr = f
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setpgid = true
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{cmd: cmd, log: log, done: make(chan struct{})}
	go func() {
		cmd.Wait()
		close(p.done)
	}()
	return p, nil
}

func (p *process) pid() int { return p.cmd.Process.Pid }

// stop ends the program, and what it has left of its group.
func (p *process) stop() {
	syscall.Kill(-p.pid(), syscall.SIGTERM)
	late := time.NewTimer(stopTime)
	defer late.Stop()
	select {
	case <-p.done:
	case <-late.C:
	}
	syscall.Kill(-p.pid(), syscall.SIGKILL)
	<-p.done
}

// answers waits until the program greets on an address.
func (p *process) answers(ctx context.Context, addr string) error {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for {
		err := greets(ctx, addr)
		if err == nil {
			return nil
		}
		select {
		case <-p.done:
			return fmt.Errorf("%s ended: %s", p.cmd.Path, p.lastWords())
		case <-ctx.Done():
			return fmt.Errorf("%s does not answer: %w: %s", p.cmd.Path, err, p.lastWords())
		case <-again.C:
		}
	}
}

// greets connects, and waits for a line.
func greets(ctx context.Context, addr string) error {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	r := bufio.NewReader(conn)
	if _, err := r.ReadSlice('\n'); err != nil {
		return err
	}
	return nil
}

// lastWords is the end of what the program has said.
func (p *process) lastWords() string {
	const most = 1000
	text, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-most):])
}

// freePort returns a loopback port that nobody listens on.
func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, err
}

// freePorts returns n different ones.
func freePorts(n int) (ports []string, err error) {
	seen := make(map[string]bool)
	for range 100 * n {
		port, err := freePort()
		if err != nil {
			return nil, err
		}
		if !seen[port] {
			seen[port] = true
			ports = append(ports, port)
		}
		if len(ports) == n {
			return ports, nil
		}
	}
	return nil, errors.New("no free ports")
}

// output runs a program to its end, and returns its first words.
func output(ctx context.Context, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	out, err := cmd.Output()
	if e := new(exec.ExitError); errors.As(err, &e) {
		err = fmt.Errorf("%s: %w: %s", name, err, e.Stderr)
	}
	return string(out), err
}
