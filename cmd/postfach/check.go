package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"time"

	"postfach/internal/hint"
)

// checkCmd judges a server, or a client. Its three modes are in the files
// check_diagnose.go, check_conformance.go and check_client.go.
type checkCmd struct {
	Args []string `arg:"" optional:"" name:"host" help:"The server (HOST, HOST:PORT) or the mail address of an account on it. With --conformance and --list, rules (P3-TOP-04) and areas (P3-TOP) select what is checked."`

	Host string   `kong:"-"` // of Args, what is no rule
	IDs  []string `kong:"-"` // of Args, the rules and areas

	Conformance bool `help:"Check which rules of POP3 the server keeps." xor:"mode"`
	Client      bool `help:"Be a server, and check the client that connects." xor:"mode"`
	List        bool `help:"List the rules that are checked, and why others are not." xor:"mode"`

	TLS       bool `name:"tls" help:"TLS from the first octet, on port 995." xor:"security"`
	STLS      bool `name:"stls" help:"TLS by STLS, on port 110." xor:"security"`
	Cleartext bool `help:"No TLS, on port 110." xor:"security"`

	User string `help:"The account's user name." placeholder:"U"`
	accountPassword
	AllowCleartext bool   `help:"Send the password without TLS, too: everybody on the way can read it."`
	CAFile         string `name:"cafile" help:"Trust the certificates in this PEM file, and no others." placeholder:"FILE" type:"existingfile"`
	Pin            string `help:"Trust the server's certificate if its SHA-256 is this, and no other." placeholder:"HEX"`
	clientCertificate

	Samples int `help:"How many messages are read to compare them with what the server says of them." placeholder:"N" default:"3"`

	Deliver     string `help:"With --conformance: put the messages that checks need into the maildrop, by maildir:DIR, lmtp:ADDR or command:CMD." placeholder:"TO"`
	Destructive bool   `help:"With --conformance: everything in the maildrop may be removed. Use an account made for this."`
	Slow        bool   `help:"With --conformance: make checks that take many minutes, too."`
	Strict      bool   `help:"With --conformance: good practice counts like the RFCs' rules."`

	Run_     string   `name:"run" help:"With --client: run this command for each scenario." placeholder:"CMD"`
	Scenario []string `help:"With --client: only these scenarios." placeholder:"NAME"`
	Sessions int      `help:"With --client and without --run: report after so many sessions; 0 is when you press Ctrl-C."`

	JSON       bool   `name:"json" help:"Print JSON." xor:"form"`
	Nagios     bool   `help:"Print one line for Nagios or Icinga, with their exit codes." xor:"form"`
	JUnit      string `name:"junit" help:"Write the results as JUnit XML." placeholder:"FILE" type:"path"`
	HTML       string `name:"html" help:"Write the results as one HTML page." placeholder:"FILE" type:"path"`
	Prometheus string `help:"Write the measurements for the textfile collector." placeholder:"FILE" type:"path"`

	Timeout time.Duration `help:"How long the server may take for one answer." default:"30s"`
}

// Help is what --help adds.
func (*checkCmd) Help() string {
	return `Without --conformance and --client: does this POP3 connection work, and if not, whose fault is it? HOST may be a mail address; then the names that its domain offers are tried.

--conformance checks which rules of POP3 the server keeps. It takes minutes, and failed logins are part of it. A broken MUST or SHOULD is a finding; good practice that is not kept counts only with --strict. Nothing in the maildrop is removed or marked as read, unless --destructive says that the account was made for this. --deliver puts messages there that many checks need.

--client is a server that leads a client through scenarios, and judges it. With --run CMD, the command finds where to fetch mail in POSTFACH_HOST, POSTFACH_PORT, POSTFACH_TLS_PORT, POSTFACH_SECURITY (clear, stls, tls), POSTFACH_USER, POSTFACH_PASSWORD, POSTFACH_AUTH (mechanisms to use, or empty), POSTFACH_CAFILE and POSTFACH_SCENARIO; messages that it puts into the folder POSTFACH_OUT are compared.

The password comes from --password-stdin, --password-command, the environment variable POSTFACH_PASSWORD, or a prompt. --client-cert is shown to a server that asks for a certificate, and is for one server: not with a mail address.

With --json, "results" is a list of objects with "id", "level", "status" (pass, fail, skip), "want", "got" and "trace".

Exit codes:
  0  all well
  1  findings
  2  wrong usage
  3  no connection, or no login
With --nagios they are those of Nagios: 0 OK, 1 WARNING (findings), 2 CRITICAL (no connection, or no login), 3 UNKNOWN (wrong usage).`
}

// Exit codes of check.
const (
	exitFindings    = 1
	exitUnreachable = 3
)

// errFindings is for the exit code: the report has said it all.
var errFindings = &exitError{nil, exitFindings}

var ruleID = regexp.MustCompile(`(?i)^P3-[A-Z0-9]+(-\d+)?$`)

// otherMode refuses flags that the mode does not know: nobody asks for a report
// to get none.
func (c *checkCmd) otherMode() error {
	wrong := func(set bool, flag, mode string) error {
		if !set {
			return nil
		}
		return &exitError{fmt.Errorf("%s goes with %s", flag, mode), exitUsage}
	}
	conformance, client, diagnosis := c.Conformance, c.Client, !c.Conformance && !c.Client && !c.List
	return cmp.Or(
		wrong(!conformance && c.Deliver != "", "--deliver", "--conformance"),
		wrong(!conformance && c.Destructive, "--destructive", "--conformance"),
		wrong(!conformance && c.Slow, "--slow", "--conformance"),
		wrong(diagnosis && c.Strict, "--strict", "--conformance or --client"),
		wrong(!client && c.Run_ != "", "--run", "--client"),
		wrong(!client && len(c.Scenario) > 0, "--scenario", "--client"),
		wrong(!client && c.Sessions != 0, "--sessions", "--client"),
		wrong(!diagnosis && c.Prometheus != "", "--prometheus", "a check without --conformance, --client and --list"),
		wrong((client || c.List) && c.Host != "", c.Host, "a check without --client and --list"),
		wrong(diagnosis && len(c.IDs) > 0, strings.Join(c.IDs, " "), "--conformance or --list"),
	)
}

// Run runs the mode that the flags ask for.
func (c *checkCmd) Run(ctx context.Context) error {
	err := c.mode(ctx)
	if c.Nagios {
		return nagiosTrouble(os.Stdout, err)
	}
	return err
}

func (c *checkCmd) mode(ctx context.Context) error {
	for _, arg := range c.Args {
		switch {
		case ruleID.MatchString(arg):
			c.IDs = append(c.IDs, arg)
		case c.Host != "":
			return &exitError{fmt.Errorf("one server at a time: %s and %s", c.Host, arg), exitUsage}
		default:
			c.Host = arg
		}
	}
	if err := c.otherMode(); err != nil {
		return err
	}
	switch {
	case c.List:
		return c.list()
	case c.Client:
		return c.client(ctx)
	case c.Host == "":
		return &exitError{hint.Add(errors.New("which server?"), "postfach check HOST, or with a mail address: postfach check me@example.org"), exitUsage}
	case c.Conformance:
		return c.conformance(ctx)
	}
	return c.diagnose(ctx)
}
