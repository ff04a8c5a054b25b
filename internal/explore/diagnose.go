package explore

import (
	"context"
	"crypto/tls"
	"errors"

	"postfach/pop3"
	"postfach/pop3check"
)

// A Server is what is known of the server.
type Server struct {
	Greeting     string
	Capabilities pop3.Capabilities // after login
	TLS          *tls.ConnectionState
}

// Server returns what is known of the server; zero before the first Connect.
func (e *Explorer) Server() Server {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.server
}

// ErrNoServer: the maildrop is one of this machine's, and there is no connection
// to diagnose.
var ErrNoServer = errors.New("the maildrop is read without a server")

// Diagnose runs what `postfach check` does, on connections of its own and
// without a login, so that it needs no maildrop. ErrNoServer: Account.Question
// is nil.
func (e *Explorer) Diagnose(ctx context.Context) (*pop3check.Diagnosis, error) {
	asked := e.account().Question
	if asked == nil {
		return nil, ErrNoServer
	}
	q := *asked
	q.User, q.Password = "", ""
	return pop3check.Diagnose(ctx, q)
}
