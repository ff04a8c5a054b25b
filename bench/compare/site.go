package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"postfach/internal/bench"
)

const (
	userPattern = "user%d"
	password    = "x"
)

// What accounts have in a passwd-file. hashed is password, with the 5,000 rounds that
// Debian has had for its own accounts.
const (
	inPlain = "{PLAIN}" + password
	hashed  = "{SHA512-CRYPT}$6$compare1$/aHMbZnUcO/TjkeRjSXQVVqWyHQ9zJZC31afdLIiT8vGTPCeYw0FubTBjf7TWkWfAAkloeg4NVNwENHkVBezr/"
)

// A mail is what maildrops hold. The same mail is the same octets for all servers.
type mail struct {
	users    int
	messages int // in each maildrop
	size     int // octets of each, on the wire
	sizes    bool
	hash     bool // passwords are hashed, as they are where servers are real
	fresh    bool // for one measurement, which changes it
}

// A site is a folder that one server works in, with mail that no other server touches:
// index files of one do not help another.
type site struct {
	mail
	dir string
}

func (s *site) maildirs() string { return filepath.Join(s.dir, "mail") }

func (s *site) secret() string {
	if s.hash {
		return hashed
	}
	return inPlain
}

// accounts writes a passwd-file with a line for each account.
func (s *site) accounts(file string, line func(user, secret string) string) error {
	var text strings.Builder
	for n := range s.users {
		text.WriteString(line(bench.UserName(userPattern, n+1), s.secret()) + "\n")
	}
	return os.WriteFile(file, []byte(text.String()), 0o644)
}

// site returns the folder of a server with this mail. It is made once, unless the mail
// has to be fresh. Nothing is deleted before the end: file systems are busy for a while
// with what was deleted, and it is the next one that is slower then.
func (l *lab) site(ctx context.Context, p *peer, m mail) (*site, error) {
	if l.short {
		m = m.shrunk()
	}
	key := fmt.Sprintf("%s-%dx%dx%d", p.id, m.users, m.messages, m.size)
	if m.sizes {
		key += "-sizes"
	}
	if m.hash {
		key += "-hash"
	}
	if m.fresh {
		l.fresh++
		key += fmt.Sprintf("-%d", l.fresh)
	}
	if s := l.sites[key]; s != nil {
		return s, nil
	}
	s := &site{mail: m, dir: filepath.Join(p.root, l.below(p), key)}
	if err := os.MkdirAll(s.dir, 0o755); err != nil {
		return nil, err
	}
	if p.fill != nil {
		if err := p.fill(ctx, s); err != nil {
			return nil, fmt.Errorf("the mail of %s: %w", p.name, err)
		}
	}
	l.sites[key] = s
	if p.fill == nil || l.short {
		return s, nil
	}
	return s, settle(ctx)
}

// settle waits until what was written is on the disk, and old. What is measured later is not
// to wait for a disk that still writes it. And a folder that changed a moment ago may change
// again without its times telling, so servers look twice at one, which is not what a
// maildrop costs that does not change. So it is with accounts.
func settle(ctx context.Context) error {
	if _, err := output(ctx, "sync"); err != nil {
		return err
	}
	wait := time.NewTimer(3 * time.Second)
	defer wait.Stop()
	select {
	case <-wait.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// below is where a server's folders are, under its root.
func (l *lab) below(p *peer) string {
	if p.root == "" {
		return filepath.Join(l.work, "sites")
	}
	return "/srv"
}

// shrunk is a little of it, to see whether it works.
func (m mail) shrunk() mail {
	m.users, m.messages, m.size = min(m.users, 16), min(m.messages, 20), min(m.size, 50_000)
	return m
}

// fillMaildirs makes the Maildirs, as they are when mail has been looked at.
func fillMaildirs(ctx context.Context, s *site) error {
	set := bench.MaildirSet{
		Dir: s.maildirs(), User: userPattern, Users: s.users, Messages: s.messages, Size: max(s.size, bench.MinSize), Sizes: s.sizes,
		Folder: "cur", Seed: 1, Owner: &[2]int{nobody, nobody},
	}
	_, err := set.Make(ctx)
	return err
}

// readAll reads all files of the Maildirs, so that they are in the page cache.
func (s *site) readAll(ctx context.Context) error {
	return filepath.WalkDir(s.maildirs(), func(name string, entry os.DirEntry, err error) error {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		defer f.Close()
		_, err = io.Copy(io.Discard, f)
		return err
	})
}
