//go:build unix

package peer

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// A Key signs tokens.
type Key struct {
	ID        string
	Algorithm jose.SignatureAlgorithm
	Private   crypto.Signer
}

// NewKey makes one.
func NewKey(t testing.TB, id string, a jose.SignatureAlgorithm) Key {
	t.Helper()
	var private crypto.Signer
	var err error
	switch a {
	case jose.ES256:
		private, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case jose.EdDSA:
		_, private, err = ed25519.GenerateKey(rand.Reader)
	default:
		private, err = rsa.GenerateKey(rand.Reader, 2048)
	}
	if err != nil {
		t.Fatal(err)
	}
	return Key{id, a, private}
}

// Public is what a provider publishes of it.
func (k Key) Public() jose.JSONWebKey {
	return jose.JSONWebKey{Key: k.Private.Public(), KeyID: k.ID, Algorithm: string(k.Algorithm), Use: "sig"}
}

// Sign makes a token.
func (k Key) Sign(t testing.TB, claims map[string]any, headers map[jose.HeaderKey]any) string {
	t.Helper()
	options := &jose.SignerOptions{ExtraHeaders: headers}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: k.Algorithm, Key: jose.JSONWebKey{Key: k.Private, KeyID: k.ID}}, options)
	if err != nil {
		t.Fatal(err)
	}
	return SignWith(t, signer, claims)
}

// SignWith makes a token with a signer of its own.
func SignWith(t testing.TB, signer jose.Signer, claims map[string]any) string {
	t.Helper()
	text, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signer.Sign(text)
	if err != nil {
		t.Fatal(err)
	}
	token, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// What the tokens of an OIDC are for, and who may ask it about tokens.
const (
	OIDCAudience = "pop.example.org"
	OIDCClient   = "postfach client"
	OIDCSecret   = "secret of the client:%"
)

// An OIDC is a small OpenID provider, over TLS on loopback. The fields are changed
// while nobody asks it.
type OIDC struct {
	*httptest.Server
	Cert          *Certificate
	Keys          []jose.JSONWebKey
	Tokens        map[string]map[string]any // what it says of those that are no JWT
	Configuration map[string]any            // beside what is usual

	mu     sync.Mutex       // guards the fields while it answers, and what follows
	asked  map[string]int   // questions by path
	answer http.HandlerFunc // in place of all others
}

// StartOIDC starts one that publishes keys.
func StartOIDC(t testing.TB, keys ...Key) *OIDC {
	t.Helper()
	p := &OIDC{Cert: NewCertificate(t), Tokens: map[string]map[string]any{}, asked: map[string]int{}, Configuration: map[string]any{}}
	p.Publish(keys...)
	p.Server = httptest.NewUnstartedServer(p)
	p.TLS = p.Cert.Server
	p.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	p.StartTLS()
	t.Cleanup(p.Close)
	return p
}

// Publish replaces the keys.
func (p *OIDC) Publish(keys ...Key) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.Keys = nil
	for _, k := range keys {
		p.Keys = append(p.Keys, k.Public())
	}
}

// Instead answers all questions; nil: as usual.
func (p *OIDC) Instead(answer http.HandlerFunc) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answer = answer
}

// Down lets no question have an answer, until Instead(nil).
func (p *OIDC) Down() {
	p.Instead(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "away", http.StatusServiceUnavailable) })
}

// Count returns how many questions there were for a path.
func (p *OIDC) Count(path string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.asked[path]
}

// Claims are what a good token says, with changes. nil takes a claim away.
func (p *OIDC) Claims(changes map[string]any) map[string]any {
	now := time.Now()
	c := map[string]any{
		"iss": p.URL, "aud": OIDCAudience, "sub": "1234", "email": "anna@example.org", "email_verified": true,
		"exp": now.Add(time.Hour).Unix(), "iat": now.Unix(), "nbf": now.Unix(), "scope": "openid mail.read",
	}
	for name, value := range changes {
		if c[name] = value; value == nil {
			delete(c, name)
		}
	}
	return c
}

func (p *OIDC) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked[r.URL.Path]++
	if p.answer != nil {
		p.answer(w, r)
		return
	}
	var answer any
	switch r.URL.Path {
	case "/.well-known/openid-configuration":
		c := map[string]any{"issuer": p.URL, "jwks_uri": p.URL + "/keys", "introspection_endpoint": p.URL + "/introspect", "authorization_endpoint": p.URL + "/authorize", "token_endpoint": p.URL + "/token"}
		for name, value := range p.Configuration {
			c[name] = value
		}
		answer = c
	case "/keys":
		answer = jose.JSONWebKeySet{Keys: p.Keys}
	case "/introspect":
		if !isOIDCClient(r) || r.FormValue("token_type_hint") != "access_token" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		known := p.Tokens[r.FormValue("token")]
		if known == nil {
			known = map[string]any{"active": false}
		}
		answer = known
	default:
		w.WriteHeader(http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(answer)
}

// isOIDCClient looks who asks about a token (RFC 6749 section 2.3.1).
func isOIDCClient(r *http.Request) bool {
	user, password, _ := r.BasicAuth()
	return r.Method == http.MethodPost && user == url.QueryEscape(OIDCClient) && password == url.QueryEscape(OIDCSecret)
}
