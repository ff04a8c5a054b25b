package accounts

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"postfach/maildrop"
	"postfach/pop3server"
)

// identity is who has logged in. It takes along where the maildrop is: the name that
// led to the account may be the only one that its source knows.
func (d *Directory) identity(e *Entry, credential string) pop3server.Identity {
	who := pop3server.Identity{User: e.User, Credential: credential}
	if dir, err := d.maildirOf(e); err == nil && filepath.IsAbs(dir) { // else Maildir says why, to the operator
		who.Maildrop = dir
	}
	return who
}

// lookupTime is how long the sources may take to say where a maildrop is.
const lookupTime = 10 * time.Second

// Maildir returns the path of a maildrop, which is what an Identity of this Directory
// has as its Maildrop, or a user's name. maildrop.ErrNoUser: there is no such account.
func (d *Directory) Maildir(of string) (string, error) {
	if filepath.IsAbs(of) { // no user has a name like that
		return filepath.Clean(of), nil
	}
	if checkName(of) != nil {
		return "", maildrop.ErrNoUser
	}
	ctx, cancel := context.WithTimeout(context.Background(), lookupTime)
	defer cancel()
	e, err := d.lookup(ctx, of, d.Sources)
	if err != nil {
		return "", err
	}
	return d.maildirOf(e)
}

func (d *Directory) maildirOf(e *Entry) (string, error) {
	switch {
	case e.Broken: // mail must not be put where nobody looks for it
		return "", fmt.Errorf("where the maildrop of %s is, is not known: %s", e.User, e.Closed)
	case e.Maildir == "":
		// Safe as part of a path: CheckName let it pass.
		return filepath.Join(d.Mail, e.User), nil
	case !filepath.IsAbs(e.Maildir):
		return "", fmt.Errorf("the maildrop of %s, %q, is not an absolute path", e.User, e.Maildir)
	}
	return filepath.Clean(e.Maildir), nil
}
