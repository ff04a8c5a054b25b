package certificates

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"sync"
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
	return s.current().DecryptTicket(ticket, state)
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
