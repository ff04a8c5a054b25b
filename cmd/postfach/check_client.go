package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"postfach/internal/checkreport"
	"postfach/internal/hint"
	"postfach/pop3check"
	"postfach/pop3test"
)

// client is a server for a client that is to be judged: one scenario after the
// other.
func (c *checkCmd) client(ctx context.Context) error {
	scenarios, err := c.scenarios()
	if err != nil {
		return err
	}
	srv, err := pop3test.Start()
	if err != nil {
		return err
	}
	defer srv.Close()
	dir, err := os.MkdirTemp("", "postfach-check")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	ca := filepath.Join(dir, "root.pem")
	if err := os.WriteFile(ca, srv.RootPEM(), 0o644); err != nil {
		return err
	}
	b := &clientBench{c: c, srv: srv, dir: dir, ca: ca, say: os.Stderr}
	results, err := b.judge(ctx, scenarios)
	if err != nil {
		return err
	}
	h := checkreport.Header{Subject: b.subject(), Time: time.Now(), Strict: c.Strict}
	if !c.JSON && !c.Nagios {
		for _, r := range results {
			checkreport.Line(os.Stdout, r)
		}
	}
	return c.report(h, results)
}

// clientSecurity is what the flags say that the client is set to, "" if they
// do not.
func (c *checkCmd) clientSecurity() string {
	switch {
	case c.TLS:
		return "tls"
	case c.STLS:
		return "stls"
	case c.Cleartext:
		return "clear"
	}
	return ""
}

// scenarios are those that are asked for, or else all that the client can be
// led through.
func (c *checkCmd) scenarios() ([]pop3test.Scenario, error) {
	var chosen []pop3test.Scenario
	for _, name := range c.Scenario {
		s, ok := pop3test.ScenarioNamed(name)
		if !ok {
			return nil, &exitError{hint.Add(fmt.Errorf("no scenario %q", name), "there are: %s", scenarioNames()), exitUsage}
		}
		chosen = append(chosen, s)
	}
	if chosen != nil {
		return chosen, nil
	}
	first := pop3test.Scenarios()[0]
	for _, s := range pop3test.Scenarios() {
		switch security := c.clientSecurity(); {
		case security != "" && s.Security != "" && s.Security != security:
			continue // the client is set otherwise
		case c.Run_ == "" && (s.Auth != nil || s.User != first.User || s.Password != first.Password):
			continue // a person would have to set the client anew
		case c.Run_ == "" && security == "" && s.Security != "":
			continue // as above
		}
		chosen = append(chosen, s)
	}
	return chosen, nil
}

func scenarioNames() string {
	var names []string
	for _, s := range pop3test.Scenarios() {
		names = append(names, s.Name)
	}
	return strings.Join(names, " ")
}

// A clientBench is one report being made.
type clientBench struct {
	c   *checkCmd
	srv *pop3test.Server
	dir string // temporary
	ca  string // the file with the root certificate
	say io.Writer
}

func (b *clientBench) subject() string {
	if b.c.Run_ != "" {
		return "the client: " + b.c.Run_
	}
	return "the client"
}

// judge leads the client through scenarios.
func (b *clientBench) judge(ctx context.Context, scenarios []pop3test.Scenario) ([]pop3check.Result, error) {
	if b.c.Run_ == "" {
		b.explain(scenarios)
	}
	var runs []pop3check.ClientRun
	connections := 0
	for i, s := range scenarios {
		run, err := b.srv.Try(ctx, s, b.c.clientSecurity(), func(ctx context.Context) pop3test.Outcome {
			fmt.Fprintf(b.say, "scenario %d of %d: %s: %s\n", i+1, len(scenarios), s.Name, s.Doc)
			if b.c.Run_ == "" {
				return b.watch(ctx)
			}
			return b.run(ctx, s)
		})
		if err != nil {
			return nil, err
		}
		runs = append(runs, run)
		connections += len(run.Recordings)
		if ctx.Err() != nil || b.c.Run_ == "" && b.c.Sessions > 0 && connections >= b.c.Sessions {
			break
		}
	}
	if connections == 0 {
		return nil, &exitError{b.neverConnected(runs), exitUnreachable}
	}
	return pop3check.JudgeClient(runs), nil
}

// neverConnected says what is known of a client that did nothing.
func (b *clientBench) neverConnected(runs []pop3check.ClientRun) error {
	err := errors.New("the client never connected")
	if b.c.Run_ == "" {
		return hint.Add(err, "it must connect to %s, or with TLS from the first octet to %s", b.srv.Addr, b.srv.AddrTLS)
	}
	if last := runs[len(runs)-1]; last.Exit != nil {
		err = fmt.Errorf("%w; it ended with %d and said: %s", err, *last.Exit, visible(tail(last.Output, 500)))
	}
	return hint.Add(err, "the command finds the server in $POSTFACH_HOST, $POSTFACH_PORT and $POSTFACH_TLS_PORT")
}

// tail returns the last n octets of what a program printed.
func tail(s string, n int) string {
	s = strings.TrimSpace(s)
	return s[max(0, len(s)-n):]
}

// explain says to a person what to set.
func (b *clientBench) explain(scenarios []pop3test.Scenario) {
	_, port, _ := net.SplitHostPort(b.srv.Addr)
	_, tlsPort, _ := net.SplitHostPort(b.srv.AddrTLS)
	fmt.Fprintf(b.say, `server            localhost
port              %s, in clear or with STLS
port with TLS     %s
user              %s
password          %s
root certificate  %s

Let the client fetch the mail of this account once for each scenario.
The next scenario begins when its connection has ended. Ctrl-C ends it all
and prints the report. --tls, --stls or --cleartext say how the client is set,
and add scenarios for that; --run runs a client by itself.

`, port, tlsPort, scenarios[0].User, scenarios[0].Password, b.ca)
}

// quiet is how long no connection may come before a scenario is over: clients
// may have several.
const quiet = time.Second

// watch waits for a client to come and go.
func (b *clientBench) watch(ctx context.Context) pop3test.Outcome {
	for n := 1; ; {
		if b.srv.WaitSessions(ctx, n) != nil {
			break
		}
		wait, cancel := context.WithTimeout(ctx, quiet)
		err := b.srv.WaitSessions(wait, n+1)
		cancel()
		if err == nil {
			n++
			continue
		}
		if now := len(b.srv.Recordings()); now > n { // one is under way
			n = now
			continue
		}
		break
	}
	return pop3test.Outcome{}
}

// run runs the command for one scenario, in a folder of its own.
func (b *clientBench) run(ctx context.Context, s pop3test.Scenario) pop3test.Outcome {
	home := filepath.Join(b.dir, s.Name)
	out := filepath.Join(home, "out")
	if err := os.MkdirAll(out, 0o755); err != nil {
		fmt.Fprintln(b.say, err)
		return pop3test.Outcome{}
	}
	ctx, cancel := context.WithTimeout(ctx, b.c.Timeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-c", b.c.Run_)
	cmd.Dir = home
	cmd.Env = append(os.Environ(), b.environment(s, out)...)
	cmd.WaitDelay = time.Second
	ownGroup(cmd)
	printed, err := cmd.CombinedOutput()
	o := pop3test.Outcome{Output: string(printed)}
	if code := cmd.ProcessState.ExitCode(); err == nil || code >= 0 {
		o.Exit = &code
	} else {
		failed := -1 // a client that had to be stopped was not content
		o.Exit = &failed
	}
	o.Delivered, err = delivered(out)
	o.DeliveredKnown = err == nil && len(o.Delivered) > 0
	return o
}

// environment tells the command what it needs to know.
func (b *clientBench) environment(s pop3test.Scenario, out string) []string {
	_, port, _ := net.SplitHostPort(b.srv.Addr)
	_, tlsPort, _ := net.SplitHostPort(b.srv.AddrTLS)
	return []string{
		"POSTFACH_HOST=localhost",
		"POSTFACH_PORT=" + port,
		"POSTFACH_TLS_PORT=" + tlsPort,
		"POSTFACH_USER=" + s.User,
		"POSTFACH_PASSWORD=" + s.Password,
		"POSTFACH_CAFILE=" + b.ca,
		"POSTFACH_SCENARIO=" + s.Name,
		"POSTFACH_SECURITY=" + cmp.Or(s.Security, b.c.clientSecurity(), "clear"),
		"POSTFACH_AUTH=" + strings.Join(s.Auth, " "),
		"POSTFACH_OUT=" + out,
	}
}

// delivered reads the files below dir.
func delivered(dir string) ([]string, error) {
	var all []string
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		octets, err := os.ReadFile(name)
		all = append(all, string(octets))
		return err
	})
	return all, err
}
