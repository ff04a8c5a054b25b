package pop3server

import (
	"context"
	"errors"
	"strings"

	"postfach/internal/popwire"
	"postfach/pop3"
	"postfach/sasl"
)

// auth is AUTH (RFC 5034 section 4): an exchange of challenges and responses,
// in which no line is a command (P3-AUTH-31).
func (s *session) auth(_ context.Context, args []string) error {
	if !strings.EqualFold(args[0], sasl.Plain) { // P3-AUTH-02, P3-AUTH-03
		return &refusal{text: textNoMechanism}
	}
	var name, user string
	mech := sasl.NewPlainServer(func(identity, authcid, password string) (err error) {
		name = authcid
		user, err = s.checkPassword(authcid, password)
		return errors.Join(err, mayActAs(identity, authcid))
	})
	var response []byte // nil: no initial one
	if len(args) == 2 {
		var ok bool
		if response, ok = popwire.DecodeInitial(args[1]); !ok {
			return &refusal{text: textBadBase64} // P3-AUTH-14
		}
	}
	for {
		challenge, done, err := mech.Next(response)
		switch {
		case errors.Is(err, sasl.ErrMessage):
			return &refusal{code: pop3.CodeAuth, text: textBadResponse, bad: true}
		case err != nil:
			return s.loginFailed(sasl.Plain, name, err)
		case done:
			return s.login(user, sasl.Plain)
		}
		if response, err = s.ask(challenge); err != nil {
			return err
		}
	}
}

// ask sends a challenge and returns the response, which is not nil (P3-AUTH-05
// to P3-AUTH-07).
func (s *session) ask(challenge []byte) ([]byte, error) {
	if err := s.write(popwire.AppendChallenge(nil, challenge)); err != nil {
		return nil, err
	}
	line, err := s.readLine(func([]byte) int { return saslLine })
	var long *refusal
	if errors.As(err, &long) {
		long.ends = endLong // P3-AUTH-34
	}
	if err != nil {
		return nil, err
	}
	if string(line) == popwire.Cancel {
		s.traceLine(line)
		return nil, &refusal{text: textCancelled}
	}
	s.traceLine([]byte(popwire.Secret))
	response, ok := popwire.DecodeBase64(string(line))
	if !ok {
		return nil, &refusal{text: textBadBase64}
	}
	if response == nil {
		response = []byte{}
	}
	return response, nil
}

// mayActAs lets everybody act as nobody but themselves (P3-PLAIN-03).
func mayActAs(identity, name string) error {
	if identity == "" {
		return nil
	}
	as, err := sasl.PrepareName(identity)
	if err != nil {
		return ErrCredentials
	}
	if own, err := sasl.PrepareName(name); err != nil || own != as {
		return ErrCredentials
	}
	return nil
}
