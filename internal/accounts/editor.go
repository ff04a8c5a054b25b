package accounts

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"postfach/internal/hint"
	"postfach/internal/vfs"
)

// An Editor changes an accounts file. A change is made under a lock and is
// durable when its method returns nil; a server sees the file before or after
// it, whole. Lines that it does not concern stay as they are, octet for octet, and
// so do the file's group and mode. What a program that takes no lock changes
// meanwhile stays, too.
type Editor struct {
	Path string // the accounts file; made by the first Add
	// Shared is as in File.
	Shared bool
	Key    string // the key of APOP secrets; made by the first one
	FS     vfs.FS // nil: the real one

	Now func() time.Time // nil: time.Now
}

// A NewAccount is what Add needs.
type NewAccount struct {
	User, Password string
	Scheme         string // ScramSHA256 (also for empty) or Argon2id
	APOP           string // the APOP secret; empty: no APOP
	ScramSHA1      bool   // a verifier for SCRAM-SHA-1, too; not with Argon2id
}

// Add adds an account at the end of the file. ErrExists: there is one of that
// name.
func (e Editor) Add(n NewAccount) error {
	if err := CheckName(n.User); err != nil {
		return err
	}
	prepared, err := usable(n.Password)
	if err != nil {
		return err
	}
	line, err := newLine(n, prepared) // it takes its time, and the lock is for all
	if err != nil {
		return err
	}
	return e.edit(n.User, func(d *document) error {
		if len(d.bad) > 0 { // the server would not see the account
			return d.bad
		}
		if d.find(n.User) >= 0 {
			return fmt.Errorf("user %s: %w", n.User, ErrExists)
		}
		line, err := e.withAPOP(line, n.User, n.APOP)
		if err != nil {
			return err
		}
		d.append(line)
		return nil
	})
}

// newLine is the line of a new account, without its APOP secret.
func newLine(n NewAccount, prepared string) (string, error) {
	secret, err := newSecret(n.Scheme, prepared, freshWork)
	if err != nil {
		return "", err
	}
	line := n.User + ":" + secret + "::::::"
	if n.ScramSHA1 {
		if line, err = withSHA1(line, prepared); err != nil {
			return "", err
		}
	}
	return line, checkBeside(line)
}

// SetPassword replaces the password of an account, which with Argon2id must not
// have an APOP secret. An empty scheme means ScramSHA256. A verifier for
// SCRAM-SHA-1 is replaced, too; sha1 makes one where there is none. App passwords
// stay, and because of them salt and work factor do. ErrNoUser: there is no such
// account.
func (e Editor) SetPassword(user, password, scheme string, sha1 bool) error {
	prepared, err := usable(password)
	if err != nil {
		return err
	}
	return e.slowly(user, func(line string) (string, error) { return withPassword(line, prepared, scheme, sha1) })
}

// withPassword returns the line with another password.
func withPassword(line, prepared, scheme string, sha1 bool) (string, error) {
	a, err := parseLine(line)
	if err != nil && strings.Contains(line, ":") { // it may be the secret, which goes
		a, err = parseLine(withSecret(line, "{PLAIN}"+rand.Text()))
	}
	if err != nil {
		return "", err
	}
	work := freshWork
	if len(a.apps) > 0 {
		work = a.work
	}
	secret, err := newSecret(scheme, prepared, work)
	if err != nil {
		return "", err
	}
	line = withSecret(line, secret)
	had := a.sha1 != nil || a.stale
	switch {
	case sha1 || had && !strings.EqualFold(scheme, Argon2id):
		if line, err = withSHA1(line, prepared); err != nil {
			return "", err
		}
	case had:
		line = withExtra(line, sha1Field, "")
	}
	return line, checkBeside(line)
}

// SetAPOP gives an account a secret for APOP, or takes it away when secret is
// empty. ErrNoUser: there is no such account.
func (e Editor) SetAPOP(user, secret string) error {
	return e.change(user, func(line string) (string, error) { return e.withAPOP(line, user, secret) })
}

// Remove removes an account. The mail stays. ErrNoUser: there is no such
// account.
func (e Editor) Remove(user string) error {
	return e.edit(user, func(d *document) error {
		i := d.find(user)
		if i < 0 {
			return fmt.Errorf("user %s: %w", user, ErrNoUser)
		}
		for ; i >= 0; i = d.find(user) { // all, if it is there twice: else the other one would be good now
			d.lines = append(d.lines[:i], d.lines[i+1:]...)
		}
		return nil
	})
}

// List returns the accounts, in the order of the file.
func (e Editor) List() ([]Account, error) {
	content, _, err := e.read()
	if err != nil {
		return nil, err
	}
	good, bad := survey(e.Path, string(content))
	if len(bad) > 0 {
		return nil, bad
	}
	list := make([]Account, 0, len(good))
	for _, a := range good {
		list = append(list, a.Account)
	}
	return list, nil
}

func (e Editor) withAPOP(line, user, secret string) (string, error) {
	if secret == "" {
		return withExtra(line, apopField, ""), nil
	}
	prepared, err := usable(secret) // P3-APOP-06
	if err != nil {
		return "", err
	}
	s, err := makeSealer(e.fs(), e.Key)
	if err != nil {
		return "", fmt.Errorf("key for APOP secrets: %w", err)
	}
	line = withExtra(line, apopField, s.seal(user, prepared))
	return line, checkBeside(line)
}

// checkBeside refuses what would be weaker than argon2id beside it: a secret that
// can be opened needs no guesses at the password, however well that one is kept,
// and a verifier for SCRAM makes them cheap.
func checkBeside(line string) error {
	a, err := parseLine(line)
	switch {
	case err != nil || a.Scheme != Argon2id:
		return err
	case a.APOP:
		return hint.Add(errors.New("an account with argon2id cannot have an APOP secret"), "choose one of the two: --scheme scram-sha-256, or no APOP")
	case a.sha1 != nil:
		return hint.Add(errors.New("an account with argon2id cannot have a verifier for SCRAM-SHA-1"), "choose one of the two: --scheme scram-sha-256, or no SCRAM")
	}
	return nil
}

// change replaces one account's line.
func (e Editor) change(user string, to func(line string) (string, error)) error {
	return e.edit(user, func(d *document) error {
		i, text := d.line(user)
		if i < 0 {
			return fmt.Errorf("user %s: %w", user, ErrNoUser)
		}
		line, err := to(text)
		if err != nil {
			return err
		}
		d.lines[i] = line + d.lines[i][len(text):]
		return nil
	})
}

// slowly is change, for what takes its time: it is worked out before the lock is
// taken, and once more under the lock only if the line is another one by then.
func (e Editor) slowly(user string, to func(line string) (string, error)) error {
	made := map[string]string{}
	once := func(line string) (string, error) {
		if known, ok := made[line]; ok {
			return known, nil
		}
		changed, err := to(line)
		if err == nil {
			made[line] = changed
		}
		return changed, err
	}
	if content, _, err := e.read(); err == nil {
		if _, text := newDocument(string(content)).line(user); text != "" {
			once(text) // under the lock it fails in the same way, if it does
		}
	}
	return e.change(user, once)
}

// Has reports whether the file has a line for a user, good or bad. A file that is not
// there has none.
func (e Editor) Has(user string) (bool, error) {
	content, _, err := e.read()
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil && newDocument(string(content)).find(user) >= 0, err
}

func (e Editor) read() ([]byte, vfs.Info, error) { return readSecretFile(e.fs(), e.Path, e.Shared) }

// edit changes the file as a whole, durably, under the lock of its folder. The line
// of user, if there is one, is good afterwards. Lines that are bad already do
// not stop who repairs another one: the file is never worse than before. change may
// be called several times, each time with the file as it is by then.
func (e Editor) edit(user string, change func(*document) error) error {
	lock, err := vfs.LockWithin(e.fs(), filepath.Dir(e.Path), lockWait)
	if err != nil {
		return fmt.Errorf("lock the accounts: %w", err)
	}
	defer lock.Close()
	vfs.Sweep(e.fs(), e.Path)
	for range maxRestless {
		if err = e.editOnce(user, change); !errors.Is(err, errRestless) {
			return err
		}
	}
	return hint.Add(fmt.Errorf("%s: %w", e.Path, err), "another program writes it all the time: try again when that has come to its end")
}

const (
	// lockWait is how long a change waits for another one.
	lockWait = 10 * time.Second
	// maxRestless is how often a change begins again because somebody who takes no lock
	// has changed the file.
	maxRestless = 10
)

var errRestless = errors.New("the file has changed meanwhile")

func (e Editor) editOnce(user string, change func(*document) error) error {
	content, info, err := e.read()
	missing := errors.Is(err, fs.ErrNotExist)
	if err != nil && !missing {
		return err
	}
	text := string(content)
	if missing {
		text = head
	}
	d := newDocument(text)
	_, d.bad = survey(e.Path, text)
	if n := len(d.bad); n > 0 && errors.Is(d.bad[n-1].err, errNoEnd) { // somebody may be writing it
		return d.bad
	}
	if err := change(d); err != nil {
		return err
	}
	_, after := survey(e.Path, d.String())
	if err := after.worse(d.bad, user); err != nil { // never write what the server would refuse
		return err
	}
	r := vfs.Replacement{Perm: 0o600, As: &info, Last: func() error { return e.same(content, info, missing) }}
	if missing {
		r.As = nil
	}
	return e.hinted(r.Write(e.fs(), e.Path, []byte(d.String())))
}

// same returns errRestless if the file is not what was read before. The clocks of file
// systems are coarse, so that its times alone do not tell.
func (e Editor) same(content []byte, info vfs.Info, missing bool) error {
	now, nowInfo, err := e.read()
	if missing && errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if missing || err != nil || stampOf(nowInfo) != stampOf(info) || !bytes.Equal(now, content) {
		return errRestless // if it cannot be read, the next round says why
	}
	return nil
}

// hinted says what to do about a group that the file had and would lose.
func (e Editor) hinted(err error) error {
	var owner *vfs.OwnerError
	if !errors.As(err, &owner) {
		return err
	}
	return hint.Add(fmt.Errorf("%s stays as it was, because a new one cannot be given to its group: %w", e.Path, err),
		"put uid %d into group %d, or give the folder to that group and make it setgid: chgrp %[2]d %[3]s && chmod g+s %[3]s",
		os.Geteuid(), owner.Owner.GID, filepath.Dir(e.Path))
}

func (e Editor) fs() vfs.FS {
	if e.FS == nil {
		return vfs.OS{}
	}
	return e.FS
}
