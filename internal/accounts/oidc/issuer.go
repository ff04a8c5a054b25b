// Package oidc checks the bearer tokens of one OpenID provider (OpenID Connect Core,
// RFC 7519, RFC 9068, RFC 7662), for OAUTHBEARER and XOAUTH2.
package oidc

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"

	"postfach/internal/accounts"
	"postfach/pop3server"
)

// An Issuer is an accounts.Tokens: whom a provider has made tokens for. Its methods
// may be called from many goroutines.
type Issuer struct {
	config Config
	secret string // of the client
	client *http.Client
	cache  *cache
	// questions about tokens wait there for their turn.
	questions *accounts.Pool

	configuration *fetched[metadata]
	keys          *fetched[[]jose.JSONWebKey]
}

// metadata is what the issuer publishes of itself, as far as it is of interest.
type metadata struct {
	Keys          string `json:"jwks_uri"`
	Introspection string `json:"introspection_endpoint"`
}

// New returns an Issuer. It asks nobody yet: an issuer that is away keeps no server
// from starting.
func New(c Config) (*Issuer, error) {
	if err := c.check(); err != nil {
		return nil, fmt.Errorf("oidc: %w", err)
	}
	c.setDefaults()
	t, err := c.tls()
	if err != nil {
		return nil, fmt.Errorf("oidc: %w", err)
	}
	i := &Issuer{config: c, client: newClient(t, c.Timeout), cache: newCache(), questions: accounts.NewPool(atOnce)}
	if c.SecretFile != "" {
		if i.secret, err = accounts.ReadSecret(c.SecretFile); err != nil {
			return nil, fmt.Errorf("oidc: %w", err)
		}
	}
	i.configuration = newFetched(&c, i.discover)
	i.keys = newFetched(&c, i.fetchKeys)
	return i, nil
}

// Close ends connections that are idle.
func (i *Issuer) Close() error {
	i.client.CloseIdleConnections()
	return nil
}

// Probe looks whether the issuer answers.
func (i *Issuer) Probe(ctx context.Context) error {
	if _, _, err := i.keys.get(ctx, false); err != nil {
		return &awayError{err}
	}
	return nil
}

// Discovery implements accounts.Tokens (P3-OAUTH-05).
func (i *Issuer) Discovery() (configuration, scope string) {
	return strings.TrimSuffix(i.config.Issuer, "/") + "/.well-known/openid-configuration", i.config.Scope
}

// discover asks the issuer where it has what.
func (i *Issuer) discover(ctx context.Context) (metadata, error) {
	provider, err := oidc.NewProvider(oidc.ClientContext(ctx, i.client), i.config.Issuer)
	if err != nil {
		// It may have a whole answer in it.
		return metadata{}, fmt.Errorf("discovery: %.200q", err)
	}
	var m metadata
	if err := provider.Claims(&m); err != nil || m.Keys == "" {
		return metadata{}, errors.New("discovery: the issuer publishes no keys")
	}
	return m, nil
}

// published is discover's answer, or an older one while the issuer is away.
func (i *Issuer) published(ctx context.Context) (metadata, error) {
	m, have, err := i.configuration.get(ctx, false)
	if have.IsZero() {
		return m, err
	}
	return m, nil
}

// An awayError says that the issuer could not be asked. It says nothing of the
// token.
type awayError struct{ error }

func (e *awayError) Unwrap() error { return e.error }

// maxToken bounds a token, in octets.
const maxToken = 16 << 10

// User implements accounts.Tokens. Errors have nothing of the token in them.
func (i *Issuer) User(ctx context.Context, token string) (string, error) {
	if len(token) > maxToken || !isToken(token) {
		return "", i.refused(errors.New("it is no token"))
	}
	now := i.config.now()
	if name, known := i.cache.find(token, now); known {
		if name == "" {
			return "", pop3server.ErrCredentials
		}
		return name, nil
	}
	name, expires, err := i.owner(ctx, token)
	var away *awayError
	switch {
	case errors.As(err, &away):
		return "", fmt.Errorf("ask the issuer %s: %w", i.config.Issuer, away.error)
	case errors.Is(err, errKey):
		return "", i.refused(err) // not remembered: the key may be published in a moment
	case err != nil:
		i.cache.add(token, "", now, time.Time{})
		return "", i.refused(err)
	}
	i.cache.add(token, name, now, expires)
	return name, nil
}

// refused logs why a token is not taken. The client is not told.
func (i *Issuer) refused(why error) error {
	i.config.Log.Info("token refused", "reason", why)
	return pop3server.ErrCredentials
}

// owner returns whose a token is, and until when.
func (i *Issuer) owner(ctx context.Context, token string) (name string, expires time.Time, err error) {
	if isJWT(token) {
		signed, err := jose.ParseSignedCompact(token, algorithms())
		if err != nil {
			return "", expires, errors.New("its signature cannot be read, or is of a kind that is not taken")
		}
		if err := checkType(signed); err != nil {
			return "", expires, err
		}
		said, err := i.payload(ctx, signed)
		if err != nil {
			return "", expires, err
		}
		c, err := readClaims(said)
		if err != nil {
			return "", expires, err
		}
		return rule{&i.config, false}.owner(c)
	}
	if i.config.ClientID == "" {
		return "", expires, errors.New("it is no JWT, and there is no client_id to ask about it with")
	}
	c, err := i.introspect(ctx, token)
	switch {
	case err != nil:
		return "", expires, &awayError{err}
	case c == nil:
		return "", expires, errors.New("the issuer says that it is not active")
	}
	return rule{&i.config, true}.owner(c)
}

// isToken reports whether a text is a b64token (RFC 6750 section 2.1).
func isToken(text string) bool {
	body := strings.TrimRight(text, "=")
	return body != "" && !strings.ContainsFunc(body, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("-._~+/", r)
	})
}

// isJWT reports whether a token says that it is signed, and how: it is then judged
// by that, and by nobody else.
func isJWT(token string) bool {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return false
	}
	text, err := base64.RawURLEncoding.DecodeString(parts[0])
	var header map[string]json.RawMessage
	return err == nil && json.Unmarshal(text, &header) == nil && header["alg"] != nil
}

// checkType refuses what is signed for another purpose (RFC 8725 section 3.11).
func checkType(signed *jose.JSONWebSignature) error {
	for _, s := range signed.Signatures {
		kind, ok := s.Header.ExtraHeaders[jose.HeaderType]
		text, _ := kind.(string)
		text = strings.TrimPrefix(strings.ToLower(text), "application/")
		if ok && !slices.Contains([]string{"jwt", "at+jwt"}, text) {
			return errors.New("it is of another type")
		}
	}
	return nil
}

var _ accounts.Tokens = (*Issuer)(nil)
