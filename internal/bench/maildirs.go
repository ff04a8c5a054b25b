package bench

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// A MaildirSet says which Maildirs are to be made. The same fields make the same files.
type MaildirSet struct {
	Dir      string // the folder with a Maildir for each user
	User     string // pattern of their names; "": "user%d"
	Users    int
	Messages int // in each
	Size     int // octets of a message on the wire, or the median of Real ones
	Real     bool
	Sizes    bool   // names tell sizes: ",S=" in the file, ",W=" on the wire
	Folder   string // "new" or "cur"
	Seed     uint64
	// Owner, if not nil, gets the files: two numbers, of user and group.
	Owner *[2]int
}

// Made is what Make has made.
type Made struct {
	Maildirs int   `json:"maildirs"`
	Messages int   `json:"messages"`
	Octets   int64 `json:"octets"` // on the wire
}

// Make makes the Maildirs. None of them may be there already.
func (s MaildirSet) Make(ctx context.Context) (made Made, err error) {
	if s.User == "" {
		s.User = "user%d"
	}
	if s.Folder != "new" && s.Folder != "cur" {
		return made, fmt.Errorf("folder %q: new or cur", s.Folder)
	}
	for user := range s.Users {
		dir := filepath.Join(s.Dir, UserName(s.User, user+1))
		if _, err := os.Lstat(dir); err == nil {
			return made, fmt.Errorf("%s %w", dir, ErrNotEmpty)
		}
	}
	for user := range s.Users {
		if err := ctx.Err(); err != nil {
			return made, err
		}
		octets, err := s.makeOne(ctx, user+1)
		made.Octets += octets
		if err != nil {
			return made, err
		}
		made.Maildirs++
		made.Messages += s.Messages
	}
	return made, nil
}

func (s *MaildirSet) makeOne(ctx context.Context, user int) (octets int64, err error) {
	dir := filepath.Join(s.Dir, UserName(s.User, user))
	if err := os.MkdirAll(s.Dir, 0o755); err != nil {
		return 0, err
	}
	for _, sub := range []string{"", "tmp", "new", "cur"} {
		sub = filepath.Join(dir, sub)
		if err := os.Mkdir(sub, 0o700); err != nil {
			return 0, err
		}
		if err := s.give(sub); err != nil {
			return 0, err
		}
	}
	m := s.maker(user)
	for number := 1; number <= s.Messages && ctx.Err() == nil; number++ {
		if err := m.write(s, dir, number); err != nil {
			return m.octets, err
		}
	}
	return m.octets, ctx.Err()
}

// A maker makes the messages of one Maildir.
type maker struct {
	messages   Messages
	wire, file []byte
	octets     int64
}

func (s *MaildirSet) maker(user int) *maker {
	return &maker{messages: Messages{Seed: s.Seed<<24 ^ uint64(user)}}
}

// write makes one message.
func (m *maker) write(s *MaildirSet, dir string, number int) error {
	size := s.Size
	if s.Real {
		size = RealSize(m.messages.Seed, number, s.Size)
	}
	m.wire = m.messages.Append(m.wire[:0], number, size)
	m.file = stored(m.file, m.wire)
	m.octets += int64(len(m.wire))
	name := filepath.Join(dir, s.Folder, s.name(number, len(m.file), len(m.wire)))
	if err := os.WriteFile(name, m.file, 0o600); err != nil {
		return err
	}
	sent := time.Unix(firstSecond+int64(number), 0)
	if err := os.Chtimes(name, sent, sent); err != nil {
		return err
	}
	return s.give(name)
}

// name is a Maildir's name for a message: time, number, and a host of our own.
func (s *MaildirSet) name(number, file, wire int) string {
	name := fmt.Sprintf("%d.M%dP1Q%d.bench", firstSecond+number, number%1_000_000, number)
	if s.Sizes {
		name += ",S=" + strconv.Itoa(file) + ",W=" + strconv.Itoa(wire)
	}
	if s.Folder == "cur" {
		name += ":2,"
	}
	return name
}

// madeHere reports whether a file name is one of name's.
func madeHere(name string) bool {
	name, _, _ = strings.Cut(name, ":")
	name, _, _ = strings.Cut(name, ",")
	return strings.HasSuffix(name, ".bench")
}

func (s *MaildirSet) give(name string) error {
	if s.Owner == nil {
		return nil
	}
	return os.Lchown(name, s.Owner[0], s.Owner[1])
}

// ownerOf returns who gets files in a folder; nil: whoever makes them.
func ownerOf(dir string) (*[2]int, error) {
	info, err := os.Stat(dir)
	if err != nil {
		return nil, err
	}
	uid, gid, ok := owner(info)
	if !ok || os.Getuid() != 0 {
		return nil, nil
	}
	return &[2]int{uid, gid}, nil
}
