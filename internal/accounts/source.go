package accounts

import (
	"context"
	"net/netip"

	"postfach/sasl"
)

// A Source is one place that knows accounts: a file, a directory service, a
// database, a program. A Directory asks its sources and decides.
type Source interface {
	// Lookup returns the account of a user, whose name CheckName lets pass.
	// maildrop.ErrNoUser: there is none here. The Entry is not changed afterwards.
	Lookup(ctx context.Context, user string) (*Entry, error)
	// Decoy returns what a try at a name that is nowhere is checked against. It
	// costs what a real one of this source costs, and nothing fits it. A name
	// always gets the same one (P3-USR-10, P3-SCRAM-18). It is made for names that
	// are known, too, and asks nobody; its Check may.
	Decoy(ctx context.Context, name string) *Entry
	// Offers reports whether each of its accounts that is open has a verifier for
	// a hash. It asks nobody.
	Offers(h sasl.ScramHash) bool
	// Secrets reports whether any of its accounts has a shared secret. It asks
	// nobody.
	Secrets() bool
}

// Unannounced is embedded in a Source that does not know what its accounts have: it
// announces neither SCRAM nor what needs a shared secret.
type Unannounced struct{}

// Offers implements Source. An operator who knows better lists SCRAM in the
// configuration.
func (Unannounced) Offers(sasl.ScramHash) bool { return false }

// Secrets implements Source.
func (Unannounced) Secrets() bool { return false }

// An Entry is what a Source says of an account.
type Entry struct {
	User string
	// Maildir is the path of the maildrop; empty: the usual place.
	Maildir string
	// Credentials are what lets somebody in, the account's password first. AddSecret
	// adds those that are kept as "{SCHEME}secret".
	Credentials []Credential
	// Scram is what serves the SCRAM mechanisms; nil or without keys for a hash:
	// none. Its keys belong to Credentials.
	Scram map[sasl.ScramHash]*ScramEntry
	// Secret returns the shared secret for APOP and CRAM-MD5. nil: there is none.
	Secret func() (string, error)
	// Confirm says why somebody does not get in who has proved to be the account's owner,
	// for the log; empty: he does. It may ask others: only then is it called. nil: he
	// does.
	Confirm func(ctx context.Context) (refused string, err error)
	// Policy is what the account's source asks for beyond the credentials.
	Policy Policy
	// Certificates are the SHA-256 fingerprints of the client certificates that are
	// this account's, in lower-case hexadecimal digits.
	Certificates []string
	// Closed says why nobody gets in at all, for the log; empty: it is open.
	Closed string
	// Broken says that the source's words could not be understood: the account is
	// Closed, and where its maildrop is, is not known.
	Broken bool

	// apart has the keys of app passwords whose salt is not that of Scram: for
	// passwords only. nil: none.
	apart *ScramEntry

	// The Directory's, in its own copy: by which name the entry was found, and in which
	// of the sources.
	asked  string
	source int
}

// A Credential is one password of an account.
type Credential struct {
	// Name is that of an app password. Empty: the account's own password.
	Name string
	// Of says whose password it is, in words of the source, such as a DN, where
	// Entry.User does not: it goes into the cache's key.
	Of string
	// Version changes whenever the password does, and goes into the cache's key.
	// nil: nobody knows, and the cache keeps what it learns for a short time only.
	Version []byte
	// Check says whether a prepared password is right. It may take long, and costs
	// the same for wrong ones. nil: the keys of this name in Entry.Scram say so, all
	// of which cost one derivation together.
	Check func(ctx context.Context, password string) (bool, error)
	// Remote says that Check waits for somebody else, such as a directory server:
	// it needs no processor, so that more of them run at once.
	Remote bool

	cost string // names what a Check costs that was made here
}

// A ScramEntry is an account's verifier for one hash.
type ScramEntry struct {
	Verifier sasl.ScramVerifier
	// Names are the names of the credentials that Verifier.Keys belong to.
	Names []string
}

// A Policy is what has to hold beside a right password. The zero value asks for
// nothing.
type Policy struct {
	// NoPOP3 keeps the account for other protocols.
	NoPOP3 bool
	// Networks are those that may log in, if there are any. The zero Prefix is
	// where there is no IP address, as on a unix socket.
	Networks []netip.Prefix
	// RequireTLS refuses what came in clear, on loopback, too.
	RequireTLS bool
	// RequireCertificate refuses who has no verified client certificate of this
	// account's.
	RequireCertificate bool
	// AppPasswordsOnly refuses the account's own password.
	AppPasswordsOnly bool
}

// Tokens says whom bearer tokens were made for.
type Tokens interface {
	// User returns the name of the account that a token is good for.
	// pop3server.ErrCredentials: for nobody's here, or it is not valid.
	User(ctx context.Context, token string) (string, error)
	// Discovery is pop3server.TokenSource's.
	Discovery() (configuration, scope string)
}
