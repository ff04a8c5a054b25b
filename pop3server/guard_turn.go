package pop3server

import (
	"context"
	"errors"
	"slices"
	"time"

	"postfach/pop3"
)

// attempt runs check, which decides whether somebody may log in, when it is this
// try's turn: before any work is done for it, and counted before its result is
// known. Every mechanism puts the step that decides into it.
//
// name is whom the client wants to be, prepared. secret is what it offered, if a
// second try of the same is a mistake and not another guess: a password, a
// token, but no digest, of which no two are the same. It may be empty.
//
// check returns ErrCredentials for a refusal. The context ends with the login
// deadline, the server, or the connection. The error is check's, or ends the
// session because its turn did not come.
func (s *session) attempt(name, secret string, check func(ctx context.Context) (Identity, error)) (who Identity, err error) {
	s.r.Forget() // others may have to wait long with theirs
	ctx := s.loginContext()
	s.tellWait(name)
	begun := time.Now()
	t, err := s.srv.guard.try(ctx, &s.srv.limits, s.network, name)
	s.turn = time.Since(begun).Round(time.Millisecond)
	s.waited += s.turn
	if s.turn > 0 {
		s.tellWait(name) // others may have failed meanwhile
	}
	if err != nil {
		return Identity{}, s.noTurn(name)
	}
	result := undecided // a panic, for instance
	defer func() { t.done(result, secret) }()
	who, err = check(ctx)
	switch {
	case err == nil:
		result = succeeded
	case isRefused(err):
		result = failed
	}
	return who, err
}

// isRefused reports whether an error says that somebody is not who they say.
func isRefused(err error) bool {
	return errors.Is(err, ErrCredentials) || pop3.CodeOf(err) == pop3.CodeAuth
}

// loginContext ends when the login deadline is over, the server stops, or the
// connection is evicted.
func (s *session) loginContext() context.Context {
	return s.present
}

// whyOver ends a session whose loginContext has ended.
func (s *session) whyOver() error {
	switch {
	case s.srv.guard.evictedFor(s.place) != "":
		return errEvicted
	case s.srv.draining():
		return &endError{endShutdown, nil}
	}
	return &endError{endLogin, nil}
}

// noTurn ends a session whose try did not get its turn. That others have failed is
// worth a word: whoever waited has done nothing wrong.
func (s *session) noTurn(name string) error {
	end := s.whyOver()
	var over *endError
	if errors.As(end, &over) && over.reason == endLogin && s.srv.guard.slow(&s.srv.limits, s.network, name).failures > 0 {
		return &endError{endBehind, nil}
	}
	return end
}

// tellWait logs once a minute for an address that logins from there wait.
func (s *session) tellWait(name string) {
	slow := s.srv.guard.slow(&s.srv.limits, s.network, name)
	if slow.waits && s.srv.guard.tellSlow(s.network) {
		s.log().Warn("logins from this address wait", "network", s.network, "failures", slow.failures, "pause", slow.pause)
	}
}

// loginFailed logs a failed login at once, lets the guesser wait, and returns
// what the client hears.
func (s *session) loginFailed(how, name string, err error) error {
	if !isRefused(err) {
		return &accountsError{how, name, err}
	}
	s.failures++
	s.srv.guard.count(&s.srv.guard.stats.FailedLogins)
	s.log().Warn("login failed", slices.Concat([]any{"mechanism", how, "name", loggable(name)}, s.tlsValues(), s.certificateValues(how), waitedValues(s.turn))...)
	ctx := s.loginContext()
	wait := time.NewTimer(s.srv.limits.FailureDelay)
	defer wait.Stop()
	select {
	case <-wait.C:
		return err
	case <-ctx.Done():
	}
	if s.srv.draining() {
		return err // it may still hear this
	}
	return s.whyOver()
}
