package pop3server

import (
	"sync"

	"postfach/internal/popwire"
	"postfach/pop3"
)

// Buffers. An idle session holds readBuffer octets and no more; what it needs
// for a reply it borrows while a command runs. Whoever has not logged in gets a
// small one: many may wait for a peer that does not read.
const (
	readBuffer = 1 << 10  // a command line fits
	smallPiece = 2 << 10  // a write before the login
	piece      = 16 << 10 // one write, one TLS record
)

// The pools are shared by all sessions: memory that is free, not state.
var (
	pieces      = sync.Pool{New: func() any { return new([piece]byte) }}
	smallPieces = sync.Pool{New: func() any { return new([smallPiece]byte) }}
)

func borrow() []byte { return pieces.Get().(*[piece]byte)[:] }

// borrow returns a buffer for what the session writes.
func (s *session) borrow() []byte {
	if s.state == pop3.Authorization {
		return smallPieces.Get().(*[smallPiece]byte)[:]
	}
	return borrow()
}

func giveBack(b []byte) {
	if cap(b) == piece {
		pieces.Put((*[piece]byte)(b[:piece]))
	} else {
		smallPieces.Put((*[smallPiece]byte)(b[:smallPiece]))
	}
}

// newBuffers forgets what was read and not used. At the start and after STLS.
func (s *session) newBuffers() {
	s.r = popwire.NewReader(s.conn, readBuffer)
	s.w = popwire.NewWriter(s, s.borrow, giveBack)
	if s.srv.Trace != nil {
		s.w.Tap = func(octets []byte) { s.trace(false, octets) }
	}
}
