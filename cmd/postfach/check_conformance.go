package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"postfach/internal/checkreport"
	"postfach/internal/hint"
	"postfach/internal/remotes"
	"postfach/pop3"
	"postfach/pop3check"
	"postfach/pop3client"
)

// conformance checks which rules a server keeps.
func (c *checkCmd) conformance(ctx context.Context) error {
	checks, unknown := pop3check.Select(c.IDs...)
	if len(unknown) > 0 {
		return c.unknownIDs(unknown)
	}
	target, err := c.target(ctx)
	if err != nil {
		return err
	}
	if err := target.Reach(ctx); err != nil {
		return &exitError{reachHint(err, target.Password), exitUnreachable}
	}
	if target.Deliver != nil {
		// At once, not as a reason for skipping beside each check.
		if err := target.TryDeliver(ctx); err != nil {
			err = fmt.Errorf("--deliver %s: %w", c.Deliver, err)
			return &exitError{hint.Add(err, "nothing was checked; the message must get into the maildrop of %s", c.User), exitUsage}
		}
	}
	h := checkreport.Header{Subject: c.subject(target), Time: time.Now(), Strict: c.Strict}
	var results []pop3check.Result
	for r := range target.Run(ctx, checks) {
		if !c.JSON && !c.Nagios {
			checkreport.Line(os.Stdout, r)
		}
		results = append(results, r)
	}
	if err := context.Cause(ctx); err != nil {
		return err
	}
	return c.report(h, results)
}

// report writes the results in all forms that were asked for. Text has come
// line by line already, but for its summary.
func (c *checkCmd) report(h checkreport.Header, results []pop3check.Result) error {
	failed := c.writeReports(h, results)
	count := checkreport.CountOf(results, h.Strict)
	switch {
	case c.JSON:
		if err := checkreport.JSON(os.Stdout, h, results); err != nil {
			return err
		}
	case c.Nagios && failed == nil:
		return nagios(count)
	case c.Nagios: // the line says what failed
	default:
		checkreport.Summary(os.Stdout, h, results)
	}
	switch {
	case failed != nil:
		return failed
	case count.Findings > 0:
		return errFindings
	}
	return nil
}

// writeReports writes the files that were asked for. One that cannot be written
// is no reason to lose the others.
func (c *checkCmd) writeReports(h checkreport.Header, results []pop3check.Result) error {
	var failed error
	for _, form := range []struct {
		file  string
		write func(io.Writer, checkreport.Header, []pop3check.Result) error
	}{{c.JUnit, checkreport.JUnit}, {c.HTML, checkreport.HTML}} {
		if form.file == "" {
			continue
		}
		failed = errors.Join(failed, writeFile(form.file, func(w io.Writer) error { return form.write(w, h, results) }))
	}
	if failed != nil {
		return &exitError{failed, exitUsage}
	}
	return nil
}

// nagios prints one line and returns the exit code that monitoring wants: a
// broken rule is no outage, so it is a warning.
func nagios(count checkreport.Count) error {
	perfdata := fmt.Sprintf("passed=%d failed=%d skipped=%d findings=%d", count.Passed, count.Failed, count.Skipped, count.Findings)
	if count.Passed == 0 && count.Findings == 0 {
		fmt.Printf("POP3 UNKNOWN - %s | %s\n", count.Verdict(), perfdata)
		return &exitError{nil, nagiosUnknown}
	}
	if count.Findings > 0 {
		fmt.Printf("POP3 WARNING - %s | %s\n", count.Verdict(), perfdata)
		return errFindings
	}
	fmt.Printf("POP3 OK - %s | %s\n", count.Verdict(), perfdata)
	return nil
}

// writeFile writes a report. One that fails leaves no half of it unsaid.
func writeFile(name string, write func(io.Writer) error) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	return errors.Join(write(f), f.Close())
}

// unknownIDs says that no rule is called so, or why a rule is no check.
func (c *checkCmd) unknownIDs(ids []string) error {
	areas := make(map[string]bool)
	for _, check := range pop3check.Checks() {
		areas[check.Area()] = true
	}
	err := fmt.Errorf("no check is called %s", strings.Join(ids, ", "))
	for _, id := range ids {
		for known, why := range pop3check.Unchecked() {
			if strings.EqualFold(known, id) {
				err = fmt.Errorf("%s is no check: %s", known, why)
			}
		}
	}
	return &exitError{hint.Add(err, "postfach check --list; the areas are %s", strings.Join(slices.Sorted(maps.Keys(areas)), " ")), exitUsage}
}

// target is the server that the flags name.
func (c *checkCmd) target(ctx context.Context) (*pop3check.Target, error) {
	addr, security, err := c.address()
	if err != nil {
		return nil, err
	}
	conf, err := tlsConfig(c.CAFile, c.Pin, &c.clientCertificate)
	if err != nil {
		return nil, err
	}
	t := &pop3check.Target{
		Addr: addr, Security: security, TLS: conf, User: c.User, AllowCleartext: c.AllowCleartext,
		Destructive: c.Destructive, Slow: c.Slow, Timeout: c.Timeout,
	}
	if c.Deliver != "" {
		if t.Deliver, err = c.deliverer(); err != nil {
			return nil, err
		}
	}
	if c.User != "" {
		host, _, _ := net.SplitHostPort(addr)
		if t.Password, err = c.loginPassword(ctx, c.User, host); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// address reads HOST[:PORT] and says how to connect there: as the flags want,
// else TLS from the first octet, but STLS on port 110.
func (c *checkCmd) address() (addr string, security pop3client.Security, err error) {
	host, port, err := net.SplitHostPort(c.Host)
	if err != nil {
		host, port = strings.Trim(c.Host, "[]"), ""
	}
	if n, err := strconv.ParseUint(port, 10, 16); port != "" && (err != nil || n == 0) || host == "" || strings.ContainsAny(host, "/@ ") {
		return "", 0, &exitError{hint.Add(fmt.Errorf("%q is no HOST or HOST:PORT", c.Host), "for example pop.example.org or localhost:1110"), exitUsage}
	}
	standard := strconv.Itoa(pop3.Port)
	switch {
	case c.STLS || !c.TLS && !c.Cleartext && port == standard:
		security = pop3client.RequireSTLS
	case c.Cleartext:
		security = pop3client.Cleartext
	default:
		security, standard = pop3client.ImplicitTLS, strconv.Itoa(pop3.PortTLS)
	}
	if port == "" {
		port = standard
	}
	return net.JoinHostPort(host, port), security, nil
}

// subject says what is judged, and how it is reached.
func (c *checkCmd) subject(t *pop3check.Target) string {
	switch t.Security {
	case pop3client.RequireSTLS:
		return t.Addr + " by STLS"
	case pop3client.Cleartext:
		return t.Addr + " in clear"
	}
	return t.Addr + " by TLS"
}

// pin is what --pin says, nil for nothing.
func (c *checkCmd) pin() (remotes.Pin, error) { return parsePin(c.Pin) }

// reachHint says what to do when there is nothing to check. A server may have
// repeated the password.
func reachHint(err error, password string) error {
	e, ok := errors.AsType[*pop3check.ReachError](err)
	if !ok {
		return err
	}
	const short = 4 // what is shorter would show itself by the gaps it leaves
	why := visibleLine(e.Why)
	if len(password) >= short {
		why = strings.ReplaceAll(why, visibleLine(password), "<secret>")
	}
	err = &pop3check.ReachError{Login: e.Login, Why: why}
	if e.Login {
		return hint.Add(err, "postfach check without --conformance says more about it")
	}
	return hint.Add(err, "postfach check without --conformance says more about it; --tls, --stls and --cleartext say how to connect, --cafile whom to trust")
}
