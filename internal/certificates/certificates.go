// Package certificates holds what a server needs for TLS beside a connection:
// certificates, of which several can be there at once, the authorities of client
// certificates, and the keys of session tickets. All of it can change while
// servers use it. Certificates come from files, or from an ACME server.
package certificates

import (
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"postfach/internal/hint"
)

// Files say where certificates are.
type Files struct {
	// Pairs are certificates with their keys. The first is the default: for
	// clients that name no host, or one that no certificate is for (P3-TLS-16).
	Pairs []Pair
	// ClientCA has the authorities whose client certificates are asked for and
	// taken. Empty: none are asked for (P3-EXT-01).
	ClientCA string
	// ClientCRL has lists of client certificates that are taken no more. Empty:
	// there is none.
	ClientCRL string
	// Private is a folder in which keys must be nobody else's business. Elsewhere
	// that is only warned of.
	Private string
	// OwnDefault says that the default pair is one that nobody has signed: a
	// certificate from an ACME server is better for clients that name no host.
	OwnDefault bool
}

// A Pair is the names of two PEM files: a certificate with those of the
// authorities between it and a root, and its key.
type Pair struct{ Certificate, Key string }

// ErrNone says that Files has no Pairs, and that nothing else is wrong with it.
var ErrNone = errors.New("there is no certificate")

// A Set is what servers use at the moment. Sessions that have begun keep what
// they began with. Its methods may be called from many goroutines.
type Set struct {
	// Tickets are the keys of session tickets. nil: no session is resumed.
	Tickets *Tickets
	Log     *slog.Logger // nil: slog.Default

	current atomic.Pointer[generation]
	acme    atomic.Pointer[ACME]

	mu       sync.Mutex // guards what follows, and is not held while files are read
	files    Files
	seen     string    // what the files looked like when they were read last
	complain string    // what was wrong with them then, as the log has it
	warned   time.Time // when warn was called last
	readings uint64    // that have begun
	inForce  uint64    // the one of current, counted so
}

// A generation is what one reading of all files has found. It never changes.
type generation struct {
	pairs      table
	ownDefault bool     // as in Files
	clients    *clients // nil: none are asked for
}

// Load reads all files. After an error, which has a hint, what was read before
// stays in force, all of it.
func (s *Set) Load(f Files) error {
	use, err := s.Read(f)
	if err == nil {
		use()
	}
	return err
}

// Read is Load in two steps: what was read is in force when use has been called, unless
// the same files have been read again since. Meanwhile it holds up nobody.
func (s *Set) Read(f Files) (use func(), err error) {
	number, _, _ := s.begin()
	seen := look(f)
	fresh, err := s.read(f, time.Now())
	if err != nil {
		return nil, err
	}
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.inForce > number && reflect.DeepEqual(s.files, f) {
			return
		}
		s.files = f
		s.put(fresh, number, seen, time.Now())
	}, nil
}

// begin counts a reading that begins, and returns what is in force by then, and what it
// looked like when it could be read; empty: it cannot any more.
func (s *Set) begin() (number uint64, files Files, seen string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.readings++
	if s.complain == "" {
		seen = s.seen
	}
	return s.readings, s.files, seen
}

// put has a reading of s.files in force. The caller holds s.mu.
func (s *Set) put(g *generation, number uint64, seen string, now time.Time) {
	s.seen, s.complain, s.inForce = seen, "", number
	s.current.Store(g)
	s.warn(g, now)
}

func (s *Set) read(f Files, now time.Time) (*generation, error) {
	var all []*pair
	for _, names := range f.Pairs {
		p, err := readPair(names, f.Private)
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	if err := s.current.Load().betterThan(all, now); err != nil {
		return nil, err
	}
	who, err := readClients(f.ClientCA, f.ClientCRL)
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, ErrNone
	}
	return &generation{pairs: newTable(all), ownDefault: f.OwnDefault, clients: who}, nil
}

// warn says what ends soon, or has ended, of files and of what an ACME server gave.
// The caller holds s.mu.
func (s *Set) warn(g *generation, now time.Time) {
	g.warn(s.log(), now)
	s.acme.Load().warn(now)
	s.warned = now
}

// betterThan says that a certificate has ended and would replace one that has not:
// whoever copied it took the wrong file. Where there is nothing better, one that has
// ended is used: clients that look say so to their owners.
func (g *generation) betterThan(fresh []*pair, now time.Time) error {
	if g == nil {
		return nil
	}
	for _, p := range fresh {
		if !p.ended(now) {
			continue
		}
		for _, old := range g.pairs.all {
			if !old.ended(now) && (old.file == p.file || slices.Equal(namesOf(old), namesOf(p))) {
				return hint.Add(fmt.Errorf("the certificate %s has ended on %s, and the one before has not", p.file, p.cert.Leaf.NotAfter.Format(time.DateOnly)),
					"put one there that is valid")
			}
		}
	}
	return nil
}

// warn is for what comes from files.
func (g *generation) warn(log *slog.Logger, now time.Time) {
	for _, p := range g.pairs.all {
		p.warn(log, now)
	}
	g.clients.warn(log, now)
}

// Poll reads the files again if they look different from when they were read
// last: programs that renew certificates do not always tell. It also does what
// is due with time. Called about once a minute, it costs nothing else.
//
// Servers whose Config has become an old one have to be replaced: changed tells.
// A new certificate needs no new Config.
func (s *Set) Poll(now time.Time) (changed bool) { return s.Look(now)() }

// Look is Poll in two steps, as Read is Load: use puts what was read into force, unless
// other files, or a later reading, are in force by then.
func (s *Set) Look(now time.Time) (use func() (changed bool)) {
	s.Tickets.rotate(now)
	number, files, before := s.begin()
	if s.current.Load() == nil {
		return func() bool { return false }
	}
	seen := look(files)
	if seen == before {
		return func() bool {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.remind(now)
			return false
		}
	}
	fresh, err := s.read(files, now)
	return func() (changed bool) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.inForce > number || !reflect.DeepEqual(s.files, files) {
			return false
		}
		if err != nil {
			if s.complain != err.Error() { // once, and not each minute
				s.log().Error("certificates have changed and cannot be used; the old ones stay", "err", err)
				s.complain = err.Error()
			}
			s.remind(now)
			return false
		}
		old := s.current.Load()
		s.put(fresh, number, seen, now)
		s.log().Info("certificates have changed and were read again", "pairs", len(files.Pairs))
		return old.clients.trust() != fresh.clients.trust()
	}
}

// remind warns each day of what is in force. The caller holds s.mu.
func (s *Set) remind(now time.Time) {
	if now.Sub(s.warned) >= 24*time.Hour {
		s.warn(s.current.Load(), now)
	}
}

// Config is for any number of servers. They follow all changes of certificates
// and ticket keys. Those of client authorities are in the next Config only; a
// certificate that was revoked is refused by all.
//
// It works through a Clone, and has nothing to do with versions and ALPN. Load
// has to have succeeded.
func (s *Set) Config() *tls.Config {
	now := s.current.Load()
	c := &tls.Config{GetCertificate: s.certificate} //nolint:gosec // pop3server says which versions
	if now.clients != nil {
		c.ClientAuth = tls.VerifyClientCertIfGiven
		c.ClientCAs = now.clients.authorities
		c.VerifyConnection = func(state tls.ConnectionState) error {
			return s.current.Load().clients.check(state)
		}
	}
	if s.Tickets == nil {
		c.SessionTicketsDisabled = true
		return c
	}
	seal := &seal{tickets: s.Tickets, trust: now.clients.trust()}
	c.WrapSession, c.UnwrapSession = seal.wrap, seal.unwrap
	return c
}

// Use takes certificates from an ACME server, before those from files, for its
// hosts. nil: no more.
func (s *Set) Use(a *ACME) { s.acme.Store(a) }

// ACME is what Use was given last.
func (s *Set) ACME() *ACME { return s.acme.Load() }

// certificate chooses by what the client says (P3-TLS-16). It takes no lock:
// files that are slow to read stop no handshake.
func (s *Set) certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	name := canonical(hello.ServerName)
	acme, now := s.acme.Load(), s.current.Load()
	if c := acme.forName(name, hello); c != nil {
		return c, nil
	}
	if c := now.pairs.forName(name, hello); c != nil {
		return c, nil
	}
	if now.ownDefault {
		if c := acme.first(hello); c != nil {
			return c, nil
		}
	}
	return now.pairs.byDefault(hello), nil
}

func (s *Set) log() *slog.Logger { return logOr(s.Log) }

func logOr(log *slog.Logger) *slog.Logger { return cmp.Or(log, slog.Default()) }
