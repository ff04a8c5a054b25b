package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"golang.org/x/term"

	"postfach/internal/explain"
	"postfach/internal/explore"
	"postfach/internal/hint"
	"postfach/internal/testcontrol"
	"postfach/internal/tui"
	"postfach/internal/web"
)

// exploreCmd shows maildrops to a person, on the terminal or in the browser.
type exploreCmd struct {
	Account string `arg:"" optional:"" help:"A name from the file of accounts, pop3s://USER@HOST[:PORT], pop3:// for STLS, or [USER@]HOST[:PORT]. Without it there is a list to choose from." placeholder:"ACCOUNT"`
	User    string `help:"The user, where ACCOUNT names none; with --data, whose maildrop is opened at once." placeholder:"NAME"`
	Config  string `help:"The file of accounts (default: $$XDG_CONFIG_HOME/postfach/accounts.toml, or ~/.config/postfach/accounts.toml)." placeholder:"FILE" type:"path"`

	accountPassword
	accountLogin

	Data  string `help:"Explore the maildrops of this data folder, for its operator: for reading only." placeholder:"DIR" type:"path"`
	Write bool   `help:"With --data, let messages be deleted."`

	Web    bool   `help:"Show it in the browser: print an address for this machine that works once."`
	Listen string `help:"With --web, the address to listen at, of this machine only (default: 127.0.0.1 and a free port)." placeholder:"HOST:PORT"`
	SaveTo string `help:"The folder for what is saved on the terminal (default: the current one)." placeholder:"FOLDER" type:"existingdir"`

	Idle      time.Duration `help:"Let go of the maildrop when nobody has looked for so long; 0: never." default:"2m"`
	NoHeaders bool          `help:"List without reading headers, for servers that choke on TOP."`
	Lang      string        `help:"Language of the explained protocol, en or de (default: that of the environment)." enum:",en,de" default:"" placeholder:"LANG"`

	CAFile         string        `name:"cafile" help:"Trust the certificates in this PEM file, and no others." placeholder:"FILE" type:"existingfile"`
	Pin            string        `help:"Trust ACCOUNT's certificate if its SHA-256 is this, and no other." placeholder:"HEX"`
	STLS           bool          `name:"stls" help:"With pop3://, require STLS even to this machine."`
	AllowCleartext bool          `help:"With pop3://, do without TLS: everybody on the way can read the password and the mail."`
	Timeout        time.Duration `help:"Give up when nothing moves for so long." default:"2m"`

	ProtocolLog string `help:"Append what is said, without secrets, to this file." placeholder:"FILE" type:"path"`
}

// Help is what --help adds.
func (*exploreCmd) Help() string {
	return `An explorer lists a maildrop, shows messages, saves and exports them, and deletes those that are marked, but only when it is told to, and after it has shown which. What is said on the wire can be seen, with its meaning.

While a maildrop is open, its owner's mail program cannot get in. It is let go of when nobody looks (--idle), and opened again with a fresh list.

The file of accounts is TOML; docs/accounts.toml is an example. Without a scheme, port 110 is STLS, another port of this machine is in clear, and all else is TLS. A name from the file goes before a host of that name; the flags for TLS and passwords go before what the file says.

The password comes from --password-command, with --web also --password-stdin, the account's password_command, or the environment variable POSTFACH_PASSWORD; else it is asked for. --token-command, or the account's token_command, brings an access token in its place, and with --client-cert, or the account's client_cert, none is needed. These are for ACCOUNT alone. A command has no terminal to ask at.

With --data no server is needed; one that runs is not disturbed, but while a maildrop is open here its owner cannot log in. Root becomes the owner of the folder.

With --web the address has a token that works once: whoever opens it first is in, and nobody else. To see it from another machine use ssh -L.

Exit codes:
  0  left, or ended by Ctrl-C
  1  it could not go on
  2  wrong usage, or a mistake in the file of accounts`
}

// Run shows the explorer until a person leaves it.
func (c *exploreCmd) Run(ctx context.Context) error {
	terminal := term.IsTerminal(int(os.Stdin.Fd())) && term.IsTerminal(int(os.Stdout.Fd()))
	return printable(c.run(ctx, os.Stdout, terminal))
}

func (c *exploreCmd) run(ctx context.Context, out io.Writer, terminal bool) (err error) {
	if err := c.usage(); err != nil {
		return err
	}
	picker, err := c.picker(ctx)
	if err != nil {
		return err
	}
	if !c.Web && !terminal { // what is wrong with file and arguments is said first
		err := hint.Add(errors.New("there is no terminal to draw on"), "--web shows it in the browser; postfach shell works in scripts")
		return &exitError{err, exitUsage}
	}
	var closeLog func() error
	picker.Options, closeLog, err = c.options()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeLog()) }()
	if c.Web {
		err = c.serve(ctx, out, *picker)
	} else {
		err = tui.Run(ctx, *picker, tui.Options{SaveTo: c.SaveTo})
	}
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return nil // that is how one ends it
	}
	return err
}

// usage refuses what cannot be, before anything is opened.
func (c *exploreCmd) usage() error {
	wrong := func(text, advice string) error {
		return &exitError{hint.Add(errors.New(text), "%s", advice), exitUsage}
	}
	host, _, badListen := net.SplitHostPort(c.Listen)
	passwordGiven := c.accountPassword.given() || c.accountLogin.given()
	switch {
	case c.Listen != "" && !c.Web:
		return wrong("--listen is for the browser", "add --web")
	case c.Listen != "" && (badListen != nil || host == ""):
		return wrong(fmt.Sprintf("%q is no address", c.Listen), "for example 127.0.0.1:8110, or port 0 for a free one")
	case c.Listen != "" && !testcontrol.Loopback(host):
		return wrong(c.Listen+" can be reached from outside", "the explorer is for this machine: listen at 127.0.0.1, and use ssh -L from another one")
	case c.PasswordStdin && !c.Web:
		return wrong("standard input is the keyboard of the explorer", "use --password-command, or type the password when it is asked for")
	case c.Write && c.Data == "":
		return wrong("--write is for the maildrops of a data folder", "name it with --data DIR; elsewhere messages can be deleted anyway")
	case c.Data != "" && c.Account != "":
		return wrong("an account and a data folder cannot both be opened", "with --data, --user NAME says whose maildrop")
	case c.Data == "" && c.Account == "" && c.User != "":
		return wrong("a user, and no account", "name the server, too: postfach explore --user "+c.User+" HOST")
	case c.Account == "" && passwordGiven:
		return wrong("a password, and no account that it is for", "name the account, too: postfach explore me@mail.example.org")
	case c.Account == "" && c.Pin != "":
		return wrong("a pin, and no account that it is for", "name the account, too: postfach explore me@mail.example.org")
	case c.Idle < 0:
		return wrong("--idle cannot be negative", "--idle 0 means never")
	}
	_, err := parsePin(c.Pin)
	return err
}

// options says how the explorer behaves. closeLog ends the protocol log.
func (c *exploreCmd) options() (o explore.Options, closeLog func() error, err error) {
	o = explore.Options{Idle: c.Idle, NoHeaders: c.NoHeaders, Language: c.language()}
	if c.Idle == 0 {
		o.Idle = -1
	}
	o.Trace, closeLog, err = protocolLog(c.ProtocolLog)
	return o, closeLog, err
}

func (c *exploreCmd) language() explain.Language {
	return explain.LanguageOf(cmp.Or(c.Lang, os.Getenv("LC_ALL"), os.Getenv("LC_MESSAGES"), os.Getenv("LANG")))
}

// serve shows the explorer in the browser.
func (c *exploreCmd) serve(ctx context.Context, out io.Writer, picker explore.Picker) (err error) {
	l, err := net.Listen("tcp", cmp.Or(c.Listen, "127.0.0.1:0"))
	if err != nil {
		return hint.Add(err, "port 0 takes one that is free")
	}
	defer l.Close()
	face, err := web.New(picker)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, face.Close()) }()
	if _, err := fmt.Fprintf(out, "open %s\nCtrl-C ends it.\n", face.Address(l.Addr())); err != nil {
		return err
	}
	return face.Serve(ctx, l)
}
