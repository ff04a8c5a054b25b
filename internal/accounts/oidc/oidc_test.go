//go:build unix

package oidc

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"postfach/internal/accounts"
	"postfach/internal/hint"
	"postfach/internal/peer"
	"postfach/maildrop"
	"postfach/pop3server"
	"postfach/sasl"
)

func TestGoodTokensSayWhose(t *testing.T) {
	var all []peer.Key
	for _, a := range []jose.SignatureAlgorithm{jose.RS256, jose.ES256, jose.EdDSA, jose.PS256} {
		all = append(all, peer.NewKey(t, "key "+string(a), a))
	}
	p := peer.StartOIDC(t, all...)
	i, _ := open(t, p, func(c *Config) { c.Scope = "mail.read" })
	for _, k := range all {
		for name, c := range map[string]map[string]any{
			"plain":                nil,
			"several audiences":    {"aud": []string{"x", audience}},
			"scp":                  {"scope": nil, "scp": []string{"mail.read"}},
			"verified, as a text":  {"email_verified": "true"},
			"a time with fraction": {"exp": float64(time.Now().Unix()) + 100.5},
			"no nbf":               {"nbf": nil, "iat": nil},
		} {
			for _, typ := range []any{nil, "JWT", "at+jwt", "application/at+jwt"} {
				headers := map[jose.HeaderKey]any{}
				if typ != nil {
					headers[jose.HeaderType] = typ
				}
				got, err := i.User(t.Context(), k.Sign(t, claimsOf(p, c), headers))
				if err != nil || got != "anna@example.org" {
					t.Errorf("%s: %s, %v: got %q %v", k.ID, name, typ, got, err)
				}
			}
		}
	}
	if configuration, scope := i.Discovery(); configuration != p.URL+"/.well-known/openid-configuration" || scope != "mail.read" {
		t.Errorf("got %s %s", configuration, scope)
	}
}

func TestBadTokensAreNobodys(t *testing.T) {
	k := peer.NewKey(t, "k", jose.RS256)
	other := peer.NewKey(t, "k", jose.RS256) // of the same name
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	weak := peer.Key{ID: "weak", Algorithm: jose.RS256, Private: small}
	encryption := peer.NewKey(t, "encryption", jose.ES256)
	p := peer.StartOIDC(t, k, weak)
	p.Keys = append(p.Keys, jose.JSONWebKey{Key: encryption.Private.Public(), KeyID: "encryption", Use: "enc"},
		jose.JSONWebKey{Key: []byte("a shared secret that is 32 octets long"), KeyID: "shared", Algorithm: "HS256"})
	log := &logged{}
	i, _ := open(t, p, func(c *Config) {
		c.Scope, c.Log = "mail.read", slog.New(slog.NewTextHandler(log, nil))
	})
	now := time.Now().Unix()
	signed := func(changes map[string]any) string { return k.Sign(t, claimsOf(p, changes), nil) }
	good := signed(nil)
	public := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: must(x509.MarshalPKIXPublicKey(k.Private.Public()))})
	for name, token := range map[string]string{
		"empty":              "",
		"no token":           "\x01\r\n",
		"a space":            good + " ",
		"opaque":             "2YotnFZFEjr1zCsicMWpAA",
		"huge":               good + strings.Repeat("A", maxToken),
		"huge and good":      signed(map[string]any{"more": strings.Repeat("x", maxToken)}),
		"cut":                good[:len(good)-4],
		"header":             spoil(good, 0),
		"payload":            spoil(good, 1),
		"signature":          spoil(good, 2),
		"no signature":       good[:strings.LastIndexByte(good, '.')+1],
		"another key":        other.Sign(t, claimsOf(p, nil), nil),
		"a key that is weak": weak.Sign(t, claimsOf(p, nil), nil),
		"to encrypt":         encryption.Sign(t, claimsOf(p, nil), nil),
		"alg none":           unsigned(t, p, map[string]any{"alg": "none"}, ""),
		"alg NONE":           unsigned(t, p, map[string]any{"alg": "NONE", "kid": "k"}, ""),
		"alg none, signed":   unsigned(t, p, map[string]any{"alg": "none"}, "AAAA"),
		"HS256, public key":  symmetric(t, p, public, "k"),
		"HS256, modulus":     symmetric(t, p, k.Private.Public().(*rsa.PublicKey).N.Bytes(), "k"),
		"HS256, published":   symmetric(t, p, []byte("a shared secret that is 32 octets long"), "shared"),
		"its own key":        embedded(t, p, other),
		"a critical header":  k.Sign(t, claimsOf(p, nil), map[jose.HeaderKey]any{"crit": []string{"x"}, "x": 1}),
		"another type":       k.Sign(t, claimsOf(p, nil), map[jose.HeaderKey]any{jose.HeaderType: "logout+jwt"}),
		"a type of number":   k.Sign(t, claimsOf(p, nil), map[jose.HeaderKey]any{jose.HeaderType: 5}),
		"audience":           signed(map[string]any{"aud": "imap.example.org"}),
		"audiences":          signed(map[string]any{"aud": []string{"a", "b"}}),
		"part of audience":   signed(map[string]any{"aud": "pop.example.org.attacker.example"}),
		"no audience":        signed(map[string]any{"aud": nil}),
		"odd audience":       signed(map[string]any{"aud": map[string]any{audience: audience}}),
		"empty audience":     signed(map[string]any{"aud": []string{}}),
		"issuer":             signed(map[string]any{"iss": "https://login.example.org"}),
		"issuer and more":    signed(map[string]any{"iss": p.URL + "/"}),
		"no issuer":          signed(map[string]any{"iss": nil}),
		"expired":            signed(map[string]any{"exp": now - 31}),
		"no expiry":          signed(map[string]any{"exp": nil}),
		"expiry null":        raw(t, k, p, `"exp":null`),
		"expiry text":        signed(map[string]any{"exp": fmt.Sprint(now + 100)}),
		"expiry huge":        raw(t, k, p, `"exp":1e300`),
		"expiry negative":    signed(map[string]any{"exp": -5}),
		"not yet":            signed(map[string]any{"nbf": now + 60}),
		"from the future":    signed(map[string]any{"iat": now + 60}),
		"no scope":           signed(map[string]any{"scope": nil}),
		"another scope":      signed(map[string]any{"scope": "openid mail.readwrite"}),
		"bound to a key":     signed(map[string]any{"cnf": map[string]any{"jkt": "x"}}),
		"no e-mail":          signed(map[string]any{"email": nil}),
		"empty e-mail":       signed(map[string]any{"email": ""}),
		"odd e-mail":         signed(map[string]any{"email": []string{"anna@example.org"}}),
		"long e-mail":        signed(map[string]any{"email": strings.Repeat("a", 400)}),
		"unverified":         signed(map[string]any{"email_verified": false}),
		"unverified, unsaid": signed(map[string]any{"email_verified": nil}),
		"unverified, text":   signed(map[string]any{"email_verified": "false"}),
		"unverified, null":   raw(t, k, p, `"email_verified":null`),
		"no claims":          payload(t, k, "[]"),
		"null claims":        payload(t, k, "null"),
		"empty claims":       payload(t, k, "{}"),
	} {
		if got, err := i.User(t.Context(), token); !errors.Is(err, pop3server.ErrCredentials) {
			t.Errorf("%s: got %q %v", name, got, err)
		}
		if len(token) > 100 && strings.Contains(log.String(), token[len(token)-60:]) {
			t.Errorf("%s: the token is in the log", name)
		}
	}
	if got, err := i.User(t.Context(), good); got != "anna@example.org" || err != nil {
		t.Errorf("the good one: got %q %v", got, err)
	}
	if !strings.Contains(log.String(), "another audience") {
		t.Errorf("got %s", log)
	}
}

func must(octets []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return octets
}

func encode(t testing.TB, v any) string {
	t.Helper()
	return base64.RawURLEncoding.EncodeToString(must(json.Marshal(v)))
}

// unsigned makes a token with any header.
func unsigned(t testing.TB, p *peer.OIDC, header map[string]any, signature string) string {
	return encode(t, header) + "." + encode(t, claimsOf(p, nil)) + "." + signature
}

// symmetric makes a token that is signed with what an attacker knows.
func symmetric(t testing.TB, p *peer.OIDC, secret []byte, id string) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.HS256, Key: jose.JSONWebKey{Key: secret, KeyID: id}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return peer.SignWith(t, signer, claimsOf(p, nil))
}

// embedded makes a token that brings the key it is signed with.
func embedded(t testing.TB, p *peer.OIDC, k peer.Key) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: k.Algorithm, Key: k.Private}, &jose.SignerOptions{EmbedJWK: true})
	if err != nil {
		t.Fatal(err)
	}
	return peer.SignWith(t, signer, claimsOf(p, nil))
}

// payload signs any text.
func payload(t testing.TB, k peer.Key, text string) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: k.Algorithm, Key: jose.JSONWebKey{Key: k.Private, KeyID: k.ID}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signer.Sign([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	token, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// raw signs claims of which the last is written out.
func raw(t testing.TB, k peer.Key, p *peer.OIDC, last string) string {
	t.Helper()
	name, _, _ := strings.Cut(strings.Trim(last, `"`), `"`)
	text := string(must(json.Marshal(claimsOf(p, map[string]any{name: nil}))))
	return payload(t, k, strings.TrimSuffix(text, "}")+","+last+"}")
}

func TestClocksMayDifferALittle(t *testing.T) {
	k := peer.NewKey(t, "k", jose.ES256)
	p := peer.StartOIDC(t, k)
	i, watch := open(t, p, func(c *Config) { c.Claim = "sub" })
	now := watch.Now()
	for _, test := range []struct {
		exp, nbf time.Duration
		want     bool
	}{
		{-20 * time.Second, 0, true},
		{-31 * time.Second, 0, false},
		{time.Hour, 20 * time.Second, true},
		{time.Hour, 40 * time.Second, false},
	} {
		token := k.Sign(t, claimsOf(p, map[string]any{"exp": now.Add(test.exp).Unix(), "nbf": now.Add(test.nbf).Unix()}), nil)
		if got, err := i.User(t.Context(), token); (err == nil) != test.want || test.want && got != "1234" {
			t.Errorf("%v %v: got %q %v", test.exp, test.nbf, got, err)
		}
	}
}

// a source of accounts in memory.
type source map[string]bool

func (s source) Lookup(_ context.Context, user string) (*accounts.Entry, error) {
	if !s[user] {
		return nil, maildrop.ErrNoUser
	}
	return &accounts.Entry{User: user}, nil
}

func (source) Decoy(_ context.Context, name string) *accounts.Entry {
	return &accounts.Entry{User: name}
}
func (source) Offers(sasl.ScramHash) bool { return false }
func (source) Secrets() bool              { return false }

func TestTokensOfOthersOpenNothing(t *testing.T) {
	k := peer.NewKey(t, "k", jose.ES256)
	p := peer.StartOIDC(t, k)
	i, _ := open(t, p, nil)
	d := &accounts.Directory{Sources: []accounts.Source{source{"anna@example.org": true, "berta@example.org": true}}, Tokens: i}
	anna := k.Sign(t, claimsOf(p, nil), nil)
	stranger := k.Sign(t, claimsOf(p, map[string]any{"email": "stranger@example.org"}), nil)
	for _, test := range []struct{ name, token, want string }{
		{"", anna, "anna@example.org"},
		{"anna@example.org", anna, "anna@example.org"},
		{"berta@example.org", anna, ""},
		{"", stranger, ""},
		{"anna@example.org", stranger, ""},
	} {
		who, err := d.Token(t.Context(), nil, test.name, test.token)
		if who.User != test.want || test.want == "" && !errors.Is(err, pop3server.ErrCredentials) || test.want != "" && err != nil {
			t.Errorf("%s: got %+v %v", test.name, who, err)
		}
	}
}

func TestRotatedKeysAreFetched(t *testing.T) {
	first, second := peer.NewKey(t, "1", jose.ES256), peer.NewKey(t, "2", jose.ES256)
	p := peer.StartOIDC(t, first)
	i, watch := open(t, p, nil)
	user := func(k peer.Key, want bool) {
		t.Helper()
		c := claimsOf(p, map[string]any{"exp": watch.Now().Add(time.Hour).Unix(), "jti": time.Now().String()})
		if _, err := i.User(t.Context(), k.Sign(t, c, nil)); (err == nil) != want {
			t.Errorf("got %v", err)
		}
	}
	user(first, true)
	p.Publish(first, second)
	watch.pass(minPause)
	user(second, true)
	user(first, true)
	p.Publish(second)
	watch.pass(maxAge)
	user(first, false)
	user(second, true)
}

func TestInventedKeysAreNoFlood(t *testing.T) {
	k := peer.NewKey(t, "k", jose.ES256)
	p := peer.StartOIDC(t, k)
	i, watch := open(t, p, nil)
	for n := range 100 {
		k.ID = fmt.Sprint("invented ", n)
		if _, err := i.User(t.Context(), k.Sign(t, claimsOf(p, nil), nil)); !errors.Is(err, pop3server.ErrCredentials) {
			t.Fatal(err)
		}
	}
	if got := p.Count("/keys"); got != 1 {
		t.Errorf("asked %d times", got)
	}
	watch.pass(minPause)
	for range 20 {
		i.User(t.Context(), k.Sign(t, claimsOf(p, nil), nil))
	}
	if got := p.Count("/keys"); got != 2 {
		t.Errorf("asked %d times", got)
	}
}

func TestIssuerThatIsAwayIsAnErrorOfTheMoment(t *testing.T) {
	k := peer.NewKey(t, "k", jose.ES256)
	p := peer.StartOIDC(t, k)
	i, watch := open(t, p, introspects(t))
	unique := 0
	token := func() string {
		unique++
		return k.Sign(t, claimsOf(p, map[string]any{"jti": fmt.Sprint(unique)}), nil)
	}
	away := func(when, token string) {
		t.Helper()
		if got, err := i.User(t.Context(), token); err == nil || errors.Is(err, pop3server.ErrCredentials) {
			t.Errorf("%s: got %q %v", when, got, err)
		}
	}
	p.Down()
	away("from the start", token())
	away("still", token())
	away("opaque", "opaque")
	if got := p.Count("/.well-known/openid-configuration"); got != 1 {
		t.Errorf("asked %d times", got)
	}
	p.Instead(nil)
	watch.pass(minPause)
	if _, err := i.User(t.Context(), token()); err != nil {
		t.Errorf("back: %v", err)
	}
	p.Down()
	watch.pass(minPause)
	if _, err := i.User(t.Context(), token()); err != nil {
		t.Errorf("away, with keys that are known: %v", err)
	}
	away("opaque", "opaque")
	k.ID = "new"
	away("a new key", token())
	p.Instead(nil)
	watch.pass(minPause)
	if _, err := i.User(t.Context(), token()); !errors.Is(err, pop3server.ErrCredentials) {
		t.Errorf("back, and the key is nobody's: %v", err)
	}
}

func TestIssuersThatMisbehaveAreErrors(t *testing.T) {
	k := peer.NewKey(t, "k", jose.ES256)
	for name, misbehave := range map[string]func(*peer.OIDC){
		"endless": func(p *peer.OIDC) {
			p.Instead(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				w.Write([]byte(`{"issuer":"` + p.URL + `","x":"`))
				text := []byte(strings.Repeat("x", 1<<16))
				for n := 0; n < 64<<20; n += len(text) {
					if _, err := w.Write(text); err != nil {
						return
					}
				}
				t.Error("all of it was read")
			})
		},
		"header": func(p *peer.OIDC) {
			p.Instead(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X", strings.Repeat("x", 1<<20)) })
		},
		"redirect": func(p *peer.OIDC) {
			p.Instead(func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, "https://192.0.2.1/", http.StatusFound)
			})
		},
		"no JSON": func(p *peer.OIDC) {
			p.Instead(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("<html>")) })
		},
		"stranger":  func(p *peer.OIDC) { p.Configuration["issuer"] = "https://login.example.org" },
		"no keys":   func(p *peer.OIDC) { p.Configuration["jwks_uri"] = "" },
		"in clear":  func(p *peer.OIDC) { p.Configuration["jwks_uri"] = "http://192.0.2.1/keys" },
		"no scheme": func(p *peer.OIDC) { p.Configuration["jwks_uri"] = "keys" },
		"file":      func(p *peer.OIDC) { p.Configuration["jwks_uri"] = "file:///etc/passwd" },
		"empty":     func(p *peer.OIDC) { p.Keys = nil },
		"lost":      func(p *peer.OIDC) { p.Configuration["jwks_uri"] = p.URL + "/nowhere" },
	} {
		p := peer.StartOIDC(t, k)
		misbehave(p)
		i, _ := open(t, p, nil)
		got, err := i.User(t.Context(), k.Sign(t, claimsOf(p, nil), nil))
		if err == nil || errors.Is(err, pop3server.ErrCredentials) || len(err.Error()) > 1000 {
			t.Errorf("%s: got %q %.1000v", name, got, err)
		}
		if i.Probe(t.Context()) == nil {
			t.Errorf("%s: the probe sees nothing", name)
		}
	}
	// A certificate that nobody knows.
	p := peer.StartOIDC(t, k)
	i, _ := open(t, p, func(c *Config) { c.CA = "" })
	if err := i.Probe(t.Context()); err == nil || p.Count("/.well-known/openid-configuration") != 0 {
		t.Errorf("got %v", err)
	}
}

func TestOpaqueTokensAreAskedAbout(t *testing.T) {
	k := peer.NewKey(t, "k", jose.ES256)
	p := peer.StartOIDC(t, k)
	now := time.Now().Unix()
	active := func(more map[string]any) map[string]any {
		c := map[string]any{"active": true, "aud": audience, "email": "anna@example.org", "email_verified": true, "scope": "mail.read"}
		for name, value := range more {
			if c[name] = value; value == nil {
				delete(c, name)
			}
		}
		return c
	}
	p.Tokens = map[string]map[string]any{
		"good":           active(nil),
		"good-with-more": active(map[string]any{"iss": p.URL, "exp": now + 100, "nbf": now}),
		"no-audience":    active(map[string]any{"aud": nil}),
		"inactive":       active(map[string]any{"active": false}),
		"audience":       active(map[string]any{"aud": "imap"}),
		"issuer":         active(map[string]any{"iss": "https://x"}),
		"expired":        active(map[string]any{"exp": now - 60}),
		"scope":          active(map[string]any{"scope": "openid"}),
		"nobody":         active(map[string]any{"email": nil}),
		"unverified":     active(map[string]any{"email_verified": false}),
		"bound":          active(map[string]any{"cnf": map[string]any{}}),
		"odd":            active(map[string]any{"active": "true"}),
	}
	withScope, _ := open(t, p, func(c *Config) { introspects(t)(c); c.Scope = "mail.read" })
	without, _ := open(t, p, introspects(t))
	alone, _ := open(t, p, nil)
	for _, test := range []struct {
		token string
		i     *Issuer
		want  string
	}{
		{"good", withScope, "yes"},
		{"good", without, "yes"},
		{"good", alone, "no"},
		{"good-with-more", withScope, "yes"},
		{"no-audience", withScope, "yes"},
		{"no-audience", without, "no"},
		{"inactive", withScope, "no"},
		{"unknown", withScope, "no"},
		{"audience", withScope, "no"},
		{"issuer", withScope, "no"},
		{"expired", withScope, "no"},
		{"scope", withScope, "no"},
		{"nobody", withScope, "no"},
		{"unverified", withScope, "no"},
		{"bound", withScope, "no"},
		{"odd", withScope, "error"},
	} {
		name, err := test.i.User(t.Context(), test.token)
		got := "error"
		switch {
		case err == nil && name == "anna@example.org":
			got = "yes"
		case errors.Is(err, pop3server.ErrCredentials):
			got = "no"
		}
		if got != test.want {
			t.Errorf("%s: got %s: %q %v", test.token, got, name, err)
		}
	}
	// What is signed is judged by that: an issuer that says yes to all is not asked.
	before := p.Count("/introspect")
	expired := k.Sign(t, claimsOf(p, map[string]any{"exp": now - 60}), nil)
	p.Tokens[expired] = active(nil)
	if _, err := withScope.User(t.Context(), expired); !errors.Is(err, pop3server.ErrCredentials) || p.Count("/introspect") != before {
		t.Errorf("got %v", err)
	}
	// Nor is one believed that does not let us ask.
	i, _ := open(t, p, func(c *Config) { introspects(t)(c); c.ClientID = "somebody" })
	if _, err := i.User(t.Context(), "good"); err == nil || errors.Is(err, pop3server.ErrCredentials) || hint.Of(err) == "" || strings.Contains(err.Error(), secret) {
		t.Errorf("got %v", err)
	}
	p.Configuration["introspection_endpoint"] = ""
	i, _ = open(t, p, introspects(t))
	if _, err := i.User(t.Context(), "good"); err == nil || errors.Is(err, pop3server.ErrCredentials) {
		t.Errorf("got %v", err)
	}
}

func TestAnswersAreRememberedForAShortTime(t *testing.T) {
	p := peer.StartOIDC(t)
	i, watch := open(t, p, introspects(t))
	user := func(token string, want bool, questions int) {
		t.Helper()
		before := p.Count("/introspect")
		_, err := i.User(t.Context(), token)
		if (err == nil) != want || err != nil && !errors.Is(err, pop3server.ErrCredentials) {
			t.Errorf("%s: got %v", token, err)
		}
		if got := p.Count("/introspect") - before; got != questions {
			t.Errorf("%s: %d questions", token, got)
		}
	}
	good := map[string]any{"active": true, "aud": audience, "email": "anna@example.org", "email_verified": true}
	short := map[string]any{"active": true, "aud": audience, "email": "anna@example.org", "email_verified": true, "exp": watch.Now().Add(20 * time.Second).Unix()}
	p.Tokens = map[string]map[string]any{"good": good, "short": short}
	user("good", true, 1)
	user("good", true, 0)
	user("bad", false, 1)
	user("bad", false, 0)
	user("short", true, 1)
	p.Tokens["good"], p.Tokens["short"] = nil, nil
	watch.pass(19 * time.Second)
	user("good", true, 0)
	user("short", true, 0)
	user("bad", false, 1) // ten seconds are over
	watch.pass(2 * time.Second)
	user("short", false, 1) // never beyond its time
	watch.pass(goodFor)
	user("good", false, 1)
}

func TestBadTokensDriveOutNoGoodOnes(t *testing.T) {
	c := newCache()
	now := time.Now()
	c.add("good", "anna", now, time.Time{})
	for n := range 3 * maxCached {
		c.add(fmt.Sprint("bad ", n), "", now, time.Time{})
	}
	if name, known := c.find("good", now); name != "anna" || !known {
		t.Error("bad tokens drive out good ones")
	}
	if _, known := c.find("good", now.Add(goodFor)); known {
		t.Error("it is believed for too long")
	}
}

func TestOnlyTheIssuerIsAsked(t *testing.T) {
	k := peer.NewKey(t, "k", jose.ES256)
	elsewhere := peer.StartOIDC(t, k)
	p := peer.StartOIDC(t, k)
	p.Instead(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, elsewhere.URL+r.URL.Path, http.StatusFound)
	})
	i, _ := open(t, p, func(c *Config) {
		both := filepath.Join(t.TempDir(), "both.pem")
		text := append(must(os.ReadFile(p.Cert.CAFile)), must(os.ReadFile(elsewhere.Cert.CAFile))...)
		if err := os.WriteFile(both, text, 0o600); err != nil {
			t.Fatal(err)
		}
		c.CA = both
	})
	if err := i.Probe(t.Context()); err == nil || elsewhere.Count("/.well-known/openid-configuration") != 0 {
		t.Errorf("a redirect was followed: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://192.0.2.1/", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := i.client.Do(request); err == nil || !errors.Is(err, errUnsafe) {
		t.Errorf("in clear: got %v", err)
	}
}

// Either of the two is enough to keep shared secrets out.
func TestNoSharedSecretIsAKey(t *testing.T) {
	for _, a := range algorithms() {
		if a == "none" || strings.HasPrefix(string(a), "HS") {
			t.Errorf("%s is taken", a)
		}
	}
	k := peer.NewKey(t, "private", jose.ES256)
	for _, set := range []any{
		jose.JSONWebKey{Key: []byte("a shared secret that is 32 octets long"), KeyID: "shared"},
		jose.JSONWebKey{Key: k.Private, KeyID: "private"},
	} {
		keys, err := readKeys(must(json.Marshal(map[string]any{"keys": []any{set}})))
		if err == nil || len(keys) > 0 {
			t.Errorf("got %v", keys)
		}
	}
}

func TestNoProxyIsAsked(t *testing.T) {
	i, _ := open(t, peer.StartOIDC(t), nil)
	if i.client.Transport.(*guarded).Proxy != nil {
		t.Error("the environment could say whom tokens are shown to")
	}
}

func TestConfigurationsThatCannotWorkAreRefused(t *testing.T) {
	good := Config{Issuer: "https://login.example.org", Audience: []string{"x"}}
	if _, err := New(good); err != nil {
		t.Fatal(err)
	}
	lax := secretFile(t)
	if err := os.Chmod(lax, 0o644); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Config){
		"no issuer":    func(c *Config) { c.Issuer = "" },
		"http":         func(c *Config) { c.Issuer = "http://login.example.org" },
		"query":        func(c *Config) { c.Issuer = "https://login.example.org/?x" },
		"login":        func(c *Config) { c.Issuer = "https://a:b@login.example.org" },
		"audience":     func(c *Config) { c.Audience = nil },
		"no audience":  func(c *Config) { c.Audience = []string{""} },
		"only client":  func(c *Config) { c.ClientID = "x" },
		"only secret":  func(c *Config) { c.SecretFile = lax },
		"lax secret":   func(c *Config) { c.ClientID, c.SecretFile = "x", lax },
		"leeway":       func(c *Config) { c.Leeway = time.Hour },
		"no authority": func(c *Config) { c.CA = secretFile(t) },
	} {
		c := good
		change(&c)
		if _, err := New(c); err == nil || hint.Of(err) == "" {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// Whatever a token is, nobody gets in without a signature.
func FuzzToken(f *testing.F) {
	k := peer.NewKey(f, "k", jose.ES256)
	p := peer.StartOIDC(f, k)
	i, _ := open(f, p, nil)
	good := k.Sign(f, claimsOf(p, nil), nil)
	f.Add(good)
	f.Add(unsigned(f, p, map[string]any{"alg": "none"}, ""))
	f.Add("a.b.c")
	f.Fuzz(func(t *testing.T, token string) {
		name, err := i.User(t.Context(), token)
		if err == nil && (name != "anna@example.org" || token[:strings.LastIndexByte(token, '.')] != good[:strings.LastIndexByte(good, '.')]) {
			t.Errorf("%q: got %q", token, name)
		}
	})
}

// No claims are taken that a rule forbids, whatever they look like.
func FuzzClaims(f *testing.F) {
	f.Add([]byte(`{"iss":"https://i","aud":["a"],"exp":2000000000,"email":"a@b","email_verified":true}`))
	f.Add([]byte(`{"iss":"https://i","aud":"a","exp":1e9,"email":"a@b"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		c := &Config{Issuer: "https://i", Audience: []string{"a"}, now: func() time.Time { return time.Unix(1_900_000_000, 0) }}
		c.setDefaults()
		said, err := readClaims(text)
		if err != nil {
			return
		}
		name, expires, err := rule{c, false}.owner(said)
		if err == nil && (name == "" || len(name) > maxName || expires.Before(time.Unix(1_899_999_900, 0))) {
			t.Errorf("%q: got %q %v", text, name, expires)
		}
	})
}

// An issuer that says nothing of "email_verified" is taken at its word by the
// operator's; one that says no is not.
func TestTrustEmail(t *testing.T) {
	k := peer.NewKey(t, "one", jose.ES256)
	p := peer.StartOIDC(t, k)
	i, _ := open(t, p, func(c *Config) { c.TrustEmail = true })
	if got, err := i.User(t.Context(), k.Sign(t, claimsOf(p, map[string]any{"email_verified": nil}), nil)); err != nil || got != "anna@example.org" {
		t.Errorf("unsaid: %q, %v", got, err)
	}
	if got, err := i.User(t.Context(), k.Sign(t, claimsOf(p, map[string]any{"email_verified": false}), nil)); err == nil {
		t.Errorf("denied: %q", got)
	}
}
