package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"postfach/internal/bench"
)

const (
	popa3dUsers = 64 // accounts of the system: it has no others
	firstUID    = 20_000
)

// popa3d returns the server of Openwall and of old Debians: mbox, a process for each
// session, started by an inetd.
func (l *lab) popa3d(ctx context.Context) ([]*peer, error) {
	root, err := l.unpack(ctx, "popa3d", "libpam-modules")
	if err == nil {
		err = popa3dAccounts(root)
	}
	if err != nil {
		return nil, without("popa3d", err)
	}
	p := &peer{id: popa3d, name: "popa3d", version: packageVersion(ctx, root, "popa3d"), root: root, fill: fillMboxes}
	p.start = func(ctx context.Context, s *site) (*server, error) {
		return serve(ctx, s, func(ports []string) (*process, error) { return l.startPopa3d(root, s, ports[0]) })
	}
	return []*peer{p}, nil
}

// popa3dAccounts makes its accounts. Every password is right: checking one costs nothing.
func popa3dAccounts(root string) error {
	more := "popa3d:x:203:203::/var/lib/popa3d:/bin/false\n"
	for n := range popa3dUsers {
		more += fmt.Sprintf("%s:x:%d:%d::/:/bin/sh\n", bench.UserName(userPattern, n+1), firstUID+n, firstUID+n)
	}
	if err := chrootAccounts(root, more); err != nil {
		return err
	}
	const permit = "auth required pam_permit.so\naccount required pam_permit.so\n"
	return os.WriteFile(filepath.Join(root, "etc/pam.d/popa3d"), []byte(permit), 0o644)
}

func (l *lab) startPopa3d(root string, s *site, port string) (*process, error) {
	spool := filepath.Join(root, "var/mail")
	if err := os.RemoveAll(spool); err != nil {
		return nil, err
	}
	if err := os.Symlink(strings.TrimPrefix(s.maildirs(), root), spool); err != nil {
		return nil, err
	}
	cmd := exec.Command(l.self, inetdCommand, "127.0.0.1:"+port, root, "/usr/sbin/popa3d")
	return spawn(cmd, filepath.Join(s.dir, "log"))
}

// fillMboxes makes the same messages as fillMaildirs, a file for each account.
func fillMboxes(ctx context.Context, s *site) error {
	if s.users > popa3dUsers {
		return fmt.Errorf("%d accounts are more than it has here", s.users)
	}
	if err := os.Mkdir(s.maildirs(), 0o755); err != nil {
		return err
	}
	for n := range s.users {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := s.fillMbox(n + 1); err != nil {
			return err
		}
	}
	return nil
}

func (s *site) fillMbox(user int) (err error) {
	f, err := os.OpenFile(filepath.Join(s.maildirs(), bench.UserName(userPattern, user)), os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	messages := bench.Messages{Seed: 1<<24 ^ uint64(user)}
	w := bufio.NewWriter(f)
	for number := range s.messages {
		w.WriteString("From sender@example.org Thu Jan  1 00:00:00 2026\n")
		w.Write(messages.AppendStored(nil, number+1, max(s.size, bench.MinSize)))
		w.WriteString("\n")
	}
	uid := firstUID + user - 1
	return errors.Join(w.Flush(), f.Chown(uid, uid))
}
