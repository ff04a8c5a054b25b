package pop3test

import (
	"fmt"
	"slices"
)

// A Personality is a server as there are some: right in its own way, or wrong
// in a way that clients have to live with.
type Personality struct {
	Name, Doc string
	Faults    []Fault
}

// Be makes the server be like a personality, or do a fault, by name. It comes
// on top of what the server does already.
func (s *Server) Be(names ...string) error {
	var all []Fault
	for _, name := range names {
		faults, ok := Named(name)
		if !ok {
			return fmt.Errorf("no personality and no fault has the name %q", name)
		}
		all = append(all, faults...)
	}
	s.Use(all...)
	return nil
}

// UseOnly makes the server do these faults and no others, on connections that
// begin from now on.
func (s *Server) UseOnly(faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = slices.Clone(faults)
}

// Using returns the faults that connections from now on meet.
func (s *Server) Using() []Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.faults)
}

// Named returns the faults of that name: a personality's, or a single one of
// General or Faults.
func Named(name string) ([]Fault, bool) {
	for _, p := range Personalities() {
		if p.Name == name {
			return p.Faults, true
		}
	}
	for _, f := range slices.Concat(General(), Faults()) {
		if f.Name == name {
			return []Fault{f}, true
		}
	}
	return nil, false
}

// Personalities returns all of them.
func Personalities() []Personality {
	return slices.Concat(
		poorPersonalities(),
		listingPersonalities(),
		messagePersonalities(),
		loginPersonalities(),
		wirePersonalities(),
	)
}

// one is a personality that is a single fault.
func one(name, doc string, fault Fault) Personality {
	fault.Name, fault.Doc = name, doc
	return Personality{name, doc, []Fault{fault}}
}
