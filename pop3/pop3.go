// Package pop3 is the vocabulary that Postfach's client, server and tools
// share: states, capabilities, response codes, listings, unique-ids, the APOP
// digest and pop:// URLs. It knows no network and no storage.
//
// The words are those of RFC 1939. Rules are cited as "P3-AREA-NN", the ids of
// the requirements catalogue.
package pop3

// The registered ports: RFC 1939 section 3 and RFC 8314 section 3.1.
const (
	Port    = 110 // POP3, with STLS for TLS
	PortTLS = 995 // POP3 inside TLS from the first octet
)

// ALPN is the protocol name for TLS's application-layer negotiation
// (P3-TLS-23).
const ALPN = "pop3"

// A State is a stage in the life of a session (RFC 1939 section 3).
type State uint8

const (
	Authorization State = iota // after the greeting: who is it?
	Transaction                // the maildrop is open and locked
	Update                     // after QUIT in Transaction: marked messages go
)

// String returns the RFC's name of the state.
func (s State) String() string {
	switch s {
	case Authorization:
		return "AUTHORIZATION"
	case Transaction:
		return "TRANSACTION"
	case Update:
		return "UPDATE"
	}
	return "unknown state"
}

// A DropListing is the answer to STAT (RFC 1939 section 5).
type DropListing struct {
	Count int   // messages not marked as deleted
	Size  int64 // their octets, added up
}

// A ScanListing is one line of LIST (RFC 1939 section 5).
type ScanListing struct {
	Number int   // 1 to n, fixed for a session
	Size   int64 // octets; each line end counts two, byte-stuffing none
}

// An IDListing is one line of UIDL (RFC 1939 section 7).
type IDListing struct {
	Number int
	ID     UniqueID
}

// A UniqueID names a message in its maildrop for ever. It is an opaque octet
// string; case matters (P3-UIDL-11).
type UniqueID string

// MaxUniqueID is the length of the longest legal unique-id, in octets.
const MaxUniqueID = 70

// Valid reports whether id is legal on the wire: 1 to 70 octets from 0x21 to
// 0x7E (RFC 1939 section 7, P3-UIDL-03).
func (id UniqueID) Valid() bool {
	if len(id) < 1 || len(id) > MaxUniqueID {
		return false
	}
	for i := range len(id) {
		if id[i] < 0x21 || id[i] > 0x7e {
			return false
		}
	}
	return true
}
