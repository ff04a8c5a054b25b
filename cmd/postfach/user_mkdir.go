package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"postfach/internal/hint"
	"postfach/maildrop"
	"postfach/maildrop/maildir"
)

// userMkdirCmd makes a Maildir where the server looks for it.
type userMkdirCmd struct {
	User string `arg:""`
	dataFlag
}

// Help is what --help adds.
func (*userMkdirCmd) Help() string {
	return `It lies where the account, or the source that knows it, says: so give --config where the server has one. What is there already stays as it is.

The server itself makes a missing Maildir in mail/ of the data folder, once (create_maildirs). For one that is elsewhere, or that was there before and is gone, somebody has to say that it is really to be a new one: look first whether its disk is mounted.`
}

func (c *userMkdirCmd) Run(ctx context.Context) error {
	dir, err := c.maildrop(ctx, c.User)
	switch {
	case errors.Is(err, maildrop.ErrNoUser):
		return hint.Add(fmt.Errorf("no source knows an account %q", c.User), "postfach user list %s", c.flags())
	case err != nil && !errors.Is(err, errProgram):
		return c.hinted(err)
	}
	if _, err := c.makeMaildir(dir); err != nil {
		return err
	}
	fmt.Println(dir)
	c.noteReach(dir)
	return nil
}

// makeMaildir makes a Maildir, and returns what takes it away again, as long as it is
// empty and was not there before.
func (d *dataFlag) makeMaildir(dir string) (undo func(), err error) {
	before := d.folder().HadMaildir(dir)
	made, err := d.folder().MakeMaildir(dir, true, new(maildir.Store).Create)
	if err != nil {
		return nil, d.deniedMaildir(err, dir)
	}
	return func() {
		if !made {
			return
		}
		for _, sub := range []string{"new", "cur", "tmp", ""} {
			os.Remove(filepath.Join(dir, sub))
		}
		if !before {
			d.folder().ForgetMaildir(dir)
		}
	}, nil
}
