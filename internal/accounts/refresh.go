package accounts

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"slices"
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
	now := f.stamp(f.Path)
	f.seen = stamp{}
	content, err := f.read()
	if err != nil {
		f.refuse(now, content, err)
		f.told = f.now() // the caller does
	}
	return err
}

// stamp looks at a file.
func (f *File) stamp(name string) stamp {
	info, err := f.fs().Lstat(name)
	if err != nil {
		return stamp{problem: err.Error()}
	}
	return stampOf(info)
}

// refuse remembers that a state of the file cannot be used. It reports whether
// that is news.
func (f *File) refuse(now stamp, content []byte, err error) bool {
	f.note(now, content)
	f.refused = err
	var bad badLines
	if !errors.As(err, &bad) { // it may be readable in a moment, unchanged
		f.settled = false
	}
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
	if now := f.stamp(f.Path); now != f.seen || !f.settled {
		if content, err := f.read(); err != nil {
			news = f.refuse(now, content, err)
		}
	}
	if !f.keyTold.IsZero() && (f.stamp(f.Key) != f.keySeen || f.now().Sub(f.keyTold) >= remindAfter) {
		f.unseal()
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

// read makes the file's content current, and returns what it has read.
func (f *File) read() ([]byte, error) {
	content, info, err := readSecretFile(f.fs(), f.Path, f.Shared)
	if errors.Is(err, fs.ErrPermission) {
		err = hint.Add(err, "uid %d, which this program runs as, must own the file, with mode 0600; outside the data folder its group may read it, too (0640)", os.Geteuid())
	}
	if err != nil {
		return nil, err
	}
	if f.current == nil || !bytes.Equal(content, f.content) || f.seen == (stamp{}) {
		t, err := parse(f.Path, string(content))
		if err != nil {
			return content, err
		}
		f.current, f.content = t, content
		f.unseal()
		f.warn(t)
	}
	f.note(stampOf(info), f.content)
	f.refused, f.complaint = nil, ""
	return content, nil
}

// note remembers what was seen, and whether a change can still hide behind it. None can
// once the file is older than a tick, or was the same for longer than that: the clock
// of a file system may be ahead of ours, but it does not stand.
func (f *File) note(s stamp, content []byte) {
	now := f.now()
	if s != f.seen || !bytes.Equal(content, f.last) || now.Before(f.since) {
		f.since = now
	}
	f.seen, f.last = s, content
	old := now.Add(-tick)
	f.settled = s.mtime.Before(old) && s.ctime.Before(old) || f.since.Before(old)
}

// unseal looks whether the APOP secrets open. Those which do not concern their
// accounts only. Without the key there is no APOP: then it is tried again once the
// key's file has changed, and each minute.
func (f *File) unseal() {
	f.sealer, f.apop, f.dummy, f.keyTold = nil, false, "", time.Time{}
	if f.Key == "" || !slices.ContainsFunc(f.current.inFile, func(a *account) bool { return a.sealed != "" }) {
		return
	}
	f.keySeen = f.stamp(f.Key)
	s, err := readSealer(f.fs(), f.Key)
	if err != nil {
		f.keyTold = f.now()
		f.log().Error("key for APOP secrets", "err", err, "hint", hint.Of(err), "instead", "neither APOP nor CRAM-MD5, until it can be read")
		return
	}
	f.sealer = s
	opened := false
	for _, a := range f.current.inFile {
		if a.sealed == "" {
			continue
		}
		if _, err := s.open(a.User, a.sealed); err != nil {
			f.log().Warn("APOP secret cannot be opened", "user", a.User, "err", err, "hint", "give a new one with postfach user apop "+a.User)
			continue
		}
		opened = true
		f.apop = f.apop || a.Closed == ""
	}
	if opened {
		f.dummy = s.seal("", NewAPOPSecret())
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
