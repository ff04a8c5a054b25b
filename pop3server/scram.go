package pop3server

import (
	"bytes"
	"context"
	"errors"

	"postfach/sasl"
)

// scramRefusal is nil where SCRAM works. It does not send the password, but what
// it sends in clear is enough to try passwords against, as fast as hardware
// allows; and the mail that follows is in clear, too. So it has the rule of
// passwords (P3-AUTH-24 leaves that open, P3-USR-08 does not).
func scramRefusal(h sasl.ScramHash) func(*session) error {
	return func(s *session) error {
		if s.srv.SCRAM == nil || !s.srv.SCRAM.Offers(h) {
			return noMechanism()
		}
		return s.insecure()
	}
}

// scramPlusRefusal is nil where, beside that, there is a TLS connection that has
// something to bind to (P3-SCRAM-10).
func scramPlusRefusal(h sasl.ScramHash) func(*session) error {
	without := scramRefusal(h)
	return func(s *session) error {
		if err := s.inClear(); err != nil {
			return err
		}
		if len(s.peer().ChannelBindings()) == 0 {
			return noMechanism()
		}
		return without(s)
	}
}

// beginScram is SCRAM (RFC 5802, RFC 7677). All that the client learns before its
// proof is the same for names that exist and those that do not (P3-SCRAM-18); so
// whom it wants to act as is looked at behind the proof.
func beginScram(h sasl.ScramHash, plus bool) func(*session, *exchange) sasl.Server {
	return func(s *session, x *exchange) sasl.Server {
		e := &scramExchange{exchange: x, s: s, hash: h}
		e.server = sasl.NewScramServer(h, plus, s.peer().ChannelBindings(), e.lookup, e.proved)
		return e
	}
}

// A scramExchange is SCRAM with accounts behind it.
type scramExchange struct {
	*exchange
	s        *session
	server   sasl.Server
	hash     sasl.ScramHash
	identity string        // whom the client wants to act as
	prepared string        // its name
	account  *ScramAccount // nil: not asked yet, or the proof has been looked at
	now      *ScramAccount // what the accounts say once more, with the proof
}

// Next takes the proof like any other credentials, one try at a time.
func (e *scramExchange) Next(response []byte) (challenge []byte, done bool, err error) {
	if e.account == nil {
		return e.server.Next(response)
	}
	_, err = e.s.attempt(e.prepared, "", func(ctx context.Context) (Identity, error) {
		// The challenge may have been out for a minute, in which the password was changed or
		// the account closed. A wrong proof takes as long.
		if e.now, err = e.s.srv.SCRAM.Scram(ctx, e.s.peer(), e.hash, e.prepared); err != nil {
			return e.who, e.decide(Identity{}, err)
		}
		challenge, done, err = e.server.Next(response)
		return e.who, e.meaning(err)
	})
	if err == nil || isRefused(err) { // it was a proof, and not something else
		e.s.unproved--
	}
	e.account = nil
	return challenge, done, err
}

// lookup asks the ScramSource, with the name prepared (P3-SCRAM-09). Exchanges
// that end before the proof are no tries, and cost accounts a look at a name all
// the same: so a connection has as many of them as bad commands.
func (e *scramExchange) lookup(identity, name string) (*sasl.ScramVerifier, error) {
	e.identity, e.name = identity, name
	prepared, err := sasl.PrepareName(name)
	if err != nil {
		return nil, e.decide(Identity{}, ErrCredentials)
	}
	if e.s.unproved++; e.s.unproved > e.s.srv.limits.BadCommands {
		return nil, &refusal{text: textUnproved, ends: endBad}
	}
	account, err := e.s.srv.SCRAM.Scram(e.s.loginContext(), e.s.peer(), e.hash, prepared)
	if err != nil {
		return nil, e.decide(Identity{}, err)
	}
	e.prepared, e.account = prepared, account
	return &account.Verifier, nil
}

// proved lets in whoever the key belongs to.
func (e *scramExchange) proved(key int) error {
	if key < 0 || key >= len(e.account.Identities) {
		return e.decide(Identity{}, errors.New("the verifier has a key that is nobody's"))
	}
	who := e.account.Identities[key]
	if !e.now.has(who, e.account.Verifier.Keys[key]) {
		return e.decide(Identity{}, ErrCredentials)
	}
	if e.now.Admit != nil {
		if err := e.now.Admit(e.s.loginContext(), who); err != nil {
			return e.decide(Identity{}, err)
		}
	}
	err := mayActAs(e.identity, e.name)
	if err != nil {
		e.s.noLogin(who, e.hash.Mechanism(false), errForeign)
	}
	return e.decide(who, err)
}

// has reports whether a key is in an account, and whose it is said to be.
func (a *ScramAccount) has(who Identity, keys sasl.ScramKeys) bool {
	for i, other := range a.Identities {
		if other == who && i < len(a.Verifier.Keys) && bytes.Equal(a.Verifier.Keys[i].StoredKey, keys.StoredKey) {
			return true
		}
	}
	return false
}
