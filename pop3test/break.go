package pop3test

import (
	"fmt"
	"slices"
)

// Use makes the server do these faults, beside those that it does already, on
// connections that begin from now on.
func (s *Server) Use(faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(slices.Clone(s.faults), faults...)
}

// Break makes the server break these rules of the requirements catalogue.
func (s *Server) Break(ids ...string) error {
	for _, id := range ids {
		f, ok := Breaking(id)
		if !ok {
			return fmt.Errorf("no fault breaks %s", id)
		}
		s.Use(f)
	}
	return nil
}

// Behave takes all faults away.
func (s *Server) Behave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
	s.kept.Clear()
}

// Breaking returns a fault that breaks a rule: of several the plainest, which
// is listed first.
func Breaking(id string) (Fault, bool) {
	for _, f := range Faults() {
		if slices.Contains(f.Rules, id) {
			return f, true
		}
	}
	return Fault{}, false
}

// Faults returns the faults that break rules, at least one for each that a checker
// can see broken.
func Faults() []Fault {
	return slices.Concat(
		syntaxFaults(),
		greetingFaults(),
		statesFaults(),
		lockFaults(),
		messageFaults(),
		multilineFaults(),
		statFaults(),
		listFaults(),
		retrFaults(),
		deleFaults(),
		noopFaults(),
		rsetFaults(),
		topFaults(),
		uidlFaults(),
		lastFaults(),
		quitFaults(),
		userFaults(),
		apopFaults(),
		authFaults(),
		plainFaults(),
		externalFaults(),
		cramFaults(),
		scramFaults(),
		oauthFaults(),
		capaFaults(),
		pipeliningFaults(),
		codesFaults(),
		stlsFaults(),
		utf8Faults(),
		langFaults(),
	)
}
