package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/term"

	"postfach/internal/explain"
	"postfach/internal/hint"
	"postfach/internal/remotes"
	"postfach/internal/shell"
	"postfach/internal/transcript"
	"postfach/pop3"
)

// shellCmd is telnet for POP3, with explanations.
type shellCmd struct {
	Host string `arg:"" optional:"" help:"The server: HOST (TLS), HOST:PORT, pop3s://USER@HOST or pop3://USER@HOST."`

	TLS       bool `name:"tls" help:"TLS from the first octet, on port 995." xor:"security"`
	STLS      bool `name:"stls" help:"TLS by STLS, on port 110." xor:"security"`
	Cleartext bool `help:"No TLS, on port 110; STLS can be typed." xor:"security"`

	User string `help:"The account's user name, for AUTH and completion." placeholder:"U"`
	clientCertificate
	PasswordCommand string `help:"In a script: run a command with sh; the first line that it prints is the password." placeholder:"CMD"`
	AllowCleartext  bool   `help:"Send passwords without TLS, too: everybody on the way can read them."`
	CAFile          string `name:"cafile" help:"Trust the certificates in this PEM file, and no others." placeholder:"FILE" type:"existingfile"`
	Pin             string `help:"Trust the server's certificate if its SHA-256 is this, and no other." placeholder:"HEX"`

	Lang      string `help:"Explain in English (en) or German (de); else LC_ALL, LC_MESSAGES or LANG says." enum:",en,de" default:"" placeholder:"en|de"`
	Width     int    `help:"Show so many columns; from 100 on what a line means stands beside it. 0: the terminal's." placeholder:"N"`
	NoTimes   bool   `help:"No time stamps."`
	NoExplain bool   `help:"Nothing but what was said."`

	Explain     string        `help:"Explain a recorded conversation: a protocol log, a mail program's log, or what a terminal showed. - is standard input." placeholder:"FILE"`
	ProtocolLog string        `help:"Append what is said, without secrets, to this file." placeholder:"FILE" type:"path"`
	Strict      bool          `help:"In a script: the first -ERR ends it, and nothing is deleted."`
	Timeout     time.Duration `help:"How long the server may be silent when it owes an answer." default:"2m"`
}

// Help is what --help adds.
func (*shellCmd) Help() string {
	return `What you type goes to the server as it is, and beside each line stands what it means. Tab completes, the arrow keys bring back earlier lines, /help explains the commands.

PASS, "APOP user" and "AUTH PLAIN" (LOGIN, CRAM-MD5, SCRAM-SHA-256, SCRAM-SHA-1, both with -PLUS in TLS, XOAUTH2, OAUTHBEARER) alone ask for the password, which is not shown; APOP's digest and the mechanism's lines are made from it. "AUTH EXTERNAL" needs none: --client-cert says who you are. No password is kept or logged. Tokens (XOAUTH2, OAUTHBEARER) are for TLS, to this machine as well. STLS begins TLS, and then CAPA is asked anew. Before QUIT you see what it will delete; Ctrl-D and /quit hang up without it, so that nothing is deleted.

HOST alone is TLS on port 995. pop3:// is STLS, required, on port 110; to this machine (localhost) it is in clear unless --stls. HOST:110 is as pop3://, so is any other port of this machine but 995, and all else is TLS. --cleartext begins in clear anywhere.

The shell's own commands are /help [COMMAND], /show (the last long reply in full), /save FILE (the same to a file, octet for octet), /lang en|de, and /quit.

Without a terminal, standard input is a script: one command a line, each sent when the reply to the last one is complete; # begins a comment. A password is written as PASS PASSWORD; for PASS, APOP USER and AUTH MECHANISM alone it comes from --password-command or POSTFACH_PASSWORD. QUIT deletes what DELE has marked; the end of the script without QUIT deletes nothing.

--explain FILE explains what was recorded elsewhere: protocol logs of Postfach (C: and S: lines), pop3.log of Outlook Express, logs of Thunderbird, fetchmail -v, mpop --debug, curl -v, Python's poplib, and what telnet or openssl s_client showed.

Exit codes:
  0  the session, or the script, came to its end; the server may have said -ERR
  1  the connection ended, or was given up, before that, or before QUIT was answered
  2  wrong usage, a line of a script that cannot be sent, or a recording without POP3
  3  no connection: name, network, TLS or greeting
  4  with --strict, the server said -ERR`
}

const exitRefused = 4

// Run explains a recording, or leads a session.
func (c *shellCmd) Run(ctx context.Context) error {
	switch {
	case c.Explain != "" && c.Host != "":
		return &exitError{fmt.Errorf("--explain needs no server: %s", c.Host), exitUsage}
	case c.Explain != "":
		return c.explain()
	case c.Host == "":
		return &exitError{hint.Add(errors.New("which server?"), "postfach shell HOST, or postfach shell --explain FILE"), exitUsage}
	}
	o, closeLog, err := c.options()
	if err != nil {
		return err
	}
	if !signal.Ignored(syscall.SIGHUP) { // as nohup wants it
		var stop func()
		ctx, stop = signal.NotifyContext(ctx, syscall.SIGHUP)
		defer stop() // the terminal is given back before the program ends
	}
	err = shell.Run(ctx, *o)
	return errors.Join(shellExit(printable(err), o.Target), closeLog())
}

// shellExit gives an error its exit code and a hint.
func shellExit(err error, t shell.Target) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, shell.ErrConnect):
		return &exitError{shellHint(fmt.Errorf("%s: %w", t.Addr(), err), t), exitConnect}
	case errors.Is(err, shell.ErrScript):
		return &exitError{hint.Add(err, "nothing was deleted; --protocol-log FILE writes down what is said"), exitUsage}
	case errors.Is(err, shell.ErrRefused):
		return &exitError{hint.Add(err, "without --strict the script goes on"), exitRefused}
	}
	_, unverified := errors.AsType[*tls.CertificateVerificationError](err)
	_, otherPin := errors.AsType[*remotes.PinError](err)
	if unverified || otherPin { // behind STLS
		return shellHint(err, t)
	}
	return err
}

// shellHint is connectHint in the words of this command's flags.
func shellHint(err error, t shell.Target) error {
	if wrong, ok := errors.AsType[*tls.CertificateVerificationError](err); ok && len(wrong.UnverifiedCertificates) > 0 {
		return untrustedHint(err, wrong.UnverifiedCertificates[0])
	}
	_, noTLS := errors.AsType[tls.RecordHeaderError](err)
	switch silent := errors.Is(err, os.ErrDeadlineExceeded); {
	case errors.Is(err, shell.ErrNoSTLS):
		return hint.Add(err, "try --tls, on port 995; --cleartext does without TLS")
	case noTLS && t.Security == shell.TLS:
		return hint.Add(err, "this port does not begin with TLS; try --stls")
	case noTLS:
		return hint.Add(err, "the server agrees to STLS, but no TLS follows; try --tls, on port 995")
	case silent && t.Security == shell.TLS:
		return hint.Add(err, "the server does not answer; a firewall may be in the way, or this port does not begin with TLS: try --stls")
	case silent:
		return hint.Add(err, "the server does not answer; a firewall may be in the way, or this port begins with TLS: try --tls")
	case errors.Is(err, syscall.ECONNREFUSED):
		return hint.Add(err, "no program answers on this port; POP3 uses 995 (--tls), or 110 (--stls, --cleartext)")
	}
	return connectHint(err, &pop3.URL{TLS: t.Security == shell.TLS, Host: t.Host, Port: t.Port})
}

// untrustedHint says how a person who knows the server can trust its certificate.
func untrustedHint(err error, leaf *x509.Certificate) error {
	otherName := ""
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		otherName = "use a name that the certificate is for; or "
	}
	return hint.Add(err, "%scompare the certificate's SHA-256 with what the server's operator says: --pin %s trusts this certificate and no other, --cafile FILE those in a file", otherName, remotes.PinOf(leaf))
}

func (c *shellCmd) explain() error {
	in := io.Reader(os.Stdin)
	if c.Explain != "-" {
		f, err := os.Open(c.Explain)
		if err != nil {
			return &exitError{err, exitUsage}
		}
		defer f.Close()
		in = f
	}
	if err := shell.Explain(in, os.Stdout, c.look()); err != nil {
		if errors.Is(err, shell.ErrNoPOP3) {
			err = hint.Add(fmt.Errorf("%s: %w", c.Explain, err), "--explain wants a protocol log, a mail program's log, or what a terminal showed")
		}
		return &exitError{err, exitUsage}
	}
	return nil
}

// options turns flags into what the shell needs. closeLog ends the protocol
// log.
func (c *shellCmd) options() (o *shell.Options, closeLog func() error, err error) {
	target, err := shell.ParseTarget(c.Host, c.security())
	if err != nil {
		return nil, nil, &exitError{err, exitUsage}
	}
	conf, err := tlsConfig(c.CAFile, c.Pin, &c.clientCertificate)
	if err != nil {
		return nil, nil, err
	}
	o = &shell.Options{
		Target: target, TLS: conf, AllowCleartext: c.AllowCleartext, Timeout: c.Timeout,
		In: os.Stdin, Out: os.Stdout, Password: c.scriptPassword, User: c.User, Strict: c.Strict,
		History: historyFile(), Look: c.look(),
	}
	if c.ProtocolLog == "" {
		return o, func() error { return nil }, nil
	}
	f, err := os.OpenFile(c.ProtocolLog, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, nil, &exitError{err, exitUsage}
	}
	recorder := transcript.NewRecorder(f)
	o.Trace = recorder.Record
	return o, func() error { return errors.Join(recorder.Close(), f.Close()) }, nil
}

// security is what a flag asks for; nil: the server's name decides.
func (c *shellCmd) security() *shell.Security {
	for _, how := range []struct {
		asked bool
		shell.Security
	}{{c.TLS, shell.TLS}, {c.STLS, shell.STLS}, {c.Cleartext, shell.Cleartext}} {
		if how.asked {
			return &how.Security
		}
	}
	return nil
}

// scriptPassword is for scripts: nobody is there to ask, and standard input is
// the script's.
func (c *shellCmd) scriptPassword(ctx context.Context, _, _ string) (string, error) {
	if c.PasswordCommand != "" {
		return commandLine(ctx, "--password-command", "{ "+c.PasswordCommand+"\n} </dev/null")
	}
	if password, ok := os.LookupEnv("POSTFACH_PASSWORD"); ok {
		return password, nil
	}
	return "", errors.New("there is no password: write it behind the command, or use POSTFACH_PASSWORD or --password-command")
}

func (c *shellCmd) look() shell.Look {
	locale := cmp.Or(c.Lang, os.Getenv("LC_ALL"), os.Getenv("LC_MESSAGES"), os.Getenv("LANG"))
	dumb := os.Getenv("TERM") == "dumb"
	terminal := term.IsTerminal(int(os.Stdout.Fd()))
	look := shell.Look{
		Lang: explain.LanguageOf(locale), Width: c.Width, NoTimes: c.NoTimes, NoExplain: c.NoExplain,
		Color: terminal && os.Getenv("NO_COLOR") == "" && !dumb, Dumb: dumb,
	}
	if w, _, err := term.GetSize(int(os.Stdout.Fd())); look.Width == 0 && c.Explain != "" && err == nil {
		look.Width = w
	}
	return look
}

// historyFile is where typed lines are kept; empty: nowhere.
func historyFile() string {
	if dir := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "postfach", "shell_history")
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return ""
	}
	return filepath.Join(home, ".local", "state", "postfach", "shell_history")
}
