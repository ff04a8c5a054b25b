package oidc

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"

	"github.com/go-jose/go-jose/v4"
)

// algorithms are those in which the issuer has a key that we have not: neither
// "none" nor any that a shared secret would do for.
func algorithms() []jose.SignatureAlgorithm {
	return []jose.SignatureAlgorithm{
		jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512,
		jose.ES256, jose.ES384, jose.ES512, jose.EdDSA,
	}
}

// maxKeys bounds how many keys of an issuer are looked at.
const maxKeys = 100

// readKeys understands a set of keys (RFC 7517). Those that are of no use here are
// passed over.
func readKeys(text []byte) ([]jose.JSONWebKey, error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(text, &set); err != nil {
		return nil, errors.New("the keys cannot be read")
	}
	var keys []jose.JSONWebKey
	for _, raw := range set.Keys[:min(len(set.Keys), maxKeys)] {
		var k jose.JSONWebKey
		if json.Unmarshal(raw, &k) == nil && usable(k) {
			keys = append(keys, k)
		}
	}
	if len(keys) == 0 {
		return nil, errors.New("there is no key for signatures")
	}
	return keys, nil
}

// minRSA is the least size of an RSA key, in bits (RFC 7518 section 3.3).
const minRSA = 2048

func usable(k jose.JSONWebKey) bool {
	if k.Use != "" && k.Use != "sig" || !k.Valid() {
		return false
	}
	switch public := k.Key.(type) {
	case *rsa.PublicKey:
		return public.N.BitLen() >= minRSA
	case *ecdsa.PublicKey, ed25519.PublicKey:
		return true
	}
	return false // a secret, or half of it
}

// keys fetches the issuer's.
func (i *Issuer) fetchKeys(ctx context.Context) ([]jose.JSONWebKey, error) {
	m, err := i.published(ctx)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, m.Keys, nil)
	if err != nil {
		return nil, err
	}
	answer, err := i.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the keys of the issuer: status %d", answer.StatusCode)
	}
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, err
	}
	return readKeys(text)
}

var errKey = errors.New("no key of the issuer fits")

// payload returns what a token says, if the issuer has signed it. A key that is
// not known may be new, so the issuer is asked once more.
func (i *Issuer) payload(ctx context.Context, signed *jose.JSONWebSignature) ([]byte, error) {
	if len(signed.Signatures) != 1 {
		return nil, errKey
	}
	header := signed.Signatures[0].Header
	for _, newer := range []bool{false, true} {
		keys, have, err := i.keys.get(ctx, newer)
		if err != nil && (newer || have.IsZero()) {
			return nil, &awayError{err}
		}
		known := slices.DeleteFunc(slices.Clone(keys), func(k jose.JSONWebKey) bool {
			return header.KeyID != "" && k.KeyID != header.KeyID || k.Algorithm != "" && k.Algorithm != header.Algorithm
		})
		for _, k := range known {
			if said, err := signed.Verify(k); err == nil {
				return said, nil
			}
		}
		if len(known) > 0 && header.KeyID != "" {
			return nil, errKey // that one, and it does not fit
		}
	}
	return nil, errKey
}
