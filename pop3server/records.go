package pop3server

import (
	"errors"
	"sync"
)

// TLS records that go out together: package tls would write each by itself, with a call of
// the system.
const (
	together   = 4                              // records in one write
	tlsPiece   = together * piece               // what they hold
	recordMore = 64                             // what a record adds, at most
	records    = tlsPiece + together*recordMore // how large they are
)

var recordPieces = sync.Pool{New: func() any { return new([records]byte) }}

// errTorn: what was said in TLS did not go out whole, so nothing may follow it.
var errTorn = errors.New("a TLS record was cut off")

// writeTLS is Write in TLS, after the login.
func (s *session) writeTLS(p []byte) (int, error) {
	if len(p) <= piece {
		return s.writeOn(s.conn, p)
	}
	room := recordPieces.Get().(*[records]byte)
	defer recordPieces.Put(room)
	sealed, err := s.seal(room[:0], p)
	if err == nil {
		_, err = s.writeOn(s.raw, sealed)
	}
	if err != nil {
		s.wire.torn = true
		return 0, err
	}
	return len(p), nil
}

// seal puts the records of p into room. The last one is as large as it can be: several
// clients see the end of a message only when one record has all of CRLF "." CRLF.
func (s *session) seal(room, p []byte) (sealed []byte, err error) {
	s.wire.held = room
	defer func() { s.wire.held = nil }()
	last := len(p) - piece
	for _, part := range [][]byte{p[:last], p[last:]} {
		if _, err := s.conn.Write(part); err != nil {
			return nil, err
		}
	}
	return s.wire.held, nil
}
