package accounts

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"postfach/sasl"
)

// AddSecret makes "{SCHEME}secret", in any of the schemes that the accounts file may
// have, a credential: that of an app password, or, without a name, the account's own
// password, which comes first. Errors have nothing of the secret in them.
func (e *Entry) AddSecret(name, secret string) error {
	k, err := parseSecret(secret)
	if err != nil {
		return err
	}
	e.addKept(name, k, secret)
	return nil
}

// AddScram adds a verifier for SCRAM, such as "{SCRAM-SHA-256}…", to an account whose
// own password is kept in another scheme. Errors have nothing of the secret in them.
func (e *Entry) AddScram(secret string) error {
	k, err := parseSecret(secret)
	if err != nil {
		return err
	}
	v := k.scram()
	if v == nil {
		return fmt.Errorf("expected {%s}", ScramSHA256)
	}
	if e.Scram[v.hash] != nil {
		return errors.New("there is another verifier for SCRAM already")
	}
	e.addScram(v, "")
	return nil
}

// addKept adds a credential. A verifier for SCRAM with a salt of its own is for passwords
// only: a client hears one salt, before it says which password it has.
func (e *Entry) addKept(name string, k kept, secret string) {
	c := Credential{Name: name, Version: []byte(secret)}
	if v := k.scram(); v == nil || !e.addScram(v, name) {
		c.Check = func(_ context.Context, password string) (bool, error) { return k.matches(password), nil }
		c.cost = k.cost()
	}
	e.Credentials = append(e.Credentials, c)
}

// addScram adds the keys of a credential to those that SCRAM uses. It reports
// whether they have the salt and the work factor of those that are there.
func (e *Entry) addScram(v *scramVerifier, name string) bool {
	if e.Scram == nil {
		e.Scram = map[sasl.ScramHash]*ScramEntry{}
	}
	s := e.Scram[v.hash]
	if s == nil {
		s = newScramEntry(v)
		e.Scram[v.hash] = s
	}
	return s.add(v, name)
}

func newScramEntry(v *scramVerifier) *ScramEntry {
	return &ScramEntry{Verifier: sasl.ScramVerifier{Salt: v.salt, Iterations: v.iterations}}
}

func (s *ScramEntry) add(v *scramVerifier, name string) bool {
	if s.Verifier.Iterations != v.iterations || string(s.Verifier.Salt) != string(v.salt) {
		return false
	}
	s.Verifier.Keys = append(s.Verifier.Keys, v.keys)
	s.Names = append(s.Names, name)
	return true
}

// cost names what a check of a secret costs.
func (k kept) cost() string {
	switch v := k.verifier.(type) {
	case cryptVerifier:
		return v.work
	case *scramVerifier:
		return fmt.Sprint(k.scheme, "/", v.iterations)
	case *pbkdf2Verifier:
		return fmt.Sprint(k.scheme, "/", v.rounds)
	}
	return k.scheme
}

// work names what the check of a password costs: each Check, and each derivation. How
// many keys one derivation serves does not matter.
func (e *Entry) work() string {
	var costs []string
	var kept []Credential
	for _, c := range e.Credentials {
		if c.Check == nil {
			kept = append(kept, c)
		} else {
			costs = append(costs, c.cost)
		}
	}
	for _, d := range e.derivations(kept) {
		costs = append(costs, d.hash.Mechanism(false)+d.challenge())
	}
	slices.Sort(costs)
	return strings.Join(costs, " ")
}

// shape names all that others can see of an entry: what a check costs, and what its
// challenges look like.
func (e *Entry) shape() string {
	return e.work() + ";" + e.Scram[sasl.SHA256].challenge() + ";" + e.Scram[sasl.SHA1].challenge()
}

// challenge names what a challenge looks like.
func (s *ScramEntry) challenge() string {
	if s == nil {
		return ""
	}
	return fmt.Sprintf("/%d/%d", s.Verifier.Iterations, len(s.Verifier.Salt))
}

// entry is an account as a Directory knows it. open opens its shared secret; nil:
// there is none. It is made with the table: to make it at a look-up would show how many
// app passwords there are.
func (a *account) entry(open func() (string, error)) *Entry {
	e := *a.made
	e.Secret = open
	return &e
}

func (a *account) makeEntry() *Entry {
	e := &Entry{User: a.User, Maildir: a.Maildir, Policy: a.policy, Certificates: a.Certificates, Closed: a.Closed}
	e.addKept("", a.kept, a.secret)
	for i, one := range a.apps {
		e.Credentials = append(e.Credentials, Credential{Name: one.Name, Version: one.keys.StoredKey})
		if e.addScram(one.scramVerifier, one.Name) {
			continue
		}
		if i == 0 { // a password that was not made with postfach user passwd
			e.apart = newScramEntry(one.scramVerifier)
		}
		e.apart.add(one.scramVerifier, one.Name)
	}
	if a.sha1 != nil {
		e.addScram(a.sha1, "")
	}
	return e
}

// offers reports whether whoever has a password of the account that lets somebody
// in can use SCRAM with this hash.
func (a *account) offers(h sasl.ScramHash) bool {
	main := a.scram()
	switch {
	case a.AppPasswordsOnly && len(a.apps) == 0:
		return true // no password does
	case a.AppPasswordsOnly:
		return h == sasl.SHA256 && (main == nil || main.hash != h || main.sameWork(a.apps[0].scramVerifier))
	case h == sasl.SHA1 && a.sha1 != nil && len(a.apps) == 0:
		return true
	}
	return main != nil && main.hash == h && (len(a.apps) == 0 || main.sameWork(a.apps[0].scramVerifier))
}
