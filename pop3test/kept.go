package pop3test

import "slices"

// What faults keep: for a session, and from session to session.

// marks are numbers that a fault keeps for a session.
func (s *Session) marks(name string) []int {
	all, _ := s.Values[name].([]int)
	return all
}

func (s *Session) mark(name string, n int) {
	if n > 0 && !slices.Contains(s.marks(name), n) {
		s.Values[name] = append(s.marks(name), n)
	}
}

// messages are what is in the user's maildrop now; message n is the n-th.
func (s *Session) messages() []Message {
	name := s.Name
	if name == "" {
		name = User
	}
	all, err := s.Server.Messages(name)
	if err != nil {
		return nil
	}
	return all
}

// stored returns message n as it was put in, "" if there is none.
func (s *Session) stored(n int) string {
	all := s.messages()
	if n < 1 || n > len(all) {
		return ""
	}
	return all[n-1].Octets
}

// kept returns what a fault keeps from session to session.
func kept[T any](s *Session, key string) T {
	v, _ := s.Server.kept.Load(key)
	t, _ := v.(T)
	return t
}

func keep(s *Session, key string, v any) { s.Server.kept.Store(key, v) }

// deleteAll marks at the real server what a fault has marked for itself.
func (s *Session) deleteAll(name string) {
	for _, n := range s.marks(name) {
		s.Ask("DELE " + itoa(n))
	}
}
