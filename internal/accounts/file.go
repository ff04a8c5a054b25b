package accounts

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"log/slog"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"postfach/internal/vfs"
	"postfach/maildrop"
	"postfach/pop3server"
	"postfach/sasl"
)

// A File is who may log in: a pop3server.Authenticator and SecretSource. What
// is changed in the file holds from the next look-up on. A change that cannot
// be used is logged, again each minute while there are look-ups, and what held
// before goes on to hold.
//
// Fields are not changed once it is used. Its methods may be called from many
// goroutines.
type File struct {
	Path string // the accounts file
	Key  string // the file with the key that opens APOP secrets; empty: no APOP
	Mail string // the folder of the Maildirs that have no path of their own

	FS  vfs.FS           // nil: the real one
	Log *slog.Logger     // nil: slog.Default
	Now func() time.Time // nil: time.Now

	once  sync.Once
	slots chan struct{} // one for each password check at work
	salt  []byte        // decides which decoy a name gets; never told
	dummy verifier      // decoy of an empty file

	mu      sync.Mutex // guards what follows
	current *table     // nil: never read
	sealer  *sealer    // nil: no APOP
	apop    bool       // some account can use APOP
	content []byte     // what current was made of
	seen    stamp
	settled bool // no change can hide behind seen

	refused   error     // why the file as it is now cannot be used; nil: it can
	complaint string    // what was logged about that: news is logged at once
	told      time.Time // when
}

func (f *File) setUp() {
	f.once.Do(func() {
		f.slots = make(chan struct{}, runtime.GOMAXPROCS(0))
		f.salt = make([]byte, 32)
		rand.Read(f.salt)
		// Nobody's password, as costly to check as those of new accounts.
		v, err := newScram(rand.Text(), sha256.New, Iterations, f.salt)
		if err != nil {
			panic(err) // the parameters are ours
		}
		f.dummy = v
	})
}

// Authenticate implements pop3server.Authenticator. An unknown name costs the
// same work as a wrong password: it is checked against a decoy (P3-USR-10).
func (f *File) Authenticate(ctx context.Context, name, password string) (user string, err error) {
	t, err := f.look()
	if err != nil {
		return "", err
	}
	user = lookupName(name)
	prepared, err := sasl.PreparePassword(password) // P3-PLAIN-04
	usable := err == nil
	if !usable {
		prepared = password // wrong in any case, for the same price
	}
	a, known := t.byName[user]
	v := f.decoy(t, name)
	if known {
		v = a.verifier
	}
	right, err := f.check(ctx, v, prepared)
	if err != nil {
		return "", err
	}
	if !right || !usable || !known || a.Closed != "" {
		return "", pop3server.ErrCredentials
	}
	return user, nil
}

// check runs v on one of as many slots as there are processors: slow hashes
// need memory and time, which guessing must not be able to use up.
func (f *File) check(ctx context.Context, v verifier, password string) (bool, error) {
	select {
	case f.slots <- struct{}{}:
	case <-ctx.Done():
		return false, fmt.Errorf("wait for a password check: %w", context.Cause(ctx))
	}
	defer func() { <-f.slots }()
	return v.matches(password), nil
}

// decoy returns what the password of an unknown name is checked against: the
// verifier of some account, so that schemes and work factors among unknown
// names are as common as among known ones. A name always gets the same one.
func (f *File) decoy(t *table, name string) verifier {
	if len(t.inFile) == 0 {
		return f.dummy
	}
	mac := hmac.New(sha256.New, f.salt)
	mac.Write([]byte(name))
	i := binary.BigEndian.Uint64(mac.Sum(nil)) % uint64(len(t.inFile))
	return t.inFile[i].verifier
}

// Available implements pop3server.SecretSource (P3-GRT-05).
func (f *File) Available() bool {
	if _, err := f.look(); err != nil {
		return false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.apop
}

// Secret implements pop3server.SecretSource.
func (f *File) Secret(_ context.Context, name string) (user, secret string, err error) {
	t, err := f.look()
	if err != nil {
		return "", "", err
	}
	f.mu.Lock()
	s := f.sealer
	f.mu.Unlock()
	user = lookupName(name)
	a, known := t.byName[user]
	if !known || s == nil || a.sealed == "" || a.Closed != "" {
		return "", "", pop3server.ErrCredentials
	}
	secret, err = s.open(user, a.sealed)
	if err != nil {
		return "", "", pop3server.ErrCredentials // logged when the file was read
	}
	return user, secret, nil
}

// Maildir returns the path of a user's maildrop. maildrop.ErrNoUser: there is
// no such account.
func (f *File) Maildir(user string) (string, error) {
	t, err := f.look()
	if err != nil {
		return "", err
	}
	a, ok := t.byName[user]
	switch {
	case !ok:
		return "", maildrop.ErrNoUser
	case a.Maildir != "":
		return a.Maildir, nil
	}
	// Safe as part of a path: CheckName let it into the table.
	return filepath.Join(f.Mail, a.User), nil
}
