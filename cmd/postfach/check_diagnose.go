package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	"postfach/internal/checkreport"
	"postfach/internal/hint"
	"postfach/pop3check"
	"postfach/pop3client"
)

// diagnose answers the question whether a connection works, in the form that
// was asked for.
func (c *checkCmd) diagnose(ctx context.Context) error { return c.answer(ctx, os.Stdout) }

// nagiosUsage tells a monitor that it did not ask rightly, and returns the exit
// code for that.
func nagiosUsage(err error) int {
	fmt.Println("POP3 UNKNOWN - " + nagiosText(err.Error()))
	return nagiosUnknown
}

func (c *checkCmd) answer(ctx context.Context, out io.Writer) error {
	q, err := c.question(ctx)
	if err != nil {
		return err
	}
	began := time.Now()
	d, err := pop3check.Diagnose(ctx, *q)
	if err != nil {
		err = fmt.Errorf("%q: %w", c.Host, err)
		return &exitError{hint.Add(err, "for example postfach check pop.example.org, or postfach check me@example.org"), exitUsage}
	}
	r := &diagnosisReport{d: d, began: began, took: time.Since(began)}
	if c.Prometheus != "" {
		if err := r.prometheus(c.Prometheus); err != nil {
			return err
		}
	}
	h := checkreport.Header{Subject: d.Verdict, Time: began}
	if err := c.writeReports(h, d.Findings); err != nil {
		return err
	}
	switch {
	case c.Nagios:
		return r.nagios(out)
	case c.JSON:
		err = r.json(out)
	default:
		err = r.text(out)
	}
	if err != nil {
		return err
	}
	return r.exit()
}

// question turns flags into what the diagnosis needs.
func (c *checkCmd) question(ctx context.Context) (*pop3check.Question, error) {
	q := &pop3check.Question{
		Host: c.Host, User: c.User, AllowCleartext: c.AllowCleartext, Timeout: c.Timeout, TLS: &tls.Config{},
	}
	if q.Samples = c.Samples; q.Samples <= 0 {
		q.Samples = -1 // none: for the library 0 is the default
	}
	for kind, asked := range map[pop3client.Security]bool{
		pop3client.ImplicitTLS: c.TLS, pop3client.RequireSTLS: c.STLS, pop3client.Cleartext: c.Cleartext,
	} {
		if asked {
			q.Security = append(q.Security, kind)
		}
	}
	pin, err := c.pin()
	if err != nil {
		return nil, err
	}
	q.Pin = pin.String()
	if c.CAFile != "" {
		if q.TLS.RootCAs, err = readRoots(c.CAFile); err != nil {
			return nil, err
		}
	}
	if c.ClientCert != "" && strings.Contains(c.Host, "@") { // P3-EXT-04
		err := errors.New("a client certificate, and no server that it is for")
		return nil, &exitError{hint.Add(err, "name the server in place of the mail address"), exitUsage}
	}
	if err := c.addTo(q.TLS); err != nil {
		return nil, err
	}
	if q.Password, err = c.diagnosisPassword(ctx); err != nil {
		return nil, err
	}
	return q, nil
}

// diagnosisPassword gets the password where there is a user. With a mail
// address and nowhere to get one from the report stops before the login.
func (c *checkCmd) diagnosisPassword(ctx context.Context) (string, error) {
	isAddress := strings.Contains(c.Host, "@")
	given := c.PasswordStdin || c.PasswordCommand != ""
	_, inEnvironment := os.LookupEnv("POSTFACH_PASSWORD")
	switch {
	case c.User == "" && !isAddress && given:
		err := errors.New("a password, and no user")
		return "", &exitError{hint.Add(err, "name the user with --user"), exitUsage}
	case c.User == "" && !isAddress:
		return "", nil
	case c.User == "" && !given && !inEnvironment && !term.IsTerminal(int(os.Stdin.Fd())):
		return "", nil
	}
	password, err := c.loginPassword(ctx, cmp.Or(c.User, c.Host), c.Host)
	if err == nil && password == "" && given {
		err = &exitError{hint.Add(errors.New("the password is empty"), "it is the first line of what --password-stdin and --password-command give"), exitUsage}
	}
	return password, err
}

// loginPassword is password. Without one there is no login; nothing was found by it.
func (c *checkCmd) loginPassword(ctx context.Context, user, host string) (string, error) {
	password, err := c.password(ctx, user, host)
	var exit *exitError
	if err != nil && !errors.As(err, &exit) {
		err = &exitError{err, exitUnreachable}
	}
	return password, err
}

// A diagnosisReport shows a diagnosis.
type diagnosisReport struct {
	d     *pop3check.Diagnosis
	began time.Time
	took  time.Duration
}

// findings are those that count.
func (r *diagnosisReport) findings() int {
	n := 0
	for _, one := range r.d.Findings {
		if r.d.Counts(one) {
			n++
		}
	}
	return n
}

// exit returns the exit code as an error.
func (r *diagnosisReport) exit() error {
	switch {
	case r.d.Unreachable():
		return &exitError{nil, exitUnreachable}
	case !r.d.OK:
		return errFindings
	}
	return nil
}

// visibleLine is text fit for one line of a terminal.
func visibleLine(s string) string { return strings.ReplaceAll(visible(s), "\n", " ") }
