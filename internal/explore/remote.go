package explore

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"time"

	"postfach/fetch"
	"postfach/internal/hint"
	"postfach/internal/remotes"
	"postfach/pop3"
	"postfach/pop3check"
	"postfach/pop3client"
)

// Remote returns an account on somebody else's server. timeout is how long the
// server may say nothing; 0: the client's default. Errors of the account have
// hints.
func Remote(a remotes.Account, timeout time.Duration) Account {
	u := a.URL
	account := Account{
		Name: cmp.Or(a.Name, u.User+"@"+fetch.Host(u.Addr())),
		User: u.User,
		Host: fetch.Host(u.Addr()),
		Dial: func(ctx context.Context, trace func(pop3.TraceEvent)) (*pop3client.Client, error) {
			o, err := a.Options()
			if err != nil {
				return nil, err
			}
			o.Timeout = timeout
			c, err := dialGreeted(ctx, u.Addr(), o, (&net.Dialer{Timeout: timeout}).DialContext, trace)
			if err != nil {
				return nil, connectHint(fmt.Errorf("%s: %w", u.Addr(), untrusted(err)), u)
			}
			return c, nil
		},
		Login: func(ctx context.Context, c *pop3client.Client, password string) error {
			err := fetch.Login(ctx, c, u.User, password, a.Auth())
			if err == nil {
				return nil
			}
			return remotes.LoginHint(fmt.Errorf("log in to %s as %q: %w", u.Host, u.User, err))
		},
		NoPassword: a.NeedsNoSecret(),
		Question:   question(a, timeout),
		Trust: func(pin string) Account {
			trusting := a
			trusting.Pin = pin
			return Remote(trusting, timeout)
		},
	}
	if a.HasCommand() {
		account.Password = a.Password
	}
	return account
}

// connectHint is remotes.ConnectHint for one who can trust a certificate, too.
func connectHint(err error, u *pop3.URL) error {
	if unknown, ok := errors.AsType[*UntrustedError](err); ok {
		return hint.Add(err, "if you know this server: --pin %s trusts this certificate, --cafile FILE those that are signed by one in the file", unknown.Pin)
	}
	return remotes.ConnectHint(err, u)
}

// diagnosisTimeout is how long one answer may take in a diagnosis: it asks many
// questions, and a person waits.
const diagnosisTimeout = 30 * time.Second

// question asks for what the account's connections are like.
func question(a remotes.Account, timeout time.Duration) *pop3check.Question {
	q := &pop3check.Question{Host: a.URL.Host, Timeout: diagnosisTimeout}
	if a.URL.Port != 0 {
		q.Host = a.URL.Addr()
	}
	if timeout > 0 {
		q.Timeout = min(q.Timeout, timeout)
	}
	o, err := a.Options()
	if err != nil {
		// A diagnosis that trusts other certificates than the account does would
		// tell of another server.
		q.TLS = &tls.Config{}
		q.DialContext = func(context.Context, string, string) (net.Conn, error) { return nil, err }
		return q
	}
	q.TLS, q.Pin, q.AllowCleartext = &tls.Config{RootCAs: o.TLS.RootCAs, Certificates: o.TLS.Certificates}, a.Pin, o.AllowCleartext
	q.Security = []pop3client.Security{o.Security}
	return q
}
