package pop3server

import (
	"context"
	"errors"

	"postfach/internal/popwire"
	"postfach/pop3"
	"postfach/sasl"
)

// maxSteps bounds the responses of one exchange. SCRAM has most: an initial
// one that is missing, two messages, and an empty one at the end.
const maxSteps = 6

// auth is AUTH (RFC 5034 section 4): an exchange of challenges and responses,
// in which no line is a command (P3-AUTH-31). What has failed leaves nothing
// behind (P3-AUTH-19), and another exchange may follow; one with channel
// binding, too: each has nonces of its own, and the first that succeeds is the
// last (P3-SCRAM-16).
func (s *session) auth(_ context.Context, args []string) error {
	m, err := s.mechanism(args[0])
	if err != nil {
		return err
	}
	response, err := initialResponse(args[1:])
	if err != nil {
		return err
	}
	return s.converse(&m, response)
}

// converse plays one exchange. response is the initial one.
func (s *session) converse(m *mechanism, response []byte) error {
	x := new(exchange)
	err := s.exchange(m, x, response)
	if x.err == nil && x.who.User != "" && !x.done { // promise 14
		s.noLogin(x.who, m.name, errLeft)
	}
	return err
}

// errLeft says why somebody is not logged in who may be. A client of SCRAM knows
// whether a password is right before it has to log in with it.
var errLeft = errors.New("the client broke off when it had proved who it is")

func (s *session) exchange(m *mechanism, x *exchange, response []byte) error {
	server := m.begin(s, x)
	for range maxSteps {
		challenge, done, err := server.Next(response)
		switch {
		case err != nil:
			return s.authFailed(m.name, x, err)
		case done:
			x.done = true
			who, err := x.admitted()
			if err != nil {
				return s.loginFailed(m.name, x.name, err)
			}
			return s.login(who, m.name)
		case x.err != nil:
			return s.explain(m.name, x, challenge)
		}
		if response, err = s.ask(challenge); err != nil {
			return err
		}
	}
	return &refusal{code: pop3.CodeAuth, text: textBadResponse, bad: true}
}

// initialResponse is what stands behind the mechanism, nil if nothing does. A
// mechanism in which the server is first refuses what is not nil (P3-AUTH-13).
func initialResponse(args []string) ([]byte, error) {
	if len(args) == 0 {
		return nil, nil
	}
	response, ok := popwire.DecodeInitial(args[0])
	if !ok {
		return nil, &refusal{text: textBadBase64, bad: true} // P3-AUTH-14
	}
	return response, nil
}

// authFailed ends an exchange that the mechanism has ended.
func (s *session) authFailed(mechanism string, x *exchange, err error) error {
	err = x.meaning(err)
	var malformed *refusal
	if errors.As(err, &malformed) {
		return err
	}
	if errors.Is(err, sasl.ErrBinding) { // P3-SCRAM-12
		s.log().Warn("channel binding does not fit: perhaps somebody is in between", "mechanism", mechanism)
	}
	return s.loginFailed(mechanism, x.name, err)
}

// explain tells a client what is wrong with its token before it is refused
// (P3-OAUTH-05). The try has failed and been counted before: whatever the client
// answers, and if it hangs up instead, that changes nothing.
func (s *session) explain(mechanism string, x *exchange, challenge []byte) error {
	failed := s.loginFailed(mechanism, x.name, x.err)
	if endsSession(failed) {
		return failed
	}
	if _, err := s.ask(challenge); endsSession(err) {
		return err
	}
	return failed
}

// endsSession reports whether there is nobody left to answer.
func endsSession(err error) bool {
	var over *endError
	var last *refusal
	return errors.As(err, &over) || errors.As(err, &last) && last.ends != ""
}

// ask sends a challenge and returns the response, which is not nil (P3-AUTH-05
// to P3-AUTH-07).
func (s *session) ask(challenge []byte) ([]byte, error) {
	if err := s.challenge(challenge); err != nil {
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
		return nil, &refusal{text: textCancelled, bad: true}
	}
	s.traceLine([]byte(popwire.Secret))
	response, ok := popwire.DecodeBase64(string(line))
	if !ok {
		return nil, &refusal{text: textBadBase64, bad: true} // P3-AUTH-14
	}
	if response == nil {
		response = []byte{}
	}
	return response, nil
}
