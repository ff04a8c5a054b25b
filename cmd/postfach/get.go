package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/term"

	"postfach/fetch"
	"postfach/fetch/deliver"
	"postfach/internal/hint"
	"postfach/internal/remotes"
	"postfach/internal/transcript"
	"postfach/internal/vfs"
	"postfach/pop3"
	"postfach/pop3client"
)

// getCmd fetches the mail of one maildrop, once.
type getCmd struct {
	URL string `arg:"" help:"The account: pop3s://USER@HOST[:PORT], or pop3:// for STLS." placeholder:"URL"`
	To  string `required:"" help:"Where mail goes: maildir:FOLDER, mbox:FILE or dir:FOLDER (one .eml file a message)." placeholder:"TARGET"`

	Keep   bool `help:"Leave the mail on the server (the default)." xor:"after"`
	Delete bool `help:"Delete from the server what is stored durably here." xor:"after"`

	accountPassword
	accountLogin

	CAFile         string        `name:"cafile" help:"Trust the certificates in this PEM file, and no others." placeholder:"FILE" type:"existingfile"`
	Pin            string        `help:"Trust the server's certificate if its SHA-256 is this, and no other." placeholder:"HEX"`
	STLS           bool          `name:"stls" help:"With pop3://, require STLS even to this machine."`
	AllowCleartext bool          `help:"With pop3://, do without TLS: everybody on the way can read the password and the mail."`
	Timeout        time.Duration `help:"Give up when nothing moves for so long." default:"2m"`

	JSON        bool   `name:"json" help:"One JSON object a line on standard output."`
	ProtocolLog string `help:"Append what is said, without secrets, to this file." placeholder:"FILE" type:"path"`
}

// Help is what --help adds. It is the documentation of what scripts rely on.
func (*getCmd) Help() string {
	return `The password comes from --password-stdin, --password-command, the environment variable POSTFACH_PASSWORD, or a prompt. --token-command brings an access token in its place, by OAUTHBEARER or XOAUTH2 and no other mechanism. With --client-cert and no such flag the login is by the certificate (EXTERNAL).

pop3s:// is TLS from the first octet, on port 995. pop3:// is STLS, required, on port 110; to this machine (localhost) it is in clear unless --stls. Without --auth the strongest way to log in is taken that the server offers; ;AUTH=MECHANISM behind the user in the URL means the same as --auth. MECHANISM is SCRAM-SHA-256-PLUS, SCRAM-SHA-1-PLUS, SCRAM-SHA-256, SCRAM-SHA-1, PLAIN, LOGIN, CRAM-MD5, OAUTHBEARER, XOAUTH2, EXTERNAL or +APOP.

The target knows what it has: a second run brings only what is new. One that was interrupted is simply repeated. With --delete a message is deleted on the server once it is stored, synced and all others have come. Messages that come together are synced together; "fetched" is said of a message that a power failure does not take any more.

Where the server has announced EXPIRE 0, it may remove at QUIT whatever was sent. When one of these messages could not be stored here, the session ends without QUIT, with a warning: nothing is deleted, and the next run fetches what is missing.

Exit codes:
  0  all mail is here
  1  some messages failed, or the run broke off; run it again
  2  wrong usage
  3  no connection: name, network, TLS or greeting
  4  the login was refused, or not safe to try
  5  all mail is here, but the server did not confirm the deletions

With --json every line has a field "event":
  planned       messages, octets: what will be asked for
  fetched       number, id, octets: a message is stored
  known         number, id: it came, but the target had it
  size-differs  number, id, octets, announced: a warning
  failed        number, id, error: it stays on the server
  deleted       number; not-deleted has an error, too
  warning       text
  done          listed, known, fetched, octets, failed, deleted, not-deleted, exit, and error unless all went well`
}

// Exit codes of get.
const (
	exitConnect = 3
	exitLogin   = 4
	exitQuit    = 5
)

// Run fetches, and reports how it went.
func (c *getCmd) Run(ctx context.Context) error {
	return c.run(ctx, newGetReport(os.Stdout, os.Stderr, c.JSON, term.IsTerminal(int(os.Stderr.Fd()))))
}

func (c *getCmd) run(ctx context.Context, r *getReport) error {
	result, err := c.get(ctx, r)
	err = printable(err)
	r.done(result, err)
	return err
}

func (c *getCmd) get(ctx context.Context, r *getReport) (result fetch.Result, err error) {
	u, err := pop3.ParseURL(c.URL)
	if err == nil && u.User == "" {
		err = errors.New("the URL names no user")
	}
	if err != nil {
		return result, &exitError{hint.Add(err, "for example pop3s://me@example.org, with %%40 for an @ in the user name"), exitUsage}
	}
	account := &remotes.Account{URL: u, CAFile: c.CAFile, Pin: c.Pin, STLS: c.STLS, AllowCleartext: c.AllowCleartext}
	if err := c.addTo(account, c.accountPassword.given()); err != nil {
		return result, err
	}
	opts, closeLog, err := c.options(account)
	if err != nil {
		return result, err
	}
	defer func() { err = errors.Join(err, closeLog()) }()
	secret, err := c.secret(ctx, account)
	if err != nil {
		return result, err
	}
	target, err := deliver.Open(vfs.OS{}, home(c.To))
	switch {
	case errors.Is(err, deliver.ErrSpec):
		return result, &exitError{hint.Add(err, "for example --to maildir:Mail"), exitUsage}
	case errors.Is(err, deliver.ErrLocked):
		return result, hint.Add(err, "wait until the other postfach is done")
	case errors.Is(err, fs.ErrPermission):
		return result, hint.Add(err, "you must be able to write there")
	case err != nil:
		return result, err
	}
	defer func() { err = errors.Join(err, target.Close()) }()
	return c.session(ctx, account, opts, secret, target, r)
}

// secret gets the password or the token, where one is needed.
func (c *getCmd) secret(ctx context.Context, a *remotes.Account) (secret string, err error) {
	switch {
	case a.NeedsNoSecret():
		return "", nil
	case c.TokenCommand != "":
		secret, err = commandLine(ctx, "--token-command", c.TokenCommand)
	default:
		secret, err = c.password(ctx, a.URL.User, a.URL.Host)
	}
	if err == nil && secret == "" {
		err = &exitError{hint.Add(errors.New("the password is empty"), "it is the first line of what --password-stdin, --password-command and --token-command give"), exitUsage}
	}
	return secret, err
}

// session is the part with a connection.
func (c *getCmd) session(ctx context.Context, a *remotes.Account, opts *pop3client.Options, secret string, target deliver.Target, r *getReport) (fetch.Result, error) {
	u := a.URL
	client, err := pop3client.Dial(ctx, u.Addr(), opts)
	if err != nil {
		return fetch.Result{}, &exitError{connectHint(fmt.Errorf("%s: %w", u.Addr(), err), u), exitConnect}
	}
	defer client.Close()
	if err := fetch.Login(ctx, client, u.User, secret, a.Auth()); err != nil {
		code := exitLogin
		if errors.Is(err, fetch.ErrMechanism) {
			code = exitUsage
		}
		return fetch.Result{}, &exitError{remotes.LoginHint(fmt.Errorf("log in to %s as %q: %w", u.Host, u.User, err)), code}
	}
	result, err := fetch.Get(ctx, client, target, fetch.Options{
		Host: fetch.Host(u.Addr()), User: u.User, Delete: c.Delete,
		Report: r.event, Flush: r.flush, Progress: r.progress,
	})
	switch {
	case err != nil:
		return result, hint.Add(err, "run the same command again: it goes on where this one stopped")
	case result.Failed > 0:
		return result, hint.Add(fmt.Errorf("%d of %d messages failed and stay on the server", result.Failed, result.Listed), "run the same command again later")
	case result.Quit != nil:
		err := fmt.Errorf("the server did not confirm that %d messages are deleted: %w", result.Deleted, result.Quit)
		return result, &exitError{hint.Add(err, "all mail is here; the next run deletes what is left"), exitQuit}
	}
	if result.NotDeleted > 0 {
		err := fmt.Errorf("the server refused to delete %d messages", result.NotDeleted)
		return result, &exitError{hint.Add(err, "all mail is here; the next run tries again"), exitQuit}
	}
	return result, nil
}

// home replaces "~/" at the start of a target's path: behind "maildir:" no
// shell does.
func home(spec string) string {
	kind, path, _ := strings.Cut(spec, ":~/")
	dir, err := os.UserHomeDir()
	if path == "" || strings.Contains(kind, ":") || err != nil {
		return spec
	}
	return kind + ":" + filepath.Join(dir, path)
}

// options says what the client needs. closeLog ends the protocol log.
func (c *getCmd) options(account *remotes.Account) (opts *pop3client.Options, closeLog func() error, err error) {
	if opts, err = account.Options(); err != nil {
		return nil, nil, &exitError{err, exitUsage}
	}
	opts.Timeout = c.Timeout
	opts.Trace, closeLog, err = protocolLog(c.ProtocolLog)
	return opts, closeLog, err
}

// protocolLog begins the protocol log that --protocol-log names, if it does.
func protocolLog(file string) (trace func(pop3.TraceEvent), closeLog func() error, err error) {
	if file == "" {
		return nil, func() error { return nil }, nil
	}
	f, err := os.OpenFile(file, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, nil, &exitError{err, exitUsage}
	}
	recorder := transcript.NewRecorder(f)
	return recorder.Record, func() error { return errors.Join(recorder.Close(), f.Close()) }, nil
}

// connectHint says what to do when there is no connection.
func connectHint(err error, u *pop3.URL) error { return remotes.ConnectHint(err, u) }
