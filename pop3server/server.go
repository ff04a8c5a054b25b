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
	"postfach/sasl"
)

// A Server serves maildrops to any number of connections. Fields are not
// changed once it serves. Only Store is required.
type Server struct {
	// Store holds the maildrops.
	Store maildrop.Store
	// Auth checks passwords, for USER/PASS and SASL PLAIN. nil: neither exists.
	Auth Authenticator
	// Login offers SASL LOGIN beside PLAIN, in TLS only, for clients that know
	// nothing better (P3-AUTH-33). Without Auth it means nothing.
	Login bool
	// SCRAM knows verifiers for SCRAM-SHA-256 and SCRAM-SHA-1, and for both with
	// -PLUS where the connection has TLS that can be bound to. nil: none of them.
	// They work where passwords do: whoever listens to an exchange in clear can
	// try passwords against it at home.
	SCRAM ScramSource
	// Tokens checks bearer tokens, for OAUTHBEARER and XOAUTH2, in TLS only. nil:
	// neither exists.
	Tokens TokenSource
	// Certificates says whose a client certificate is, for EXTERNAL (P3-EXT-01).
	// nil: no EXTERNAL. TLS has to ask for certificates and to verify them: its
	// ClientAuth is tls.VerifyClientCertIfGiven, or tls.RequireAndVerifyClientCert.
	Certificates CertificateSource
	// CRAM knows the secrets of accounts that may use CRAM-MD5. nil: no CRAM-MD5.
	CRAM SecretSource
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
	// Guard counts connections, failed logins and calls of the Store. Servers that
	// share one share what Limits says of all connections together. nil: its own.
	Guard *Guard
	// LoggedIn, if not nil, hears of each login that succeeded, before the client
	// does. It must not wait.
	LoggedIn func(p *Peer, who Identity, mechanism string)
	// Log gets a line when a session ends, and one for each failed login. nil:
	// slog.Default.
	Log *slog.Logger
	// Trace, if not nil, sees what crosses the wire, secrets replaced. It is
	// called from the sessions' goroutines.
	Trace func(pop3.TraceEvent)

	lifecycle
}

// An Identity is who has logged in.
type Identity struct {
	// User is the account.
	User string
	// Credential names which of the account's credentials it was, such as an app
	// password, for the log. Empty: the account's password.
	Credential string
	// Maildrop is what the Store knows the maildrop by, where it is not User. Empty:
	// it is.
	Maildrop string
}

// An Authenticator checks a name and a password.
type Authenticator interface {
	// Authenticate says who that is. Both strings have been prepared with
	// SASLprep (package sasl). ErrCredentials: unknown name, wrong password, or
	// not from there, which take the same time (P3-USR-10). A *pop3.Error reaches
	// the client as it is; anything else becomes [SYS/TEMP].
	Authenticate(ctx context.Context, p *Peer, name, password string) (Identity, error)
}

// A ScramSource knows what SCRAM needs in place of passwords (RFC 5802).
type ScramSource interface {
	// Offers reports whether the mechanisms with this hash work for those who log
	// in with a password. Only then are they announced.
	Offers(h sasl.ScramHash) bool
	// Scram returns the verifier of an account. For a name that is unknown it
	// returns one that looks the same each time and that nothing fits
	// (P3-SCRAM-18). It is asked before the challenge, and again before the proof is
	// looked at, of which the later answer counts. name has been prepared. An error says
	// that the question could not be answered, never that the answer is no: the
	// client hears [SYS/TEMP], or a *pop3.Error as it is.
	Scram(ctx context.Context, p *Peer, h sasl.ScramHash, name string) (*ScramAccount, error)
}

// A ScramAccount is what a ScramSource knows of a name.
type ScramAccount struct {
	Verifier sasl.ScramVerifier
	// Identities are who has logged in, one for each of Verifier.Keys.
	Identities []Identity
	// Admit, if not nil, has the last word about one of Identities whose key was proved.
	// ErrCredentials: not from there, which the client cannot tell from a wrong password.
	Admit func(ctx context.Context, who Identity) error
}

// A TokenSource checks bearer tokens (RFC 6750, RFC 7628).
type TokenSource interface {
	// Token says whose a token is, which is not empty. name is whom the client
	// wants to be, prepared, or empty: whoever the token says. ErrCredentials: the
	// token is not valid, or not for that user.
	Token(ctx context.Context, p *Peer, name, token string) (Identity, error)
	// Discovery returns the address of the issuer's configuration and the scope
	// that a token needs, for clients that were refused (P3-OAUTH-05). Either may
	// be empty.
	Discovery() (configuration, scope string)
}

// A CertificateSource says whose a client certificate is.
type CertificateSource interface {
	// Certificate says who the client is, by p.TLS.VerifiedChains, of which there
	// is at least one. identity is whom it wants to be, prepared, or empty: whoever
	// the certificate says (P3-EXT-03). ErrCredentials: nobody, or somebody else.
	Certificate(ctx context.Context, p *Peer, identity string) (Identity, error)
}

// A SecretSource knows shared secrets for APOP (RFC 1939 section 7) and CRAM-MD5
// (RFC 2195).
type SecretSource interface {
	// Available reports whether any account has a secret now. Only then does a
	// greeting have a timestamp (P3-GRT-05).
	Available() bool
	// Secret says who a name is, prepared, and the shared secret. ErrCredentials:
	// there is no such account, or none that may log in so from there, which takes
	// the same time. A secret beside a *RefusedError is compared all the same.
	Secret(ctx context.Context, p *Peer, name string) (who Identity, secret string, err error)
}

// ErrCredentials is what the sources of accounts return when name and password do
// not fit. The client hears [AUTH] and never which of the two.
var ErrCredentials = errors.New("name and password do not fit")

// A RefusedError is an ErrCredentials for somebody whose secret may be right.
type RefusedError struct {
	// Tell is called if it is, for the operator.
	Tell func()
}

func (e *RefusedError) Error() string { return ErrCredentials.Error() }

// Unwrap returns ErrCredentials.
func (e *RefusedError) Unwrap() error { return ErrCredentials }

// Errors of Serve.
var (
	ErrServerClosed = errors.New("pop3server: server closed")
	ErrNoStore      = errors.New("pop3server: Server.Store is nil")
	ErrNoTLS        = errors.New("pop3server: Server.TLS has no certificate")
)

// Limits bound what a peer can take. Zero means the default. docs/limits.md has
// them all in one place, with what cannot be changed.
type Limits struct {
	// Login is how long a connection may take until it is logged in, from its
	// first octet to the last, however busy it is: one that drips would keep its
	// place for ever. Default 60 s (AMB-05).
	Login time.Duration
	// Idle is how long a session waits for a command. Default and least: 10
	// minutes, which the RFC gives clients (P3-ST-04); the maildrop is locked for so
	// long when one is gone without a word.
	Idle time.Duration
	// Write is how long the client may take to read 16 KiB of a reply, or what is
	// left of it. Default 5 minutes: slow is not dead (P3-ST-05, AMB-30).
	Write time.Duration
	// FailureDelay is how long the answer to a wrong password waits. Default
	// 2 s: guessing takes time, mistyping does not take much.
	FailureDelay time.Duration
	// AddressDelay is the longest pause between two tries from an address, an IPv4
	// address or an IPv6 /64, that fails: many connections must not guess faster
	// than one. It begins with FailureDelay and doubles with each failure, up to
	// 128 times of it. Default 15 s. An account waits for nobody's failures
	// elsewhere.
	AddressDelay time.Duration
	// FailedLogins closes the connection after so many, so that whoever guesses has
	// to come again. Default 3.
	FailedLogins int
	// BadCommands closes the connection after so many in a row: nobody who speaks
	// POP3 sends them (P3-ST-14). It is also how many exchanges of SCRAM may end
	// before the proof. Default 20.
	BadCommands int
	// Connections is how many are served at once. When there is one more, the
	// oldest that has not logged in goes; where all have, the new one hears
	// [SYS/TEMP]. Default 10,000.
	Connections int
	// ConnectionsPerAddress is how many come from one address at once, an IPv4
	// address or an IPv6 /64, by the same rule. Default 200: a family, or an office
	// behind one address. Not for loopback addresses.
	ConnectionsPerAddress int
	// SessionsPerUser is how many sessions of one account there are at once,
	// those that wait for the maildrop among them; one more hears [IN-USE]. One has
	// the maildrop, and the others must not use up the connections of all. Default
	// 10.
	SessionsPerUser int
	// StoreCalls is how many calls may be in the Store at once: Open, Content, each
	// Read of a message, Update and Close. Each may hold a thread of the process for
	// as long as a disk does not answer, and there is an end to threads. Others wait
	// for their turn, 30 s at most; then the answer is [SYS/TEMP], a QUIT removes
	// nothing, and a reply that has begun is cut off. Default 256.
	StoreCalls int
}

func (l Limits) withDefaults() Limits {
	setDefault(&l.Login, 60*time.Second)
	setDefault(&l.Write, 5*time.Minute)
	setDefault(&l.FailureDelay, 2*time.Second)
	setDefault(&l.AddressDelay, 15*time.Second)
	setDefault(&l.FailedLogins, 3)
	setDefault(&l.BadCommands, 20)
	setDefault(&l.Connections, 10_000)
	setDefault(&l.ConnectionsPerAddress, 200)
	setDefault(&l.SessionsPerUser, 10)
	setDefault(&l.StoreCalls, 256)
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
