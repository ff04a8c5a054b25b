package pop3check

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"net"
	"time"

	"postfach/pop3client"
)

// A Target is a server to judge, and what is known and allowed there.
type Target struct {
	// Addr is host:port.
	Addr string
	// Security says how connections are made: TLS from the first octet, TLS by
	// STLS, or none.
	Security pop3client.Security
	// TLS is copied before use; an empty ServerName becomes Addr's host. nil:
	// the system's roots.
	TLS *tls.Config
	// DialContext makes the network connection. nil: a net.Dialer.
	DialContext func(ctx context.Context, network, addr string) (net.Conn, error)

	// User and Password are the account. An empty User skips all that needs a
	// login.
	User, Password string
	// Secret is the account's APOP secret, where it is not the password.
	Secret string
	// AllowCleartext lets User and Password cross the network unprotected.
	// Without it they go over TLS and to loopback addresses only.
	AllowCleartext bool

	// Deliver puts a message into the account's maildrop: octets as they are to
	// be stored, with LF or CRLF, perhaps without a last line end. When it
	// returns nil the next session has the message. nil: checks use what is
	// there.
	Deliver func(ctx context.Context, message []byte) error
	// Destructive says that the maildrop was made for this: everything in it
	// may be removed.
	Destructive bool
	// Slow allows checks that take minutes.
	Slow bool

	// Timeout is how long one reply may take. 0: 30 s.
	Timeout time.Duration
	// Quiet is how long the checker listens where nothing may come. 0: 500 ms.
	Quiet time.Duration
}

func (t *Target) timeout() time.Duration { return cmp.Or(t.Timeout, 30*time.Second) }
func (t *Target) quiet() time.Duration   { return cmp.Or(t.Quiet, 500*time.Millisecond) }
func (t *Target) secret() string         { return cmp.Or(t.Secret, t.Password) }

// TryDeliver delivers one of the messages that checks need, to learn whether
// that works. Run uses it, too.
func (t *Target) TryDeliver(ctx context.Context) error {
	return t.Deliver(ctx, ourMessage("dots").stored)
}

// LocalLineEnds gives a message for Deliver the line ends of files, as a mail
// server does before it writes one: a POP3 server that adds the CR of each line
// would otherwise send two.
func LocalLineEnds(message []byte) []byte {
	return bytes.ReplaceAll(message, []byte("\r\n"), []byte("\n"))
}
