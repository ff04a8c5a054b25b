package pop3server

import (
	"strconv"
	"sync"

	"postfach/internal/popwire"
)

// Buffers. An idle session holds readBuffer octets and no more; what it needs
// for a reply it borrows while a command runs.
const (
	readBuffer = 1 << 10  // a command line fits
	piece      = 16 << 10 // one write, one TLS record
)

// pieces is shared by all sessions: memory that is free, not state.
var pieces = sync.Pool{New: func() any { return new([piece]byte) }}

func borrow() []byte { return pieces.Get().(*[piece]byte)[:] }

func giveBack(b []byte) { pieces.Put((*[piece]byte)(b[:piece])) }

// newBuffers forgets what was read and not used. At the start and after STLS.
func (s *session) newBuffers() {
	s.r = popwire.NewReader(s.conn, readBuffer)
	s.w = popwire.NewWriter(s, borrow, giveBack)
	if s.srv.Trace != nil {
		s.w.Tap = func(octets []byte) { s.trace(false, octets) }
	}
}

func itoa(n int) string { return strconv.Itoa(n) }
