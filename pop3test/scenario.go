package pop3test

import (
	"fmt"
	"slices"

	"postfach/pop3check"
)

// A Scenario is what the server does to see what a client makes of it.
type Scenario struct {
	Name, Doc string
	// Security is how the client must be set: "clear", "stls" or "tls". "" is as
	// it likes.
	Security string
	// Auth are ways to log in: the client must be set to use one of them, if it
	// knows one. nil is as it likes.
	Auth []string
	// User and Password are the client's account.
	User, Password string
	// APOP: the password is the account's APOP secret, too.
	APOP bool
	// Mail is what the maildrop has, and Messages is what a client has when it
	// has got all of it: nil if that is the same.
	Mail, Messages []string
	Faults         []Fault
}

// The account of scenarios, unless one needs another.
const (
	scenarioUser     = "user"
	scenarioPassword = "open sesame 4711" // long enough to be searched for, with spaces
)

// Scenarios returns all of them. They are independent of each other.
func Scenarios() []Scenario {
	all := slices.Concat(
		plainScenarios(), replyScenarios(), messageScenarios(), listingScenarios(),
		refusalScenarios(), tlsScenarios(), loginScenarios(), saslScenarios(),
	)
	for i := range all {
		s := &all[i]
		if s.User == "" {
			s.User = scenarioUser
		}
		if s.Password == "" {
			s.Password = scenarioPassword
		}
		if s.Mail == nil {
			s.Mail = letters()
		}
		if s.Messages == nil {
			s.Messages = s.Mail
		}
	}
	return all
}

// ScenarioNamed returns the scenario of that name.
func ScenarioNamed(name string) (Scenario, bool) {
	all := Scenarios()
	i := slices.IndexFunc(all, func(s Scenario) bool { return s.Name == name })
	if i < 0 {
		return Scenario{}, false
	}
	return all[i], true
}

// Rules are the requirements that a client is judged by in this scenario and
// not in every other, too.
func (sc Scenario) Rules() []string {
	var ids []string
	for _, c := range pop3check.ClientChecks() {
		if slices.Contains(c.Scenarios, sc.Name) {
			ids = append(ids, c.ID)
		}
	}
	return ids
}

// Play resets the server and makes it do a scenario.
func (s *Server) Play(sc Scenario) error {
	s.Reset()
	s.AddUser(sc.User, sc.Password)
	if sc.APOP {
		s.AllowAPOP(sc.User, sc.Password)
	}
	for _, m := range sc.Mail {
		if _, err := s.Put(sc.User, m); err != nil {
			return fmt.Errorf("scenario %s: %w", sc.Name, err)
		}
	}
	s.UseOnly(sc.Faults...)
	return nil
}

// letter is a message.
func letter(name, body string) string {
	return "From: Ada <ada@example.org>\r\nTo: user@localhost\r\nSubject: " + name +
		"\r\nDate: Mon, 02 Nov 2026 10:00:00 +0000\r\nMessage-ID: <" + name + "@scenario.example>\r\n\r\n" + body
}

func letters() []string {
	return []string{
		letter("one", "the first letter\r\n"),
		letter("two", "the second letter\r\nhas two lines\r\n"),
		letter("three", "the third letter\r\n"),
	}
}
