package pop3server

import (
	"context"
	"errors"
	"fmt"
	"time"

	"postfach/internal/popwire"
	"postfach/pop3"
	"postfach/sasl"
)

// passwordWorks reports whether passwords are taken on this connection: USER,
// PASS, AUTH PLAIN and their lines in CAPA depend on it (P3-USR-07).
func (s *session) passwordWorks() bool { return s.srv.Auth != nil && s.secure() }

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
	user, err := s.checkPassword(name, args[0])
	if err != nil {
		return s.loginFailed("PASS", name, err)
	}
	return s.login(user, "PASS")
}

// checkPassword asks the Authenticator, with name and password prepared.
func (s *session) checkPassword(name, password string) (user string, err error) {
	name, err = sasl.PrepareName(name)
	if err != nil {
		return "", ErrCredentials
	}
	password, err = sasl.PreparePassword(password)
	if err != nil {
		return "", ErrCredentials
	}
	ctx, cancel := s.loginContext()
	defer cancel()
	return s.srv.Auth.Authenticate(ctx, name, password)
}

// loginContext ends when the login deadline is over or the server stops.
func (s *session) loginContext() (context.Context, context.CancelFunc) {
	return context.WithDeadline(s.srv.accepting, s.loginBy)
}

// loginFailed logs a failed login at once, lets the guesser wait, and returns
// what the client hears.
func (s *session) loginFailed(how, name string, err error) error {
	if !errors.Is(err, ErrCredentials) && pop3.CodeOf(err) != pop3.CodeAuth {
		return fmt.Errorf("check %s of %q: %w", how, popwire.Shorten([]byte(name)), err)
	}
	s.failures++
	s.log.Warn("login failed", append([]any{"mechanism", how, "name", popwire.Shorten([]byte(name))}, s.tlsValues()...)...)
	wait := time.NewTimer(s.srv.limits.FailureDelay)
	defer wait.Stop()
	select {
	case <-wait.C:
	case <-s.srv.accepting.Done():
	}
	return err
}
