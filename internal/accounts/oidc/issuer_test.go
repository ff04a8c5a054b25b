//go:build unix

package oidc

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"go.uber.org/goleak"

	"postfach/internal/peer"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	audience = "pop.example.org"
	client   = "postfach client"
	secret   = "secret of the client:%"
)

// A key signs tokens.
type key struct {
	id        string
	algorithm jose.SignatureAlgorithm
	private   crypto.Signer
}

func newKey(t testing.TB, id string, a jose.SignatureAlgorithm) key {
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
	return key{id, a, private}
}

func (k key) public() jose.JSONWebKey {
	return jose.JSONWebKey{Key: k.private.Public(), KeyID: k.id, Algorithm: string(k.algorithm), Use: "sig"}
}

// sign makes a token.
func (k key) sign(t testing.TB, c map[string]any, headers map[jose.HeaderKey]any) string {
	t.Helper()
	options := &jose.SignerOptions{ExtraHeaders: headers}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: k.algorithm, Key: jose.JSONWebKey{Key: k.private, KeyID: k.id}}, options)
	if err != nil {
		t.Fatal(err)
	}
	return serialize(t, signer, c)
}

func serialize(t testing.TB, signer jose.Signer, c map[string]any) string {
	t.Helper()
	text, err := json.Marshal(c)
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

// A provider is a small OpenID provider.
type provider struct {
	*httptest.Server
	cert *peer.Certificate

	mu            sync.Mutex // guards what follows
	keys          []jose.JSONWebKey
	tokens        map[string]map[string]any // opaque ones
	asked         map[string]int            // questions by path
	answer        http.HandlerFunc          // in place of all others
	configuration map[string]any            // beside what is usual
}

func newProvider(t testing.TB, keys ...key) *provider {
	t.Helper()
	p := &provider{cert: peer.NewCertificate(t), tokens: map[string]map[string]any{}, asked: map[string]int{}, configuration: map[string]any{}}
	p.publish(keys...)
	p.Server = httptest.NewUnstartedServer(p)
	p.TLS = p.cert.Server
	p.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	p.StartTLS()
	t.Cleanup(p.Close)
	return p
}

func (p *provider) publish(keys ...key) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.keys = nil
	for _, k := range keys {
		p.keys = append(p.keys, k.public())
	}
}

// instead answers all questions; nil: as usual.
func (p *provider) instead(answer http.HandlerFunc) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answer = answer
}

func (p *provider) down() {
	p.instead(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "away", http.StatusServiceUnavailable) })
}

func (p *provider) count(path string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.asked[path]
}

func (p *provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
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
		for name, value := range p.configuration {
			c[name] = value
		}
		answer = c
	case "/keys":
		answer = jose.JSONWebKeySet{Keys: p.keys}
	case "/introspect":
		user, password, _ := r.BasicAuth()
		if r.Method != http.MethodPost || user != "postfach+client" || password != "secret+of+the+client%3A%25" || r.FormValue("token_type_hint") != "access_token" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		known := p.tokens[r.FormValue("token")]
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

// A clock goes when it is told to.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// logged collects what is logged.
type logged struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// open returns an Issuer over a provider, and its clock.
func open(t testing.TB, p *provider, change func(*Config)) (*Issuer, *clock) {
	t.Helper()
	watch := &clock{now: time.Now()}
	c := Config{
		Issuer: p.URL, Audience: []string{"other", audience}, CA: p.cert.CAFile,
		Timeout: 10 * time.Second, Log: slog.New(slog.NewTextHandler(io.Discard, nil)), now: watch.Now,
	}
	if change != nil {
		change(&c)
	}
	i, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { i.Close() })
	return i, watch
}

// claimsOf are what a good token says, with changes. nil takes a claim away.
func claimsOf(p *provider, changes map[string]any) map[string]any {
	now := time.Now()
	c := map[string]any{
		"iss": p.URL, "aud": audience, "sub": "1234", "email": "anna@example.org", "email_verified": true,
		"exp": now.Add(time.Hour).Unix(), "iat": now.Unix(), "nbf": now.Unix(), "scope": "openid mail.read",
	}
	for name, value := range changes {
		if c[name] = value; value == nil {
			delete(c, name)
		}
	}
	return c
}

func secretFile(t testing.TB) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(name, []byte(secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// introspects lets an Issuer ask about tokens.
func introspects(t testing.TB) func(*Config) {
	return func(c *Config) { c.ClientID, c.SecretFile = client, secretFile(t) }
}

// spoil changes an octet in the middle of one of a token's three parts.
func spoil(token string, part int) string {
	parts := strings.Split(token, ".")
	text := []byte(parts[part])
	i := len(text) / 2
	if text[i] == 'A' {
		text[i] = 'B'
	} else {
		text[i] = 'A'
	}
	parts[part] = string(text)
	return strings.Join(parts, ".")
}
