package pop3client

import (
	"errors"
	"fmt"

	"postfach/internal/popwire"
	"postfach/sasl"
)

// Errors of Dial and STLS.
var (
	// ErrNoSTLS: TLS is required and the server does not offer STLS. Perhaps
	// somebody between here and there removed it (P3-TLS-11).
	ErrNoSTLS = errors.New("the server does not offer STLS")
	// ErrCapaHangup: the server closed the connection when it heard CAPA. Dial
	// tries again without.
	ErrCapaHangup = errors.New("the server closed the connection when asked for its capabilities")
)

// Errors before anything is sent. The connection goes on.
var (
	// ErrCleartext: the connection has no TLS and credentials would be seen.
	ErrCleartext = errors.New("credentials are not sent without TLS")
	// ErrUnsafe: a value holds CR, LF or NUL, or cannot be part of a command
	// for another reason (P3-SYN-26).
	ErrUnsafe = popwire.ErrUnsafe
	// ErrTooLong: the command would be longer than the 255 octets that a
	// client may send (P3-SYN-06).
	ErrTooLong = errors.New("the command would be longer than 255 octets")
	// ErrNotASCII: the server announces no UTF-8 names (P3-UTF-08).
	ErrNotASCII = errors.New("the server takes only ASCII in user name and password")
	// ErrNoTimestamp: the greeting has no timestamp that APOP could use.
	ErrNoTimestamp = errors.New("the greeting has no timestamp for APOP that can be trusted")
	// ErrMechanism: the mechanism is not known here.
	ErrMechanism = sasl.ErrMechanism
	// ErrNoBinding: a mechanism with channel binding needs TLS.
	ErrNoBinding = sasl.ErrNoBinding
	// ErrNoToken: the server announces no mechanism for bearer tokens.
	ErrNoToken = errors.New("the server announces neither OAUTHBEARER nor XOAUTH2")
	// ErrNoExternal: a client certificate does not log in here.
	ErrNoExternal = errors.New("the server does not announce EXTERNAL")
	// ErrBusy: a message or a pipeline is open. Read it to its end first, or
	// close it.
	ErrBusy = errors.New("a message is still open")
)

// Errors about the connection.
var (
	// ErrClosed: the connection is closed. What follows it says why.
	ErrClosed = errors.New("the connection is closed")
	// ErrQuitUnknown: the answer to QUIT did not come. Messages marked as
	// deleted may be gone or not; the next UIDL tells (P3-UPD-07).
	ErrQuitUnknown = errors.New("the answer to QUIT did not come")
	// ErrUnproved: the server said +OK to a login without proof that it knows
	// the password (P3-SCRAM-05).
	ErrUnproved = errors.New("the server did not prove that it knows the password")
)

// wrap puts the command before an error. A nil err stays nil.
func wrap(command string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", command, err)
}
