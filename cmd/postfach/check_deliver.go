package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/emersion/go-smtp"

	"postfach/internal/hint"
	"postfach/internal/vfs"
	"postfach/maildrop/maildir"
	"postfach/pop3check"
)

// A deliverFunc puts one message into the maildrop of the account that is used
// for checks.
type deliverFunc func(ctx context.Context, message []byte) error

// deliverer turns --deliver into what it does.
func (c *checkCmd) deliverer() (deliverFunc, error) {
	kind, to, found := strings.Cut(home(c.Deliver), ":")
	if found && to != "" {
		switch kind {
		case "maildir":
			return deliverMaildir(to), nil
		case "command":
			return deliverCommand(to), nil
		case "lmtp", "smtp":
			return c.deliverSMTP(to, kind == "lmtp")
		}
	}
	err := fmt.Errorf("--deliver %s", c.Deliver)
	return nil, &exitError{hint.Add(err, "maildir:DIR, lmtp:HOST:PORT, lmtp:SOCKET, smtp:HOST:PORT or command:CMD"), exitUsage}
}

// deliverMaildir writes into a Maildir, whose owner then owns the message.
func deliverMaildir(dir string) deliverFunc {
	store := &maildir.Store{
		Path: func(string) (string, error) { return dir, nil }, Hostname: hostname(),
		FS: ownedFS{vfs.OS{}},
	}
	return func(ctx context.Context, message []byte) error {
		_, err := store.Deliver(ctx, "", bytes.NewReader(pop3check.LocalLineEnds(message)))
		return err
	}
}

// An ownedFS gives each message that root delivers to the owner of new/, before it gets
// the name under which others see it.
type ownedFS struct{ vfs.FS }

// OpenFolder implements vfs.FS.
func (o ownedFS) OpenFolder(name string) (vfs.Folder, error) {
	f, err := o.FS.OpenFolder(name)
	if err != nil {
		return nil, err
	}
	return ownedMaildir{f}, nil
}

type ownedMaildir struct{ vfs.Folder }

func (m ownedMaildir) OpenFolder(name string) (vfs.Folder, error) {
	f, err := m.Folder.OpenFolder(name)
	if err != nil || name != "tmp" {
		return f, err
	}
	info, err := m.Lstat("new")
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return ownedFolder{f, info.Owner}, nil
}

// An ownedFolder is one in which all that root makes is somebody's.
type ownedFolder struct {
	vfs.Folder
	owner vfs.Owner
}

func (o ownedFolder) Create(name string, perm fs.FileMode) (vfs.File, error) {
	f, err := o.Folder.Create(name, perm)
	if err != nil || os.Geteuid() != 0 || !o.owner.Known {
		return f, err
	}
	if err := f.Chown(int(o.owner.UID), int(o.owner.GID)); err != nil {
		return nil, errors.Join(err, f.Close(), o.Remove(name))
	}
	return f, nil
}

// deliverCommand gives the message to a command's standard input.
func deliverCommand(command string) deliverFunc {
	return func(ctx context.Context, message []byte) error {
		cmd := exec.CommandContext(ctx, "sh", "-c", command)
		cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(pop3check.LocalLineEnds(message)), os.Stderr, os.Stderr
		cmd.WaitDelay = time.Second
		ownGroup(cmd)
		return cmd.Run()
	}
}

// deliverSMTP sends the message by LMTP or SMTP, to the user name. addr is
// host:port, or the path of a socket.
func (c *checkCmd) deliverSMTP(addr string, lmtp bool) (deliverFunc, error) {
	if c.User == "" {
		return nil, &exitError{errors.New("--deliver lmtp: needs --user, who is the recipient"), exitUsage}
	}
	network := "tcp"
	if strings.Contains(addr, "/") {
		network = "unix"
	} else if _, _, err := net.SplitHostPort(addr); err != nil {
		return nil, &exitError{hint.Add(fmt.Errorf("--deliver %s: %w", c.Deliver, err), "lmtp:localhost:24"), exitUsage}
	}
	return func(ctx context.Context, message []byte) error {
		var d net.Dialer
		conn, err := d.DialContext(ctx, network, addr)
		if err != nil {
			return err
		}
		stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Now()) })
		defer stop()
		client := smtp.NewClient(conn)
		if lmtp {
			client = smtp.NewClientLMTP(conn)
		}
		defer client.Close()
		client.CommandTimeout, client.SubmissionTimeout = c.Timeout, c.Timeout
		if err := client.SendMail("", []string{c.User}, bytes.NewReader(message)); err != nil {
			return errors.New(visibleLine(err.Error())) // the server's words
		}
		return client.Quit()
	}, nil
}
