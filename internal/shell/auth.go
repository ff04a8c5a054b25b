package shell

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"postfach/internal/explain"
	"postfach/internal/popwire"
	"postfach/pop3"
	"postfach/sasl"
)

// auth sends AUTH. With the name of a mechanism alone, the mechanism is run;
// anything else is left to the person.
func (s *session) auth(ctx context.Context, line string, fields []string) error {
	mechanism := ""
	if len(fields) > 1 {
		mechanism = fields[1]
	}
	if err := s.mayAuth(mechanism); err != nil {
		return err
	}
	s.token = sasl.TakesToken(mechanism)
	if len(fields) != 2 {
		if len(fields) > 2 {
			s.secrets.keepResponse(fields[2])
		}
		return s.command(ctx, line)
	}
	name := strings.ToUpper(fields[1])
	if s.interactive && strings.HasSuffix(line, " ") {
		initial, err := s.initial(ctx)
		if err != nil {
			return err
		}
		if initial != "" {
			return s.auth(ctx, line+initial, append(fields, initial))
		}
	}
	if _, known := s.mechanism(name, "", ""); !known {
		return s.command(ctx, line)
	}
	user, secret := s.user, ""
	if name != sasl.External { // the certificate says it all
		var err error
		if user, secret, err = s.account(ctx, name); err != nil {
			return err
		}
	}
	s.secrets.keep(secret)
	m, _ := s.mechanism(name, user, secret)
	return s.run(ctx, m)
}

// initial gets the first response from a person who brings one along. Empty: the
// shell is to make it.
func (s *session) initial(ctx context.Context) (string, error) {
	words := s.screen.words()
	initial, err := s.read(ctx, prompt{text: words.initial, hidden: true})
	switch {
	case isCancel(err):
		return "", &refusal{words.cancelled}
	case err != nil:
		return "", err
	}
	return initial, s.sendable(initial)
}

// account gets what a mechanism needs.
func (s *session) account(ctx context.Context, mechanism string) (user, secret string, err error) {
	words := s.screen.words()
	if user = s.user; s.interactive {
		text := words.userName
		if user != "" {
			text = fmt.Sprintf(words.userNameOr, visible(user))
		}
		typed, err := s.read(ctx, prompt{text: text, question: true})
		switch {
		case isCancel(err):
			return "", "", &refusal{words.cancelled}
		case err != nil:
			return "", "", err
		}
		if typed = strings.TrimSpace(typed); typed != "" {
			user = typed
		}
	}
	if user == "" {
		return "", "", &refusal{words.noUser}
	}
	if err := s.sendable(user); err != nil {
		return "", "", err
	}
	s.user = user
	question := words.passwordOf
	if sasl.TakesToken(mechanism) {
		question = words.tokenOf
	}
	secret, err = s.secret(ctx, fmt.Sprintf(question, visible(user)))
	return user, secret, err
}

// run leads one exchange (RFC 5034). The first response goes with AUTH where
// the server has announced SASL and the line stays short (P3-AUTH-11).
func (s *session) run(ctx context.Context, m sasl.Client) error {
	name, initial, err := m.Start()
	if err != nil {
		return &refusal{err.Error()}
	}
	s.secrets.keep(string(initial))
	line, waiting := "AUTH "+name, initial != nil
	if waiting && s.caps.Has(pop3.CapSASL) && sasl.InitialWithAUTH(name) {
		if full := line + " " + popwire.EncodeInitial(initial); len(full) <= popwire.MaxCommand-2 {
			line, waiting = full, false
		}
	}
	if err := s.send([]byte(line), string(popwire.Redact([]byte(line)))); err != nil {
		return err
	}
	const most = 16 // no mechanism needs more than three
	for range most {
		challenge, done, err := s.challenge(ctx)
		if err != nil || done {
			return errors.Join(err, s.judge(m))
		}
		response := initial
		if !waiting {
			response, err = m.Next(challenge)
		}
		waiting = false
		if err != nil {
			s.screen.say(fmt.Sprintf(s.screen.words().mechanism, err), warning)
			return s.cancel(ctx)
		}
		s.secrets.keep(string(response))
		if err := s.send(popwire.TrimLine(popwire.AppendResponse(nil, response)), popwire.Secret); err != nil {
			return err
		}
	}
	return s.hangup(fmt.Errorf("%w: the challenges have no end", ErrLost))
}

// challenge hears what the server says next. done: it was the reply to AUTH.
func (s *session) challenge(ctx context.Context) (challenge []byte, done bool, err error) {
	line, err := s.hearLine(ctx)
	if err != nil {
		return nil, false, err
	}
	note := s.showServer(line)
	s.refused = note.Refused
	challenge, isChallenge, ok := popwire.ParseChallenge([]byte(line), popwire.Lenient) // AMB-12
	switch {
	case !isChallenge:
		if s.refused && s.o.Strict && !s.interactive {
			return nil, true, s.hangup(ErrRefused)
		}
		return nil, true, nil
	case !ok:
		return nil, false, s.hangup(fmt.Errorf("%w: a challenge that is no base64", ErrLost))
	}
	return challenge, false, nil
}

// judge says so when +OK came from a server that has not proved that it knows
// the password (P3-SCRAM-05): it is not the one that it says it is.
func (s *session) judge(m sasl.Client) error {
	p, ok := m.(interface{ Finished() bool })
	if s.refused || !ok || p.Finished() {
		return nil
	}
	s.screen.say(s.screen.words().unproved, warning)
	return s.hangup(fmt.Errorf("%w: the server has not proved that it knows the password", ErrLost))
}

// cancel ends an exchange. The server answers -ERR; one that asks on would have
// the next command for a response.
func (s *session) cancel(ctx context.Context) error {
	if err := s.respond(ctx, []byte(popwire.Cancel), popwire.Cancel); err != nil {
		return err
	}
	if s.talk.expect() == explain.Response {
		return s.hangup(fmt.Errorf("%w: the server does not let the login be cancelled", ErrLost))
	}
	return nil
}

// respond sends a line of an exchange, and hears what it leads to.
func (s *session) respond(ctx context.Context, line []byte, shown string) error {
	if err := s.send(line, shown); err != nil {
		return err
	}
	return s.hear(ctx)
}

// respondByHand takes a response from the person: base64, which hides nothing,
// so that it is not shown.
func (s *session) respondByHand(ctx context.Context) error {
	line, err := s.read(ctx, prompt{text: s.screen.words().response, hidden: true, response: true})
	switch {
	case isCancel(err):
		line = popwire.Cancel
	case err != nil:
		return err
	}
	if err := s.sendable(line); err != nil {
		s.screen.say(err.Error(), warning)
		line = popwire.Cancel
	}
	if line == popwire.Cancel {
		return s.cancel(ctx)
	}
	s.secrets.keepResponse(line)
	return s.respond(ctx, []byte(line), popwire.Secret)
}
