package web

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"net"
	"net/http"
	"sync"
)

// Who may come in: a person with the address that was printed gets a cookie for
// it, once.

// most is how many tokens and sessions there may be. Older ones are forgotten.
const most = 16

// doors knows tokens that were not used yet, and sessions.
type doors struct {
	mu       sync.Mutex // guards what follows
	tokens   [][sha256.Size]byte
	sessions []*session
}

// A session is a browser that came with a token.
type session struct {
	cookie [sha256.Size]byte // a hash: times of comparing tell nothing
	form   string            // what forms carry
}

// secret returns 256 random bits, fit for URLs.
func secret() string {
	var octets [32]byte
	rand.Read(octets[:]) // never fails
	return base64.RawURLEncoding.EncodeToString(octets[:])
}

func (d *doors) newToken() string {
	token := secret()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.tokens = append(d.tokens, sha256.Sum256([]byte(token)))
	d.tokens = d.tokens[max(0, len(d.tokens)-most):]
	return token
}

// enter takes a token, which is used up by it, and returns the new session's
// cookie; ok is false when there is no such token.
func (d *doors) enter(token string) (cookie string, ok bool) {
	sum := sha256.Sum256([]byte(token))
	d.mu.Lock()
	defer d.mu.Unlock()
	found := -1
	for i := range d.tokens { // all of them: how long it takes says nothing
		if subtle.ConstantTimeCompare(sum[:], d.tokens[i][:]) == 1 {
			found = i
		}
	}
	if found < 0 {
		return "", false
	}
	d.tokens = append(d.tokens[:found:found], d.tokens[found+1:]...)
	cookie = secret()
	d.sessions = append(d.sessions, &session{cookie: sha256.Sum256([]byte(cookie)), form: secret()})
	d.sessions = d.sessions[max(0, len(d.sessions)-most):]
	return cookie, true
}

// session returns the one that the request's cookie belongs to, or nil.
func (d *doors) session(r *http.Request, name string) *session {
	d.mu.Lock()
	defer d.mu.Unlock()
	var found *session
	for _, c := range r.CookiesNamed(name) {
		sum := sha256.Sum256([]byte(c.Value))
		for _, s := range d.sessions {
			if subtle.ConstantTimeCompare(sum[:], s.cookie[:]) == 1 {
				found = s
			}
		}
	}
	return found
}

// fits reports whether a form carries what forms of this session carry.
func (s *session) fits(form string) bool {
	return subtle.ConstantTimeCompare([]byte(form), []byte(s.form)) == 1
}

// cookieName has the port in it: cookies are shared by all ports of a host, and
// a second explorer must not log the first one out.
func cookieName(addr net.Addr) string {
	_, port, _ := net.SplitHostPort(addr.String())
	return "postfach-" + port
}

// newHome returns the path that all pages are below. Browsers send a cookie of
// this machine to all its ports: to programs of other people, too. They send it
// below its path alone, which nobody else knows.
func newHome() string { return "/" + secret()[:16] }

func newCookie(name, value, home string) *http.Cookie {
	return &http.Cookie{Name: name, Value: value, Path: home, HttpOnly: true, SameSite: http.SameSiteStrictMode}
}
