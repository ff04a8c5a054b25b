// Package pop3server serves POP3 (RFC 1939 and its extensions). It knows
// maildrops, accounts and TLS by interface only: no file system, no database.
//
// A Server announces what it holds: a nil field is a missing capability.
package pop3server

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"time"

	"postfach/maildrop"
	"postfach/pop3"
)

// A Server serves maildrops to any number of connections. Fields are not
// changed once it serves. Only Store is required.
type Server struct {
	// Store holds the maildrops.
	Store maildrop.Store
	// Auth checks passwords, for USER/PASS and SASL PLAIN. nil: neither exists.
	Auth Authenticator
	// APOP knows the secrets of accounts that may use APOP. nil: no APOP.
	APOP SecretSource
	// TLS has the certificate. nil: no STLS, and ServeTLS is an error. Versions
	// below 1.2 are never negotiated (P3-TLS-02).
	TLS *tls.Config
	// AllowCleartext lets passwords cross the network unprotected. Without it
	// they are refused, and not announced, unless TLS is active or both ends of
	// the connection are loopback addresses (P3-USR-08).
	AllowCleartext bool

	// Hostname is the right side of APOP timestamps. Empty: "localhost".
	Hostname string
	// Greeting and SignOff are the texts of the first and the last reply.
	Greeting, SignOff string
	// Implementation is what CAPA's IMPLEMENTATION says. Empty: not announced.
	Implementation string
	// Language is what LANG * selects, and what sessions begin with: "en" (also
	// for empty) or "de" (P3-LANG-04).
	Language string
	// ExpireDays is after how many days the site deletes mail by itself, for
	// EXPIRE. 0: never (P3-CAPA-13). The server deletes nothing on its own.
	ExpireDays int
	// Last switches the historic command LAST on (RFC 1460).
	Last bool
	// AnnounceHistoric lists APOP and LAST in CAPA, where they work, although
	// they are not registered (P3-LAST-05, P3-CAPA-19).
	AnnounceHistoric bool

	Limits Limits
	// Log gets a line when a session ends, and one for each failed login. nil:
	// slog.Default.
	Log *slog.Logger
	// Trace, if not nil, sees what crosses the wire, secrets replaced. It is
	// called from the sessions' goroutines.
	Trace func(pop3.TraceEvent)

	lifecycle
}

// An Authenticator checks a name and a password.
type Authenticator interface {
	// Authenticate returns the maildrop's user. Both strings have been prepared
	// with SASLprep (package sasl). ErrCredentials: unknown name or
	// wrong password, which take the same time (P3-USR-10). A *pop3.Error
	// reaches the client as it is; anything else becomes [SYS/TEMP].
	Authenticate(ctx context.Context, name, password string) (user string, err error)
}

// A SecretSource knows shared secrets for APOP (RFC 1939 section 7).
type SecretSource interface {
	// Available reports whether any account can use APOP now. Only then does a
	// greeting have a timestamp (P3-GRT-05).
	Available() bool
	// Secret returns the maildrop's user and the shared secret. ErrCredentials:
	// there is no such account, or APOP is not for it.
	Secret(ctx context.Context, name string) (user, secret string, err error)
}

// ErrCredentials is what an Authenticator and a SecretSource return when name
// and password do not fit. The client hears [AUTH] and never which of the two.
var ErrCredentials = errors.New("name and password do not fit")

// Errors of Serve.
var (
	ErrServerClosed = errors.New("pop3server: server closed")
	ErrNoStore      = errors.New("pop3server: Server.Store is nil")
	ErrNoTLS        = errors.New("pop3server: Server.TLS has no certificate")
)

// Limits bound what a peer can take. Zero means the default.
type Limits struct {
	// Login is how long a connection may take until it is logged in, from its
	// first octet to the last, however busy it is. Default 60 s (AMB-05).
	Login time.Duration
	// Idle is how long a session waits for a command. Default and least: 10
	// minutes (P3-ST-04).
	Idle time.Duration
	// Write is how long the client may take to read one piece of a reply, at
	// most 16 KiB. Default 5 minutes: slow is not dead (P3-ST-05, AMB-30).
	Write time.Duration
	// FailureDelay is how long the answer to a wrong password waits. Default
	// 2 s: guessing takes time, mistyping does not take much.
	FailureDelay time.Duration
	// FailedLogins closes the connection after so many. Default 3.
	FailedLogins int
	// BadCommands closes the connection after so many in a row. Default 20
	// (P3-ST-14).
	BadCommands int
	// Connections is how many are served at once; more hear [SYS/TEMP].
	// Default 10,000.
	Connections int
}

func (l Limits) withDefaults() Limits {
	setDefault(&l.Login, 60*time.Second)
	setDefault(&l.Write, 5*time.Minute)
	setDefault(&l.FailureDelay, 2*time.Second)
	setDefault(&l.FailedLogins, 3)
	setDefault(&l.BadCommands, 20)
	setDefault(&l.Connections, 10_000)
	l.Idle = max(l.Idle, MinIdle)
	return l
}

// MinIdle is the least that the auto-logout timer may be (RFC 1939 section 3).
const MinIdle = 10 * time.Minute

func setDefault[T int | time.Duration](v *T, d T) {
	if *v <= 0 {
		*v = d
	}
}
