package pop3client

import (
	"context"
	"crypto/tls"
	"net"
	"time"

	"postfach/pop3"
)

// A Security says how Dial protects the connection. There is no opportunistic
// one: what was asked for happens or is an error.
type Security uint8

const (
	// ImplicitTLS: TLS from the first octet (RFC 8314 section 3).
	ImplicitTLS Security = iota
	// RequireSTLS: TLS by STLS. A server that does not announce it, refuses it
	// or fails the handshake is an error (P3-TLS-10, P3-TLS-11).
	RequireSTLS
	// Cleartext: no TLS. Credentials are written to loopback addresses only,
	// or with AllowCleartext.
	Cleartext
)

// Options say how a Client behaves. The zero value is safe.
type Options struct {
	// Security is for Dial.
	Security Security
	// TLS is copied before use. Versions below 1.2 are never negotiated, an
	// empty ServerName becomes Dial's host, an empty NextProtos "pop3"
	// (P3-TLS-02, P3-TLS-13, P3-TLS-23).
	TLS *tls.Config
	// DialContext makes the network connection. nil: a net.Dialer.
	DialContext func(ctx context.Context, network, addr string) (net.Conn, error)
	// Timeout bounds inactivity: how long connecting, the handshake or a line
	// may take, and how long a message may make no progress. It never bounds a
	// message as a whole. 0: two minutes, which opening a huge maildrop can
	// take. Use a context for an absolute limit.
	Timeout time.Duration
	// AllowCleartext lets credentials cross the network unprotected
	// (P3-USR-08).
	AllowCleartext bool
	// AllowStaleTimestamp lets APOP use the timestamp of a greeting that came
	// before STLS, so that anybody may have written it (P3-APOP-09).
	AllowStaleTimestamp bool
	// LenientLineEnds takes bare LF as a line end in messages, so that LF "."
	// LF ends one (P3-MLT-07). For servers that know no better.
	LenientLineEnds bool
	// Limits bound what a server can make the client take.
	Limits Limits
	// Trace, if not nil, sees what crosses the wire, secrets replaced. It is
	// called from the goroutine that uses the Client.
	Trace func(pop3.TraceEvent)
}

func (o *Options) timeout() time.Duration {
	if o.Timeout > 0 {
		return o.Timeout
	}
	return 2 * time.Minute
}

// Limits bound what a server can make the client take. Zero means the default.
type Limits struct {
	// Line is the longest line of a reply, a listing or CAPA, in octets. RFC
	// 2449 allows 512, servers in use send more. Default 8 KiB. Lines of
	// messages are not bounded (P3-MSG-11).
	Line int
	// Challenge is the longest line of a SASL exchange. Default 64 KiB.
	Challenge int
	// Challenges is how many a server may send in one exchange. Default 16; no
	// mechanism needs more than three.
	Challenges int
	// Listing is how long LIST, UIDL, CAPA and LANG may be, in octets. Each
	// line counts 16 more than it has: that is what it costs in memory.
	// Default 64 MiB, which are a million messages and more.
	Listing int64
	// Drain is how much of a message that nobody reads is read to save the
	// connection. Default 1 MiB; beyond it a new connection is cheaper.
	Drain int64
	// Window is how many commands are on the way at most when the server
	// announces PIPELINING, and LowWater at how many left more are sent.
	// Default 1000, which fill a long line with small messages, and half of
	// Window, so that the server need not wait.
	Window, LowWater int
	// WindowOctets is how much LIST announced for the messages on the way, at
	// most, but for one message. Default 8 MiB: more gains nothing, and a lost
	// connection loses it all.
	WindowOctets int64
}

func (l Limits) withDefaults() Limits {
	or(&l.Line, 8<<10)
	or(&l.Challenge, 64<<10)
	or(&l.Challenges, 16)
	or(&l.Listing, 64<<20)
	or(&l.Drain, 1<<20)
	or(&l.Window, 1000)
	or(&l.LowWater, max(l.Window/2, 1))
	or(&l.WindowOctets, 8<<20)
	return l
}

func or[T int | int64](value *T, otherwise T) {
	if *value <= 0 {
		*value = otherwise
	}
}

// readBuffer holds many small messages, so that reading them costs few system
// calls.
const readBuffer = 64 << 10
