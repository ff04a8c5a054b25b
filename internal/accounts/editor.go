package accounts

import (
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
	Key  string // the key of APOP secrets; made by the first one
	FS   vfs.FS // nil: the real one
}

// A NewAccount is what Add needs.
type NewAccount struct {
	User, Password string
	Scheme         string // ScramSHA256 (also for empty) or Argon2id
	APOP           string // the APOP secret; empty: no APOP
}

// Add adds an account at the end of the file. ErrExists: there is one of that
// name.
func (e Editor) Add(n NewAccount) error {
	if err := CheckName(n.User); err != nil {
		return err
	}
	secret, err := newSecret(n.Scheme, n.Password)
	if err != nil {
		return err
	}
	return e.edit(func(d *document) error {
		if d.find(n.User) >= 0 {
			return fmt.Errorf("user %s: %w", n.User, ErrExists)
		}
		line, err := e.withAPOP(n.User+":"+secret+"::::::", n.User, n.APOP)
		if err != nil {
			return err
		}
		d.append(line)
		return nil
	})
}

// SetPassword replaces the password of an account, which with Argon2id must not
// have an APOP secret. An empty scheme means
// ScramSHA256. ErrNoUser: there is no such account.
func (e Editor) SetPassword(user, password, scheme string) error {
	secret, err := newSecret(scheme, password)
	if err != nil {
		return err
	}
	return e.change(user, func(line string) (string, error) {
		line = withSecret(line, secret)
		return line, checkAPOP(line)
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
	return e.edit(func(d *document) error {
		i := d.find(user)
		if i < 0 {
			return fmt.Errorf("user %s: %w", user, ErrNoUser)
		}
		d.lines = append(d.lines[:i], d.lines[i+1:]...)
		return nil
	})
}

// List returns the accounts, in the order of the file.
func (e Editor) List() ([]Account, error) {
	content, _, err := readSecretFile(e.fs(), e.Path)
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
	return line, checkAPOP(line)
}

// checkAPOP refuses an APOP secret beside argon2id: whoever gets at a secret
// that can be opened needs no password, however well that one is kept.
func checkAPOP(line string) error {
	a, err := parseLine(line)
	if err == nil && a.APOP && a.Scheme == Argon2id {
		err = hint.Add(errors.New("an account with argon2id cannot have an APOP secret"), "choose one of the two: --scheme scram-sha-256, or no APOP")
	}
	return err
}

// change replaces one account's line.
func (e Editor) change(user string, to func(line string) (string, error)) error {
	return e.edit(func(d *document) error {
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

// edit changes the file as a whole, durably, under the lock of its folder.
func (e Editor) edit(change func(*document) error) error {
	lock, err := e.lock()
	if err != nil {
		return fmt.Errorf("lock the accounts: %w", err)
	}
	defer lock.Close()
	content, info, err := readSecretFile(e.fs(), e.Path)
	if errors.Is(err, fs.ErrNotExist) {
		content, info, err = []byte(head), vfs.Info{Mode: 0o600}, nil
	}
	if err != nil {
		return err
	}
	if _, err := parse(e.Path, string(content)); err != nil {
		return err
	}
	d := newDocument(string(content))
	if err := change(d); err != nil {
		return err
	}
	if _, err := parse(e.Path, d.String()); err != nil { // never write what the server would refuse
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
