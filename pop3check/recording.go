package pop3check

import "time"

// A Recording is one connection as a test server saw it: what its client is
// judged by. Octets are raw: they hold passwords.
type Recording struct {
	// Number counts the server's connections from 1.
	Number int
	// Scenario is what the server was doing wrong, "" for nothing.
	Scenario string
	// ImplicitTLS: the connection was to the port that begins with TLS.
	ImplicitTLS bool
	Events      []Event
}

// An Event is something that happened on a connection.
type Event struct {
	Time   time.Time
	Kind   EventKind
	Octets string // ClientSaid: one line with its line end, as far as it came; ServerSaid: one write
	Err    string // TLSFailed: why; ClientClosed: why, when that was not a plain end
	Hello  *Hello // TLSBegun, TLSFailed: what the client said first, nil if that was no TLS
}

// A Hello is the beginning of a client's TLS handshake.
type Hello struct {
	ServerName string   // SNI
	Protocols  []string // ALPN
}

// EventKind says what happened.
type EventKind string

// The kinds of events.
const (
	ClientSaid   EventKind = "client"
	ServerSaid   EventKind = "server"
	TLSBegun     EventKind = "tls"
	TLSFailed    EventKind = "tls-failed"
	ClientClosed EventKind = "client-closed"
	ServerClosed EventKind = "server-closed"
)
