package explore

import (
	"context"

	"postfach/pop3"
	"postfach/pop3check"
	"postfach/pop3client"
)

// An Account is a maildrop, and the way to it.
type Account struct {
	Name string // what a person calls it
	User string
	Host string // where it is, for people: a host, or a folder
	// Dial connects and reads the greeting; it does not log in. trace sees the
	// conversation.
	Dial func(ctx context.Context, trace func(pop3.TraceEvent)) (*pop3client.Client, error)
	// Login logs in.
	Login func(ctx context.Context, c *pop3client.Client, password string) error
	// Password gets the password without asking a person. nil: a face asks.
	Password func(ctx context.Context) (string, error)
	// NoPassword: none is needed, as for a local maildrop.
	NoPassword bool
	// ReadOnly refuses marks.
	ReadOnly bool
	// Local: it is one of this machine, for its operator, and its owner is
	// somebody else.
	Local bool
	// Trust returns the same account, trusting the certificate with this pin and
	// no other. nil: that cannot be done.
	Trust func(pin string) Account
	// Question is what Diagnose asks. nil: there is nothing to diagnose.
	Question *pop3check.Question
}
