package main

import (
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"sync"
	"syscall"
)

// inetdCommand is the first argument that makes this program an inetd: then come an
// address, the root of a chroot, and a program with its arguments.
const inetdCommand = "inetd"

// inetd runs a program in a chroot for each connection, which is its standard input and
// output. It is a process of its own, so that what starting programs costs is counted as
// the server's.
func inetd(ctx context.Context, addr string, args []string) error {
	if len(args) < 2 {
		return errors.New("inetd wants an address, a root and a program")
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { l.Close() })()
	var all sync.WaitGroup
	defer all.Wait()
	for {
		conn, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return err
		}
		all.Go(func() { connected(ctx, conn.(*net.TCPConn), args[0], args[1:]) })
	}
}

// connected is one connection.
func connected(ctx context.Context, conn *net.TCPConn, root string, args []string) {
	f, err := conn.File()
	conn.Close()
	if err != nil {
		return
	}
	defer f.Close()
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = f, f, os.Stderr
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: root}
	if err := cmd.Start(); err != nil {
		return
	}
	f.Close() // the program's only, so that the connection ends with it
	cmd.Wait()
}
