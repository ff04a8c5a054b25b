package pop3server

import (
	"context"
	"errors"

	"postfach/sasl"
)

// passwordWorks reports whether USER and PASS are taken on this connection
// (P3-USR-07).
func (s *session) passwordWorks() bool { return s.srv.Auth != nil && s.secure() }

// insecure is nil where passwords may be said, else the refusal. It has no
// [AUTH]: clients would ask for another password (AMB-19). It is the same for
// every name (P3-USR-09).
func (s *session) insecure() error {
	switch {
	case s.secure():
		return nil
	case s.srv.tlsConfig != nil:
		return &refusal{text: textNeedTLS}
	}
	return &refusal{text: textNoCleartext}
}

// tellInsecure logs once in a session that TLS is missing: the client that gives
// up then has an owner who asks why. It returns the error that it is given.
func (s *session) tellInsecure(how string, err error) error {
	var r *refusal
	missing := errors.As(err, &r) && (r.text == textNeedTLS || r.text == textNoCleartext)
	if missing && how != sasl.External && !s.told {
		s.told = true
		s.log().Info("password refused without TLS", "mechanism", how)
	}
	return err
}

// userCommand is USER: it takes any name, known or not (P3-USR-02).
func (s *session) userCommand(_ context.Context, args []string) error {
	name, err := sasl.PrepareName(args[0])
	if err != nil {
		return &refusal{text: textBadName, bad: true} // P3-UTF-07
	}
	s.name = name // replaces an earlier one (AMB-11)
	return s.ok(textSendPass)
}

// pass is PASS. The password is all after the first SP (P3-USR-05).
func (s *session) pass(_ context.Context, args []string) error {
	name := s.name
	s.name = ""
	if name == "" {
		return &refusal{text: textNeedUser, bad: true} // P3-USR-04
	}
	who, err := s.checkPassword("", name, args[0])
	if err != nil {
		return s.loginFailed("PASS", name, err)
	}
	return s.login(who, "PASS")
}

// checkPassword asks the Authenticator, with name and password prepared (P3-PLAIN-04), and then
// whether the user may act as identity (P3-PLAIN-03). Both are one try: a right
// password that lets nobody in is no login to the Guard either.
func (s *session) checkPassword(identity, name, password string) (Identity, error) {
	name, err := sasl.PrepareName(name)
	if err != nil {
		return Identity{}, ErrCredentials
	}
	password, err = sasl.PrepareQuery(password)
	if err != nil {
		s.log().Info("password cannot be prepared", "err", err)
		return Identity{}, ErrCredentials
	}
	return s.attempt(name, password, func(ctx context.Context) (Identity, error) {
		who, err := s.srv.Auth.Authenticate(ctx, s.peer(), name, password)
		if err != nil {
			return Identity{}, err
		}
		if err := mayActAs(identity, name); err != nil {
			s.noLogin(who, sasl.Plain, errForeign)
			return Identity{}, err
		}
		return who, nil
	})
}
