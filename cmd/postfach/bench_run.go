package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"postfach/internal/bench"
	"postfach/internal/hint"
)

// benchRunCmd runs one scenario.
type benchRunCmd struct {
	Scenario string `arg:"" help:"What is done: see below."`
	Addr     string `arg:"" name:"host:port" help:"The server."`

	User  string `help:"Who logs in; %d is the account's number, from 1." default:"user%d" placeholder:"PATTERN"`
	Users int    `help:"How many accounts there are, if --user has a %d." placeholder:"N"`
	accountPassword
	Password string `help:"The password, of accounts made for this: others on this machine can see it." placeholder:"P" xor:"password"`

	AtOnce int           `help:"Sessions at the same time." placeholder:"N"`
	For    time.Duration `help:"Begin sessions for so long." placeholder:"DURATION"`
	Count  int           `help:"Make so many sessions." placeholder:"N"`
	WarmUp int           `help:"Sessions with each maildrop that are not measured." placeholder:"N" xor:"warm"`
	Cold   bool          `help:"Measure the first session with each maildrop, too." xor:"warm"`

	TLS    string `name:"tls" help:"none, stls or tls (from the first octet)." enum:"none,stls,tls" default:"none"`
	Resume bool   `help:"Use session tickets."`

	Window   int           `help:"Commands on the way (retr, top, dele, users)." placeholder:"N"`
	Lines    int           `help:"Lines of the body (top)." placeholder:"N"`
	Messages int           `help:"How many are deleted in a session (dele)." placeholder:"N"`
	Hold     time.Duration `help:"How long sessions are held before memory is read (idle)." placeholder:"DURATION"`

	Maildirs string  `help:"The folder with a Maildir for each account (dele, users, soak)." placeholder:"DIR" type:"existingdir"`
	Size     int     `help:"Octets of a message that is delivered (dele, users, soak)." placeholder:"N"`
	Rate     float64 `help:"Deliveries a second (users, soak)." placeholder:"N"`
	Delete   bool    `help:"Delete what was fetched, if postfach bench made it (users, soak)."`

	PID     int           `name:"pid" help:"The server's first process: its CPU and memory, and those of its descendants, are measured. Linux only." placeholder:"PID"`
	Timeout time.Duration `help:"Give a session up when nothing moves for so long." default:"1m"`
	Force   bool          `help:"Put load on a server on another machine, too."`
	JSON    bool          `name:"json" help:"Print JSON."`
	Every   time.Duration `help:"With soak: say how it goes, so often." default:"10s"`
}

// Help is what --help adds. It is the documentation of what scripts rely on.
func (*benchRunCmd) Help() string {
	var b strings.Builder
	b.WriteString("Scenarios:\n")
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, s := range bench.Scenarios() {
		fmt.Fprintf(t, "  %s\t%s%s\n", s.Name, s.About, defaultsOf(s))
	}
	t.Flush()
	b.WriteString(`
Without --for and --count a run takes 5 seconds, if the scenario has no time of its own. No two sessions have the same account, if --user has a %d. The password comes from --password, --password-stdin, --password-command, the environment variable POSTFACH_PASSWORD, or a prompt. Certificates of servers on this machine are not verified.

Every reply is checked: that it is +OK, that listings are complete and agree with each other, that a message has the octets that LIST says, and that they are what its own checksum says (messages of postfach bench) or what they were before (others). In dele, users and soak, what was deleted has to be gone and what was delivered has to come, once. Messages are deleted by dele, in Maildirs that hold nothing but messages of postfach bench, and with --delete.

Exit codes:
  0  no mistakes
  1  the run could not be made
  2  wrong usage
  3  the server made mistakes; the first ones are shown`)
	return b.String()
}

// defaultsOf says what a scenario takes where no flag says more.
func defaultsOf(s bench.Scenario) string {
	var parts []string
	add := func(set bool, format string, args ...any) {
		if set {
			parts = append(parts, fmt.Sprintf(format, args...))
		}
	}
	add(true, "--at-once %d", s.AtOnce)
	add(s.Users > 0, "--users %d", s.Users)
	add(s.Window > 0, "--window %d", s.Window)
	add(s.Messages > 0, "--messages %d", s.Messages)
	add(s.Size > 0, "--size %d", s.Size)
	add(s.Rate > 0, "--rate %.0f", s.Rate)
	add(s.For > 0, "--for %v", s.For)
	add(s.Hold > 0, "--hold %v", s.Hold)
	return " (" + strings.Join(parts, " ") + ")"
}

// exitMistakes is when the server made mistakes.
const exitMistakes = 3

// Run runs the scenario and prints what was measured.
func (c *benchRunCmd) Run(ctx context.Context) error { return c.run(ctx, os.Stdout, os.Stderr) }

func (c *benchRunCmd) run(ctx context.Context, out, progress io.Writer) error {
	load := c.load()
	if err := load.Check(); err != nil {
		return benchHint(err)
	}
	if load.Target.Password == "" {
		var err error
		if load.Target.Password, err = c.password(ctx, c.User, c.Addr); err != nil {
			return err
		}
	}
	if load.Scenario == "soak" {
		load.Report = func(i bench.Interval) {
			fmt.Fprintf(progress, "%.0f s: %d sessions, p99 %.1f ms, %d mistakes, server CPU %.1f s, memory %d KiB\n",
				i.Seconds, i.Sessions, i.Latency.P99, i.Mistakes, i.CPUSeconds, i.Memory/1024)
		}
	}
	result, err := bench.Run(ctx, load)
	if err != nil {
		return benchHint(err)
	}
	if c.JSON {
		enc := json.NewEncoder(out)
		enc.SetIndent("", "  ")
		err = enc.Encode(result)
	} else {
		err = result.Text(out)
	}
	if err != nil {
		return err
	}
	if err := result.Err(); err != nil {
		return &exitError{err, exitMistakes}
	}
	return nil
}

// load is what the flags ask for.
func (c *benchRunCmd) load() bench.Load {
	l := bench.Load{
		Scenario: c.Scenario,
		Target: bench.Target{
			Addr: c.Addr, Security: bench.Security(c.TLS), Resume: c.Resume, User: c.User, Password: c.Password, Timeout: c.Timeout,
		},
		AtOnce: c.AtOnce, Users: c.Users, Count: c.Count, For: c.For, WarmUp: c.WarmUp,
		Window: c.Window, Lines: c.Lines, Messages: c.Messages, Hold: c.Hold,
		Maildirs: c.Maildirs, Size: c.Size, Rate: c.Rate, Delete: c.Delete,
		PID: c.PID, Force: c.Force, Every: c.Every,
	}
	if c.Cold {
		l.WarmUp = -1
	}
	return l
}

// benchHint adds what a person can do.
func benchHint(err error) error {
	switch {
	case errors.Is(err, bench.ErrNoScenario):
		return &exitError{hint.Add(err, "postfach bench run --help lists the scenarios"), exitUsage}
	case errors.Is(err, bench.ErrNoMaildirs):
		return &exitError{hint.Add(err, "say it with --maildirs"), exitUsage}
	case errors.Is(err, bench.ErrAddr):
		return &exitError{hint.Add(err, "for example 127.0.0.1:1110"), exitUsage}
	case errors.Is(err, bench.ErrNotLoopback):
		return &exitError{hint.Add(err, "a load keeps a server from its work; --force if it is yours"), exitUsage}
	}
	return err
}
