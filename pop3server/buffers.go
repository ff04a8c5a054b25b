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
	readBuffer = 1 << 10   // a command line fits
	smallPiece = 2 << 10   // a write before the login
	piece      = 16 << 10  // one TLS record
	largePiece = 128 << 10 // a write without TLS: fewer calls of the system
	filePiece  = 32 << 10  // a read of a message

	headerPiece = 8 << 10 // a read of a message of which little is wanted
)

// The pools are shared by all sessions: memory that is free, not state.
var (
	smallPieces = sync.Pool{New: func() any { return new([smallPiece]byte) }}
	tlsPieces   = sync.Pool{New: func() any { return new([tlsPiece]byte) }}
	largePieces = sync.Pool{New: func() any { return new([largePiece]byte) }}
	filePieces  = sync.Pool{New: func() any { return new([filePiece]byte) }}
)

// borrow returns a buffer for what the session writes.
func (s *session) borrow() []byte {
	switch {
	case s.state == pop3.Authorization:
		return smallPieces.Get().(*[smallPiece]byte)[:]
	case s.tls != nil:
		return tlsPieces.Get().(*[tlsPiece]byte)[:]
	}
	return largePieces.Get().(*[largePiece]byte)[:]
}

// giveBack takes what borrow has lent.
func giveBack(b []byte) {
	switch cap(b) {
	case smallPiece:
		smallPieces.Put((*[smallPiece]byte)(b[:smallPiece]))
	case tlsPiece:
		tlsPieces.Put((*[tlsPiece]byte)(b[:tlsPiece]))
	case largePiece:
		largePieces.Put((*[largePiece]byte)(b[:largePiece]))
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
