package oidc

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// claims are what a token says, or what the issuer says about one.
type claims map[string]json.RawMessage

// email is the claim that the issuer may not have verified.
const email = "email"

// maxName bounds a user's name, in octets.
const maxName = 320

func readClaims(text []byte) (claims, error) {
	var c claims
	if err := json.Unmarshal(text, &c); err != nil || c == nil {
		return nil, errors.New("the claims cannot be read")
	}
	return c, nil
}

// text returns a claim, empty when it is not there.
func (c claims) text(name string) (string, error) {
	var s string
	if raw, ok := c[name]; ok && json.Unmarshal(raw, &s) != nil {
		return "", fmt.Errorf("%s is not text", name)
	}
	return s, nil
}

// list returns a claim that is one text or several.
func (c claims) list(name string) ([]string, error) {
	raw, ok := c[name]
	if !ok {
		return nil, nil
	}
	var several []string
	if json.Unmarshal(raw, &several) == nil {
		return several, nil
	}
	one, err := c.text(name)
	return []string{one}, err
}

// moment returns a time, and whether there is one.
func (c claims) moment(name string) (time.Time, bool, error) {
	raw, ok := c[name]
	if !ok {
		return time.Time{}, false, nil
	}
	var seconds float64
	if err := json.Unmarshal(raw, &seconds); err != nil || string(raw) == "null" || !(seconds >= 0 && seconds < 1<<40) {
		return time.Time{}, false, fmt.Errorf("%s is no time", name)
	}
	whole, part := math.Modf(seconds)
	return time.Unix(int64(whole), int64(part*1e9)), true, nil
}

// A rule is what claims have to fulfil. introspected ones come from the issuer
// itself, which need not say again what it has looked at.
type rule struct {
	*Config
	introspected bool
}

// owner returns whose the claims are, and until when they hold: zero when they do
// not say. Errors are for the log, and have nothing of the token in them.
func (r rule) owner(c claims) (name string, expires time.Time, err error) {
	for _, check := range []func(claims) error{r.checkIssuer, r.checkAudience, r.checkScope, r.checkBinding} {
		if err := check(c); err != nil {
			return "", time.Time{}, err
		}
	}
	if expires, err = r.checkTimes(c); err != nil {
		return "", time.Time{}, err
	}
	name, err = r.name(c)
	return name, expires, err
}

func (r rule) checkIssuer(c claims) error {
	issuer, err := c.text("iss")
	_, says := c["iss"]
	if err != nil || issuer != r.Issuer && (says || !r.introspected) {
		return errors.New("it is from another issuer")
	}
	return nil
}

// checkAudience keeps out tokens that somebody got for another service, which may
// be somebody else's.
func (r rule) checkAudience(c claims) error {
	audience, err := c.list("aud")
	if err != nil {
		return err
	}
	if _, says := c["aud"]; !says && r.introspected && r.Scope != "" {
		return nil // the scope says what it is for
	}
	if !slices.ContainsFunc(audience, func(a string) bool { return slices.Contains(r.Audience, a) }) {
		return errors.New("it is for another audience")
	}
	return nil
}

func (r rule) checkScope(c claims) error {
	granted, err := c.list("scope")
	if err != nil {
		return err
	}
	more, err := c.list("scp") // what some issuers call it
	if err != nil {
		return err
	}
	words := strings.Fields(strings.Join(append(granted, more...), " "))
	for _, needed := range strings.Fields(r.Scope) {
		if !slices.Contains(words, needed) {
			return errors.New("it lacks the scope")
		}
	}
	return nil
}

// checkBinding refuses tokens that are good only together with a key of the
// client's (RFC 8705, RFC 9449), which it cannot show here.
func (r rule) checkBinding(c claims) error {
	if _, bound := c["cnf"]; bound {
		return errors.New("it is bound to a key")
	}
	return nil
}

func (r rule) checkTimes(c claims) (expires time.Time, err error) {
	now := r.now()
	expires, says, err := c.moment("exp")
	switch {
	case err != nil:
		return expires, err
	case !says && !r.introspected:
		return expires, errors.New("it does not say when it expires")
	case says && !now.Before(expires.Add(r.Leeway)):
		return expires, errors.New("it has expired")
	}
	for _, name := range []string{"nbf", "iat"} {
		from, says, err := c.moment(name)
		if err != nil {
			return expires, err
		}
		if says && now.Add(r.Leeway).Before(from) {
			return expires, errors.New("it is not valid yet")
		}
	}
	return expires, nil
}

func (r rule) name(c claims) (string, error) {
	name, err := c.text(r.Claim)
	switch {
	case err != nil:
		return "", err
	case name == "":
		return "", fmt.Errorf("it has no claim %s", r.Claim)
	case len(name) > maxName || !utf8.ValidString(name):
		return "", fmt.Errorf("its claim %s is no name", r.Claim)
	case r.Claim == email && !c.verified(r.TrustEmail):
		return "", errors.New("its e-mail address is not verified")
	}
	return name, nil
}

// verified reports whether the issuer says that the e-mail address is its owner's.
// unsaid is the answer where it says nothing.
func (c claims) verified(unsaid bool) bool {
	raw, says := c["email_verified"]
	if !says {
		return unsaid
	}
	return string(raw) == "true" || string(raw) == `"true"`
}
