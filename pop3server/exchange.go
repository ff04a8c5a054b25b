package pop3server

import (
	"errors"

	"postfach/pop3"
	"postfach/sasl"
)

// An exchange is one try to log in with AUTH: who it is, and what the accounts
// say. A mechanism's callbacks fill it in.
type exchange struct {
	name string   // as the client spells it, for the log; empty until it is said
	who  Identity // whom the accounts let in, if err is nil
	err  error    // why they let nobody in
	done bool     // it came to its end
}

// decide notes what the accounts say. The error is for the mechanism.
func (x *exchange) decide(who Identity, err error) error {
	x.who, x.err = who, err
	return err
}

// admitted says whom a mechanism that is done has let in. One that never asked
// the accounts, or did not listen to them, has let in nobody.
func (x *exchange) admitted() (Identity, error) {
	if x.err == nil && x.who.User == "" {
		return Identity{}, errors.New("the mechanism is done and nobody was let in")
	}
	return x.who, x.err
}

// meaning turns a mechanism's error into what it means for the login.
func (x *exchange) meaning(err error) error {
	var said *refusal
	switch {
	case err == nil, errors.As(err, &said):
		return err
	case x.err != nil:
		return x.err
	case errors.Is(err, sasl.ErrMessage):
		return &refusal{code: pop3.CodeAuth, text: textBadResponse, bad: true}
	case errors.Is(err, sasl.ErrProof), errors.Is(err, sasl.ErrBinding):
		return errors.Join(ErrCredentials, err)
	}
	return err
}

// prepareIdentity prepares whom a client wants to act as (P3-AUTH-27). Empty, which
// is whoever it proves to be, stays empty.
func prepareIdentity(identity string) (string, error) {
	if identity == "" {
		return "", nil
	}
	prepared, err := sasl.PrepareName(identity)
	if err != nil {
		return "", ErrCredentials
	}
	return prepared, nil
}

// errForeign is for the log.
var errForeign = errors.New("the client wants to act as another user")

// mayActAs lets everybody act as nobody but themselves (P3-PLAIN-03).
func mayActAs(identity, name string) error {
	as, err := prepareIdentity(identity)
	if err != nil || as == "" {
		return err
	}
	if own, err := sasl.PrepareName(name); err != nil || own != as {
		return ErrCredentials
	}
	return nil
}
