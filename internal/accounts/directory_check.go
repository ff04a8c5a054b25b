package accounts

import (
	"context"
	"crypto/subtle"
	"errors"
	"slices"

	"postfach/sasl"
)

// check tries a password with all credentials of an entry, and returns the names
// of those that it fits. The work does not depend on which that are.
func (d *Directory) check(ctx context.Context, e *Entry, password string) (right []string, err error) {
	var local, remote []Credential
	var kept []Credential // by keys of SCRAM
	for _, c := range e.Credentials {
		switch {
		case c.Check == nil:
			kept = append(kept, c)
		case c.Remote:
			remote = append(remote, c)
		default:
			local = append(local, c)
		}
	}
	try := func(with []Credential) error {
		var failed error
		for _, c := range with {
			ok, err := c.Check(ctx, password)
			if ok && err == nil {
				right = append(right, c.Name)
			}
			failed = errors.Join(failed, err)
		}
		return failed
	}
	if len(local)+len(kept) > 0 {
		err = d.computes.Do(ctx, func() error {
			fit, err := e.derive(kept, password)
			right = append(right, fit...)
			return errors.Join(err, try(local))
		})
	}
	if len(remote) > 0 && err == nil {
		err = d.waits.Do(ctx, func() error { return try(remote) })
	}
	if len(right) > 0 {
		return right, nil
	}
	return nil, err
}

// A derivation is one PBKDF2: the keys that one salt serves.
type derivation struct {
	hash sasl.ScramHash
	*ScramEntry
}

// derivations are what a password has to go through for all credentials that are
// keys of SCRAM: one for each salt, however many credentials there are.
func (e *Entry) derivations(credentials []Credential) []derivation {
	open := map[string]bool{}
	for _, c := range credentials {
		open[c.Name] = true
	}
	var all []derivation
	for _, d := range []derivation{{sasl.SHA256, e.Scram[sasl.SHA256]}, {sasl.SHA256, e.apart}, {sasl.SHA1, e.Scram[sasl.SHA1]}} {
		if d.ScramEntry == nil || !slices.ContainsFunc(d.Names, func(n string) bool { return open[n] }) {
			continue
		}
		all = append(all, d)
		for _, name := range d.Names {
			delete(open, name)
		}
	}
	return all
}

// derive tries a password with those credentials that are keys of SCRAM.
func (e *Entry) derive(credentials []Credential, password string) (right []string, err error) {
	for _, d := range e.derivations(credentials) {
		got, err := newScram(d.hash, password, d.Verifier.Salt, d.Verifier.Iterations)
		if err != nil {
			return nil, err
		}
		for i, name := range d.Names {
			same := subtle.ConstantTimeCompare(got.keys.StoredKey, d.Verifier.Keys[i].StoredKey) == 1
			if same && slices.ContainsFunc(credentials, func(c Credential) bool { return c.Name == name }) {
				right = append(right, name)
			}
		}
	}
	return right, nil
}
