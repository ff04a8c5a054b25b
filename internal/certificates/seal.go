package certificates

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"encoding/binary"
	"sync"
	"time"
)

// A seal seals session tickets for the servers of one tls.Config, and those that
// are cloned from it. The sealing itself is crypto/tls's own.
//
// Tickets are good only while the same client authorities are trusted and the
// same client certificates revoked: what a ticket says of a client was checked
// against those. Others make a full handshake.
type seal struct {
	tickets *Tickets
	trust   [sha256.Size]byte

	mu      sync.Mutex // guards what follows
	keys    *[]ticketKey
	carrier *tls.Config
}

// longestTicket bounds tickets, in octets. Those of clients with certificates have
// the chain in them, twice, and a client's first words must not be too long
// (pop3server's room.go).
const longestTicket = 5 << 9

// noTicket opens nothing. TLS 1.3 has no way to give none.
var noTicket = []byte{0}

func (s *seal) wrap(state tls.ConnectionState, session *tls.SessionState) ([]byte, error) {
	ticket, err := s.current().EncryptTicket(state, session)
	if len(ticket) > longestTicket {
		return noTicket, err
	}
	return ticket, err
}

func (s *seal) unwrap(ticket []byte, state tls.ConnectionState) (*tls.SessionState, error) {
	session, err := s.current().DecryptTicket(ticket, state)
	if err != nil || session == nil {
		return nil, err
	}
	if state.Version < tls.VersionTLS13 && !fresh(session, time.Now()) {
		return nil, nil
	}
	return session, nil
}

// fresh reports whether the secret of a session is at most a day old. In TLS 1.2 a
// resumed session has the secret of the one before, and so has its ticket: without a
// bound, clients that come often would carry one secret from key to key.
//
// The moment stands in the encoding, which package tls describes at SessionState and
// may change by another type only, or at its end. Extra could not carry it: what is in
// there is not in the next ticket. What is not understood is not resumed.
func fresh(session *tls.SessionState, now time.Time) bool {
	const version, kind, suite, server = 2, 1, 2, 1
	octets, err := session.Bytes()
	if err != nil || len(octets) < version+kind+suite+8 || octets[version] != server {
		return false
	}
	begun := binary.BigEndian.Uint64(octets[version+kind+suite:])
	age := now.Sub(time.Unix(int64(begun), 0)) //nolint:gosec // nonsense is too old, or from the future
	return age <= ticketDay && age > -clockSlack
}

// current returns a tls.Config that does nothing but hold the keys.
func (s *seal) current() *tls.Config {
	keys := s.tickets.current.Load()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.keys != keys {
		var derived [][32]byte
		for _, k := range *keys {
			mac := hmac.New(sha256.New, k.key[:])
			mac.Write(s.trust[:])
			derived = append(derived, [32]byte(mac.Sum(nil)))
		}
		s.carrier = new(tls.Config)
		s.carrier.SetSessionTicketKeys(derived)
		s.keys = keys
	}
	return s.carrier
}
