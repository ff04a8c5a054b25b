package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"postfach/internal/hint"
	"postfach/internal/testcontrol"
	"postfach/pop3test"
)

// testserverCmd serves a POP3 server for tests, to programs in any language.
type testserverCmd struct {
	Listen    string `help:"Address in clear, with STLS. Port 0 is one that is free." default:"127.0.0.1:0" placeholder:"HOST:PORT"`
	ListenTLS string `name:"listen-tls" help:"Address that begins with TLS." default:"127.0.0.1:0" placeholder:"HOST:PORT"`
	Control   string `help:"Address of the HTTP interface; \"none\" for no such thing." default:"127.0.0.1:0" placeholder:"HOST:PORT"`

	Personality []string `help:"Be like this one: a name of --list." placeholder:"NAME"`
	Break       []string `help:"Break this rule (P3-TOP-04), or do this fault: a name of --list." placeholder:"ID"`
	Rule        []string `help:"A fault as JSON; the flag may be repeated." sep:"none" placeholder:"JSON"`

	User    []string `help:"An account; the flag may be repeated. The account \"user\" is always there." sep:"none" placeholder:"NAME:PASSWORD"`
	Mail    []string `help:"A message, or a folder with .eml files, for every account; the flag may be repeated." sep:"none" placeholder:"FILE" type:"path"`
	CertOut string   `help:"Write the root certificate that clients must trust into this file, as PEM." placeholder:"FILE" type:"path"`

	List bool `help:"List personalities and faults, and end."`
	JSON bool `name:"json" help:"Print one JSON object: addresses, account, certificate, control."`

	AllowRemote bool `help:"Listen on addresses that others reach, too: everybody there can do everything with this server."`
}

// Help is what --help adds. It is the documentation of what scripts rely on.
func (*testserverCmd) Help() string {
	return `The server is in memory: it begins empty, and all is gone when it ends, by Ctrl-C or SIGTERM. It has one account, "user" with the password "p w", and a certificate for localhost, 127.0.0.1 and ::1, signed by a root of its own that --cert-out writes.

A rule is JSON. {"on": "RETR", "times": 1, "drop-after": 100} cuts the connection in the middle of a message, once. Its fields:
  on                a keyword, "greeting", "response" (to a SASL challenge), "*"
  match             a regular expression over the line
  session           only on the connection of this number
  after, times      let so many pass, then act so often (0: always)
  reply             octets instead of the server's reply, which does not hear of the command
  replace           ["old", "new", ...] in the reply
  append            octets in the same segment behind the reply
  delay, drip       a pause before the reply, and between its segments: "1.5s"
  split-every       octets in a segment
  split-terminator  the final "." and its CR LF in segments of their own
  drop-after        cut the connection after so many octets of the reply
  drop-command      cut the connection at the command of this number
  stall-after       so many octets of the reply, and then nothing

Over HTTP, GET / lists what can be done: put mail in, ask for other faults, read transcripts of what clients did, judge them, and begin again:
  curl -d 'Subject: hello' http://127.0.0.1:PORT/mail/user
  curl -X PUT -d '{"personalities": ["no-uidl"]}' http://127.0.0.1:PORT/faults
  curl http://127.0.0.1:PORT/transcripts/1
  curl -X POST http://127.0.0.1:PORT/reset

With --json, the first line on standard output is an object with the fields pop3, pop3s, control, user, password, certificate (PEM). Mail and faults that the flags ask for are there before that line, and again after a reset.

Exit codes:
  0  ended by a signal
  1  an address or a file could not be used
  2  wrong usage`
}

// Run serves until it is told to stop.
func (c *testserverCmd) Run(ctx context.Context) error { return c.run(ctx, os.Stdout) }

func (c *testserverCmd) run(ctx context.Context, out io.Writer) error {
	if c.List {
		return c.list(out)
	}
	start, err := c.start()
	if err != nil {
		return &exitError{err, exitUsage}
	}
	messages, err := readMail(c.Mail)
	if err != nil {
		return err
	}
	srv, err := pop3test.StartAt(c.Listen, c.ListenTLS)
	if err != nil {
		return hint.Add(err, "port 0 takes one that is free")
	}
	defer srv.Close()
	control := &testcontrol.Control{
		Server: srv, AllowRemote: c.AllowRemote,
		Setup: func() error { return start.set(srv, messages) },
	}
	if err := control.Setup(); err != nil {
		return err
	}
	if c.CertOut != "" {
		if err := os.WriteFile(c.CertOut, srv.RootPEM(), 0o644); err != nil {
			return fmt.Errorf("write the certificate: %w", err)
		}
	}
	url, stop, err := c.serveControl(ctx, control)
	if err != nil {
		return err
	}
	defer stop()
	if err := c.announce(out, srv, url, start.accounts); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

// A beginning is the state that the flags ask for.
type beginning struct {
	accounts []account // no two have the same name
	faults   testcontrol.Wanted
}

type account struct{ name, password string }

// start reads the flags, and refuses what others could reach.
func (c *testserverCmd) start() (b beginning, err error) {
	for _, addr := range []string{c.Listen, c.ListenTLS, c.Control} {
		if err := c.mayListen(addr); err != nil {
			return b, err
		}
	}
	b.accounts = []account{{pop3test.User, pop3test.Password}}
	for _, text := range c.User {
		name, password, ok := strings.Cut(text, ":")
		if !ok || name == "" || password == "" {
			return b, hint.Add(fmt.Errorf("--user %q: no name and password", text), "for example --user ada:secret")
		}
		b.accounts = slices.DeleteFunc(b.accounts, func(a account) bool { return a.name == name })
		b.accounts = append(b.accounts, account{name, password})
	}
	b.faults = testcontrol.Wanted{Personalities: c.Personality, Break: c.Break}
	for _, text := range c.Rule {
		rule, err := pop3test.ParseRule(text)
		if err != nil {
			return b, hint.Add(fmt.Errorf("--rule %s: %w", text, err), "postfach testserver --help lists the fields")
		}
		b.faults.Rules = append(b.faults.Rules, rule)
	}
	if _, err := b.faults.Faults(); err != nil {
		return b, hint.Add(err, "postfach testserver --list has the names")
	}
	return b, nil
}

func (c *testserverCmd) mayListen(addr string) error {
	if addr == noControl && addr == c.Control {
		return nil
	}
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return hint.Add(fmt.Errorf("%q is no address", addr), "for example 127.0.0.1:1110")
	}
	if !c.AllowRemote && !testcontrol.Loopback(host) {
		return hint.Add(fmt.Errorf("%s can be reached from outside", addr), "the server has a known password; --allow-remote if that is what you want")
	}
	return nil
}

// set puts a server into this state, from an empty one.
func (b beginning) set(srv *pop3test.Server, messages []string) error {
	faults, err := b.faults.Faults() // anew: rules count
	if err != nil {
		return err
	}
	for _, a := range b.accounts {
		srv.AddUser(a.name, a.password)
		for _, m := range messages {
			if _, err := srv.Put(a.name, m); err != nil {
				return err
			}
		}
	}
	srv.UseOnly(faults...)
	return nil
}

// noControl is a --control without HTTP.
const noControl = "none"

// serveControl begins to serve HTTP.
func (c *testserverCmd) serveControl(ctx context.Context, control *testcontrol.Control) (url string, stop func(), err error) {
	if c.Control == noControl {
		return "", func() {}, nil
	}
	l, err := net.Listen("tcp", c.Control)
	if err != nil {
		return "", nil, err
	}
	srv := &http.Server{
		Handler: control.Handler(), ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute,
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		srv.Serve(l)
	}()
	return "http://" + l.Addr().String(), func() {
		srv.Close()
		<-done
	}, nil
}

// announce says what a client needs to know.
func (c *testserverCmd) announce(out io.Writer, srv *pop3test.Server, url string, accounts []account) error {
	last := accounts[len(accounts)-1]
	if c.JSON {
		text, err := json.Marshal(struct {
			POP3        string `json:"pop3"`
			POP3S       string `json:"pop3s"`
			Control     string `json:"control,omitempty"`
			User        string `json:"user"`
			Password    string `json:"password"`
			Certificate string `json:"certificate"`
		}{srv.Addr, srv.AddrTLS, url, last.name, last.password, string(srv.RootPEM())})
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(out, "%s\n", text)
		return err
	}
	certificate := "trust the root that --cert-out FILE writes"
	if c.CertOut != "" {
		certificate = c.CertOut
	}
	var b strings.Builder
	fmt.Fprintf(&b, "pop3         %s  (STLS, or in clear)\n", srv.Addr)
	fmt.Fprintf(&b, "pop3s        %s\n", srv.AddrTLS)
	for _, a := range accounts {
		fmt.Fprintf(&b, "account      %q, password %q\n", a.name, a.password)
	}
	fmt.Fprintf(&b, "certificate  %s\n", certificate)
	if url != "" {
		fmt.Fprintf(&b, "control      %s\n", url)
	}
	for _, f := range srv.Using() {
		fmt.Fprintf(&b, "fault        %s: %s\n", f.Name, f.Doc)
	}
	b.WriteString("Ctrl-C ends it.\n")
	_, err := io.WriteString(out, b.String())
	return err
}

// list prints what has a name.
func (c *testserverCmd) list(out io.Writer) error {
	known := testcontrol.AllKnown()
	if c.JSON {
		text, err := json.MarshalIndent(known, "", "  ")
		return errors.Join(err, writeLine(out, string(text)))
	}
	var b strings.Builder
	b.WriteString("personalities:\n")
	for _, e := range known.Personalities {
		fmt.Fprintf(&b, "  %-26s %s\n", e.Name, e.Doc)
	}
	b.WriteString("\nfaults, and the rules that they break:\n")
	for _, e := range known.Faults {
		rules := ""
		if len(e.Rules) > 0 {
			rules = " (" + strings.Join(e.Rules, ", ") + ")"
		}
		fmt.Fprintf(&b, "  %-26s %s%s\n", e.Name, e.Doc, rules)
	}
	_, err := io.WriteString(out, b.String())
	return err
}

func writeLine(out io.Writer, text string) error {
	_, err := fmt.Fprintln(out, text)
	return err
}
