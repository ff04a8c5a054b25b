package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime/debug"

	"postfach/internal/hint"
	"postfach/maildrop"
	"postfach/maildrop/maildir"
)

// Exit codes of deliver, as <sysexits.h> has them and MTAs know them.
const (
	exitDataErr  = 65 // EX_DATAERR
	exitNoUser   = 67 // EX_NOUSER
	exitTempFail = 75 // EX_TEMPFAIL
)

// deliverCmd puts one message into a maildrop.
type deliverCmd struct {
	User string `arg:"" help:"Whose maildrop."`
	dataFlag
}

// Help is what deliver --help adds.
func (deliverCmd) Help() string {
	return `The message is read from standard input until its end, and stored as it is. On success its unique-id is printed, and the message is durable: no crash loses it any more.

Exit codes, as mail servers know them:
  0   the message is stored
  65  standard input is empty: nothing was stored
  67  there is no such account, and it is certain which accounts are meant: trying again does not help
  75  anything else, such as a wrong command line, a full disk, a source of accounts that does not answer, or an accounts file that is not there: nothing was stored, and trying again may help

A mail server has to say whose accounts: with --config, or with --data where no service is installed (no ` + installedConfig + `). Without, deliver looks into the data folder of whoever runs it (root: the installed service's), and somebody who has no account there may have one elsewhere: then it ends with 75 in place of 67. A configuration that cannot be read is 75, too.

Accounts are looked up as the server does it, in all sources of --config but programs, which know no names: there the Maildir has to exist. One that does not is 67 only in mail/ of the data folder, where other maildrops are and this one never was; else its disk may be away, and it is 75. An account that never had a Maildir gets one (create_maildirs).

It has to run as the owner of the data folder, or as root, who becomes the owner. docs/delivery.md shows how Postfix and Exim call it.`
}

// Run implements the command. What is not known to be hopeless is worth
// another try: a mail server that hears 75 keeps the message.
func (c *deliverCmd) Run(ctx context.Context) (err error) {
	defer func() {
		// Go's own exit code for it makes mail bounce. A panic of a source comes here, too:
		// accounts.Directory brings it over from the source's goroutine.
		if p := recover(); p != nil {
			err = &exitError{fmt.Errorf("panic: %v\n%s", p, debug.Stack()), exitTempFail}
		}
	}()
	dir, err := c.maildrop(ctx, c.User)
	switch {
	case errors.Is(err, maildrop.ErrNoUser):
		return c.noAccount()
	case errors.Is(err, errProgram) && !isFolder(dir): // else whatever name is guessed would get a maildrop
		return c.noMaildrop(dir, err)
	case err != nil && !errors.Is(err, errProgram):
		return &exitError{c.hinted(err), exitTempFail}
	}
	message := bufio.NewReader(interruptible{ctx, os.Stdin})
	if _, err := message.Peek(1); errors.Is(err, io.EOF) {
		return &exitError{hint.Add(errors.New("the message is empty"), "give it on standard input"), exitDataErr}
	}
	store := &maildir.Store{Path: func(string) (string, error) { return dir, nil }, Missing: c.folder().NoMaildir, Hostname: hostname()}
	if c.cfg.CreateMaildirs {
		store.Missing = func(dir string) error {
			_, err := c.folder().MakeMaildir(dir, false, store.Create)
			return err
		}
	}
	id, err := store.Deliver(ctx, c.User, message)
	if err != nil {
		return &exitError{c.undelivered(err), exitTempFail}
	}
	fmt.Println(id)
	return nil
}

// undelivered says what to do about a delivery that failed.
func (c *deliverCmd) undelivered(err error) error {
	switch {
	case errors.Is(err, maildrop.ErrNoUser):
		err = hint.Add(err, "postfach user mkdir %s %s", c.User, c.flags())
	case errors.Is(err, fs.ErrNotExist): // no accounts file: that was found
		err = hint.Add(err, "a folder of the Maildir was there, and is gone: try again")
	}
	return c.deniedDelivery(err)
}

// noAccount says that no source knows the name. That is for good only where somebody
// has said which accounts those are: mail that bounces is lost to whoever it was for.
func (c *deliverCmd) noAccount() error {
	err := fmt.Errorf("there is no account %q in %s", c.User, c.where())
	switch {
	case !c.named:
		return &exitError{hint.Add(err, "name the accounts with --data DIR or --config FILE; where a service is installed, with --config: else others may be meant"), exitTempFail}
	case c.keepsFiles() != nil:
		return &exitError{hint.Add(err, "its accounts are kept elsewhere: see [[source]] in it"), exitNoUser}
	}
	return &exitError{hint.Add(err, "postfach user list %s", c.flags()), exitNoUser}
}

// noMaildrop says that a name which only a program may know has no maildrop. That is for
// good only where it is certain that there never was one, and that its disk is not away.
func (c *deliverCmd) noMaildrop(dir string, err error) error {
	err = fmt.Errorf("there is no maildrop of %q: %w", c.User, err)
	if away := c.folder().NeverWas(dir); away != nil {
		err = hint.Add(fmt.Errorf("%w; %w", err, away), "is its disk mounted? If there never was one: postfach user mkdir %s %s, for those who have an account", c.User, c.flags())
		return &exitError{err, exitTempFail}
	}
	return &exitError{hint.Add(err, "postfach user mkdir %s %s, for those who have an account", c.User, c.flags()), exitNoUser}
}

func isFolder(dir string) bool {
	info, err := os.Stat(dir)
	return err == nil && info.IsDir()
}

// hostname is the machine's name, or "" where it does not tell one.
func hostname() string {
	name, err := os.Hostname()
	if err != nil {
		return ""
	}
	return name
}
