package accounts

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"postfach/internal/hint"
	"postfach/internal/vfs"
)

// An Editor changes an accounts file. A change is made under a lock and is
// durable when its method returns nil; a server sees the file before or after
// it, whole. Lines that it does not concern stay as they are, octet for octet.
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
	secret, err := newSecret(n.Scheme, prepared, freshWork)
	if err != nil {
		return err
	}
	return e.edit(n.User, func(d *document) error {
		if _, err := parse(e.Path, d.String()); err != nil { // the server would not see the account
			return err
		}
		if d.find(n.User) >= 0 {
			return fmt.Errorf("user %s: %w", n.User, ErrExists)
		}
		line := n.User + ":" + secret + "::::::"
		if n.ScramSHA1 {
			if line, err = withSHA1(line, prepared); err != nil {
				return err
			}
		}
		if err := checkBeside(line); err != nil {
			return err
		}
		if line, err = e.withAPOP(line, n.User, n.APOP); err != nil {
			return err
		}
		d.append(line)
		return nil
	})
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
	return e.change(user, func(line string) (string, error) {
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
	})
}

// SetAPOP gives an account a secret for APOP, or takes it away when secret is
// empty. ErrNoUser: there is no such account.
func (e Editor) SetAPOP(user, secret string) error {
	return e.change(user, func(line string) (string, error) { return e.withAPOP(line, user, secret) })
}

// Remove removes an account. The mail stays. ErrNoUser: there is no such
// account.
func (e Editor) Remove(user string) error {
	return e.edit("", func(d *document) error {
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
	content, _, err := readSecretFile(e.fs(), e.Path, e.Shared)
	if err != nil {
		return nil, err
	}
	t, err := parse(e.Path, string(content))
	if err != nil {
		return nil, err
	}
	list := make([]Account, 0, len(t.inFile))
	for _, a := range t.inFile {
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
		i := d.find(user)
		if i < 0 {
			return fmt.Errorf("user %s: %w", user, ErrNoUser)
		}
		text := strings.TrimRight(d.lines[i], "\r\n")
		line, err := to(text)
		if err != nil {
			return err
		}
		d.lines[i] = line + d.lines[i][len(text):]
		return nil
	})
}

// Has reports whether the file has a line for a user, good or bad.
func (e Editor) Has(user string) bool {
	content, _, err := readSecretFile(e.fs(), e.Path, e.Shared)
	return err == nil && newDocument(string(content)).find(user) >= 0
}

// edit changes the file as a whole, durably, under the lock of its folder. The line
// of user, if that is not empty, is good afterwards. Lines that are bad already do
// not stop who repairs another one: the file is never worse than before.
func (e Editor) edit(user string, change func(*document) error) error {
	lock, err := e.lock()
	if err != nil {
		return fmt.Errorf("lock the accounts: %w", err)
	}
	defer lock.Close()
	content, info, err := readSecretFile(e.fs(), e.Path, e.Shared)
	if errors.Is(err, fs.ErrNotExist) {
		content, info, err = []byte(head), vfs.Info{Mode: 0o600}, nil
	}
	if err != nil {
		return err
	}
	_, before := survey(e.Path, string(content))
	if n := len(before); n > 0 && errors.Is(before[n-1].err, errNoEnd) { // somebody may be writing it
		return before
	}
	d := newDocument(string(content))
	if err := change(d); err != nil {
		return err
	}
	_, after := survey(e.Path, d.String())
	if err := after.worse(before, user); err != nil { // never write what the server would refuse
		return err
	}
	return vfs.WriteFile(e.fs(), e.Path, []byte(d.String()), info.Mode.Perm())
}

// How long a change waits for another one, and how often it looks.
const (
	lockWait  = 10 * time.Second
	lockCheck = 20 * time.Millisecond
)

func (e Editor) lock() (io.Closer, error) {
	look := time.NewTicker(lockCheck)
	defer look.Stop()
	deadline := time.Now().Add(lockWait)
	for {
		lock, err := e.fs().Lock(filepath.Dir(e.Path))
		if !errors.Is(err, vfs.ErrLocked) || time.Now().After(deadline) {
			return lock, err
		}
		<-look.C
	}
}

func (e Editor) fs() vfs.FS {
	if e.FS == nil {
		return vfs.OS{}
	}
	return e.FS
}
