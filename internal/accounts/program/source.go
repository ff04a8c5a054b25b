//go:build unix

// Package program asks a helper program whether a password is right, in the manner
// of checkpassword (https://cr.yp.to/checkpwd/interface.html). So PAM, and whatever
// else a site has, can be asked without being linked.
package program

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"postfach/internal/accounts"
	"postfach/internal/hint"
)

// A Config says which program is run.
type Config struct {
	// Command is the program, with an absolute path, and its arguments. It is run
	// directly, by no shell. One more argument is added: a program that does
	// nothing, which checkpassword runs for those that it lets in.
	Command []string
	// Maildir is where the maildrops are: a path in which {user} stands for the
	// name. Empty: the usual place.
	Maildir string
	// DecoyKey makes that the program is always run for the same nobody where a name
	// is unknown, beyond the life of the process. nil: as long as the Source.
	DecoyKey []byte

	Timeout time.Duration // for one run; 0: 10 s
	AtOnce  int           // runs at once; 0: 4
}

// A Source is an accounts.Source that asks a program. A program knows nothing of
// accounts before it has a password, so every name is an account here, and the
// source must be the last one.
type Source struct {
	accounts.Unannounced // a program needs the password itself

	config Config
	then   string        // the program that does nothing
	slots  chan struct{} // one for each program at work
}

// New returns a Source. It runs nothing yet.
func New(c Config) (*Source, error) {
	if len(c.Command) == 0 || !filepath.IsAbs(c.Command[0]) {
		return nil, hint.Add(errors.New("program: expected a command with an absolute path"), `command = ["/usr/local/bin/checkpassword"]`)
	}
	if err := executable(c.Command[0]); err != nil {
		return nil, fmt.Errorf("program: %w", err)
	}
	if err := keepDescriptors(); err != nil {
		return nil, fmt.Errorf("program: %w", err)
	}
	if c.Timeout <= 0 {
		c.Timeout = 10 * time.Second
	}
	if c.AtOnce <= 0 {
		c.AtOnce = 4
	}
	if c.DecoyKey == nil {
		c.DecoyKey = accounts.NewKey()
	}
	c.Command = slices.Clone(c.Command)
	s := &Source{config: c, slots: make(chan struct{}, c.AtOnce)}
	for _, s.then = range []string{"/bin/true", "/usr/bin/true"} {
		if executable(s.then) == nil {
			break
		}
	}
	return s, nil
}

// executable says why a program cannot be run, or should not be.
func executable(name string) error {
	info, err := os.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return hint.Add(err, "install the program, or correct the path: the first word of command")
	case err != nil:
		return hint.Add(err, "uid %d must be able to run it", os.Getuid())
	case !info.Mode().IsRegular() || info.Mode()&0o111 == 0:
		return hint.Add(fmt.Errorf("%s is not a program", name), "chmod +x %s, if it is the right file", name)
	case info.Mode()&0o002 != 0:
		return hint.Add(fmt.Errorf("%s may be changed by anybody", name), "chmod o-w %s", name)
	case unix.Access(name, unix.X_OK) != nil:
		return hint.Add(fmt.Errorf("%s may not be run by us", name), "uid %d must be able to run it", os.Getuid())
	}
	return nil
}

// Close waits for nobody: programs end by themselves, or by their time.
func (s *Source) Close() error { return nil }

// Probe looks whether the program is still there. It does not run it.
func (s *Source) Probe(context.Context) error { return executable(s.config.Command[0]) }

// Lookup implements accounts.Source. It finds everybody.
func (s *Source) Lookup(_ context.Context, user string) (*accounts.Entry, error) {
	return &accounts.Entry{
		User:        user,
		Maildir:     accounts.MaildirIn(s.config.Maildir, user),
		Credentials: []accounts.Credential{s.credential(user, true)},
	}, nil
}

// Decoy implements accounts.Source. Its check runs the program, too, for a name
// that nobody has.
func (s *Source) Decoy(_ context.Context, name string) *accounts.Entry {
	nobody := "nobody-" + accounts.NobodysName(s.config.DecoyKey, "program", name)
	return &accounts.Entry{User: name, Credentials: []accounts.Credential{s.credential(nobody, false)}}
}

// credential is a password that the program checks. Nothing fits that of a decoy.
func (s *Source) credential(user string, real bool) accounts.Credential {
	return accounts.Credential{Remote: true, Check: func(ctx context.Context, password string) (bool, error) {
		right, err := s.ask(ctx, user, password)
		return right && real, err
	}}
}

var _ accounts.Source = (*Source)(nil)
