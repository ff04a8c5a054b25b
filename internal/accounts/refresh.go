package accounts

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"strings"
	"time"

	"postfach/internal/hint"
	"postfach/internal/vfs"
)

// A stamp tells one state of the file from another.
type stamp struct {
	id      vfs.FileID
	mode    fs.FileMode
	size    int64
	mtime   time.Time
	ctime   time.Time
	problem string // why there was nothing to stamp
}

func stampOf(i vfs.Info) stamp {
	return stamp{id: i.ID, mode: i.Mode, size: i.Size, mtime: i.ModTime, ctime: i.ChangeTime}
}

// tick is longer than the smallest step of any file system's clock. A file
// changed less than a tick before it was read may have been changed once more
// without a trace, and inode numbers come back: until it is older, it is read
// again at each look-up.
const tick = 2 * time.Second

// Load reads the file now, whether it has changed or not. After an error, what
// held before goes on to hold; before the first success, nobody gets in.
func (f *File) Load() error {
	f.setUp()
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.stamp()
	f.seen = stamp{}
	err := f.read()
	if err != nil {
		f.refuse(now, err)
		f.told = f.now() // the caller does
	}
	return err
}

// stamp looks at the file.
func (f *File) stamp() stamp {
	info, err := f.fs().Lstat(f.Path)
	if err != nil {
		return stamp{problem: err.Error()}
	}
	return stampOf(info)
}

// refuse remembers that a state of the file cannot be used. It reports whether
// that is news.
func (f *File) refuse(now stamp, err error) bool {
	f.seen, f.settled, f.refused = now, f.settles(now), err
	before := f.complaint
	f.complaint = fmt.Sprint(now, err)
	return f.complaint != before
}

// look returns the accounts as the file has them now.
func (f *File) look() (*table, error) {
	f.setUp()
	f.mu.Lock()
	defer f.mu.Unlock()
	news := false
	if now := f.stamp(); now != f.seen || !f.settled {
		if err := f.read(); err != nil {
			news = f.refuse(now, err)
		}
	}
	if f.refused != nil && (news || f.now().Sub(f.told) >= remindAfter) {
		f.complain(f.refused)
		f.told = f.now()
	}
	return f.held()
}

// held returns what is in force. Only where nothing ever was, it is an error.
func (f *File) held() (*table, error) {
	if f.current == nil {
		return nil, f.refused
	}
	return f.current, nil
}

// read makes the file's content current.
func (f *File) read() error {
	content, info, err := readSecretFile(f.fs(), f.Path, f.Shared)
	if errors.Is(err, fs.ErrPermission) {
		err = hint.Add(err, "uid %d, which this program runs as, must own the file, with mode 0600; outside the data folder its group may read it, too (0640)", os.Geteuid())
	}
	if err != nil {
		return err
	}
	if f.current == nil || !bytes.Equal(content, f.content) || f.seen == (stamp{}) {
		t, err := parse(f.Path, string(content))
		if err != nil {
			return err
		}
		f.current, f.content = t, content
		f.unseal(t)
		f.warn(t)
	}
	f.seen = stampOf(info)
	f.settled = f.settles(f.seen)
	f.refused, f.complaint = nil, ""
	return nil
}

// settles reports whether no change can hide behind a stamp any more.
func (f *File) settles(s stamp) bool {
	old := f.now().Add(-tick)
	return s.mtime.Before(old) && s.ctime.Before(old)
}

// unseal looks whether the APOP secrets of t open. Those which do not concern
// their accounts only.
func (f *File) unseal(t *table) {
	f.sealer, f.apop, f.dummy = nil, false, ""
	var err error
	for _, a := range t.inFile {
		if a.sealed == "" || f.Key == "" || err != nil {
			continue
		}
		if f.sealer == nil {
			if f.sealer, err = readSealer(f.fs(), f.Key); err != nil {
				f.complain(err)
				continue
			}
		}
		if _, err := f.sealer.open(a.User, a.sealed); err != nil {
			f.log().Warn("APOP secret cannot be opened", "user", a.User, "err", err, "hint", "give a new one with postfach user apop "+a.User)
			continue
		}
		f.apop = f.apop || a.Closed == ""
		f.dummy = f.sealer.seal("", NewAPOPSecret())
	}
}

// warn logs what is read, and probably not meant so.
func (f *File) warn(t *table) {
	for _, a := range t.inFile {
		if a.Closed != "" {
			f.log().Warn("account is closed", "user", a.User, "field", a.Closed, "hint", "the field is not understood here: remove it to let the user in")
		}
		if a.stale {
			f.log().Warn("SCRAM-SHA-1 is off for an account", "user", a.User, "hint", "its verifier is of an earlier password: postfach user passwd --scram-sha-1 "+a.User)
		}
	}
	if odd := t.odd(); odd != f.odd {
		f.odd = odd
		if odd != "" {
			f.log().Warn("fields in the accounts file that mean nothing here", "fields", odd, "file", f.Path,
				"hint", "if one was to close an account, it does not: docs/accounts.md lists those that do")
		}
	}
	schemes, accounts := t.weak()
	if told := strings.Join(schemes, ", "); told != f.weak {
		f.weak = told
		if told != "" {
			f.log().Warn("password schemes that give passwords away to whoever gets hold of the file", "schemes", told, "accounts", accounts, "file", f.Path,
				"hint", "set those passwords anew with postfach user passwd, at the latest when their owners choose new ones")
		}
	}
}

func (f *File) complain(err error) {
	args := []any{"err", err}
	if h := hint.Of(err); h != "" {
		args = append(args, "hint", h)
	}
	if f.current != nil {
		args = append(args, "kept", "the accounts as they were")
	}
	f.log().Error("accounts file", args...)
}

func (f *File) fs() vfs.FS {
	if f.FS == nil {
		return vfs.OS{}
	}
	return f.FS
}

func (f *File) log() *slog.Logger {
	if f.Log == nil {
		return slog.Default()
	}
	return f.Log
}

func (f *File) now() time.Time {
	if f.Now == nil {
		return time.Now()
	}
	return f.Now()
}
