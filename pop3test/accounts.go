package pop3test

import (
	"context"
	"time"

	"postfach/pop3server"
)

// lockWait is short: a test that meets a locked maildrop wants to know.
const lockWait = 200 * time.Millisecond

func innerLimits() pop3server.Limits {
	return pop3server.Limits{FailureDelay: time.Nanosecond, FailedLogins: 100, Login: 10 * time.Minute}
}

// A user is one account.
type user struct{ password, secret string }

// AddUser makes an account with an empty maildrop, or gives one that exists
// another password.
func (s *Server) AddUser(name, password string) {
	s.store.now().Create(name)
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.users[name]
	if u == nil {
		u = new(user)
		s.users[name] = u
	}
	u.password = password
}

// AllowAPOP lets an account use APOP with this secret. From then on greetings
// have a timestamp.
func (s *Server) AllowAPOP(name, secret string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if u := s.users[name]; u != nil {
		u.secret = secret
	}
}

// accounts is the server's list of accounts, as the real server sees it.
type accounts struct{ s *Server }

func (a accounts) find(name string) user {
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	if u := a.s.users[name]; u != nil {
		return *u
	}
	return user{}
}

// Authenticate implements pop3server.Authenticator.
func (a accounts) Authenticate(_ context.Context, _ *pop3server.Peer, name, password string) (pop3server.Identity, error) {
	if u := a.find(name); u.password == "" || u.password != password {
		return pop3server.Identity{}, pop3server.ErrCredentials
	}
	return pop3server.Identity{User: name}, nil
}

// Available implements pop3server.SecretSource.
func (a accounts) Available() bool {
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	for _, u := range a.s.users {
		if u.secret != "" {
			return true
		}
	}
	return false
}

// Secret implements pop3server.SecretSource.
func (a accounts) Secret(_ context.Context, _ *pop3server.Peer, name string) (who pop3server.Identity, secret string, err error) {
	u := a.find(name)
	if u.secret == "" {
		return pop3server.Identity{}, "", pop3server.ErrCredentials
	}
	return pop3server.Identity{User: name}, u.secret, nil
}
