package pop3

import "time"

// A TraceEvent is a piece of what crossed one connection, in order. Secrets
// have been replaced before anybody sees it (P3-USR-12, P3-OAUTH-10).
type TraceEvent struct {
	Session string    // which connection; never empty
	Time    time.Time // when it was sent or had arrived
	Client  bool      // the client said it; else the server
	Octets  []byte    // valid during the call only; not always whole lines
	// TLS: no octets, but the handshake has succeeded here: before the greeting,
	// or behind STLS.
	TLS bool
}
