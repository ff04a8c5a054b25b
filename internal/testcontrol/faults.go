package testcontrol

import (
	"fmt"
	"net/http"
	"strings"

	"postfach/pop3test"
)

// Wanted is what a server is to do wrong.
type Wanted struct {
	// Personalities are names: of personalities, or of single faults.
	Personalities []string `json:"personalities"`
	// Break are requirements (P3-TOP-04), or names of faults.
	Break []string `json:"break"`
	// Rules are faults that have no name.
	Rules []pop3test.Rule `json:"rules"`
}

// Faults finds them.
func (w Wanted) Faults() ([]pop3test.Fault, error) {
	var all []pop3test.Fault
	for _, name := range w.Personalities {
		faults, ok := pop3test.Named(name)
		if !ok {
			return nil, fmt.Errorf("there is no personality %q", name)
		}
		all = append(all, faults...)
	}
	for _, name := range w.Break {
		if fault, ok := pop3test.Breaking(strings.ToUpper(name)); ok {
			all = append(all, fault)
			continue
		}
		faults, ok := pop3test.Named(name)
		if !ok {
			return nil, fmt.Errorf("no fault has the name %q or breaks such a rule", name)
		}
		all = append(all, faults...)
	}
	for _, rule := range w.Rules {
		fault, err := rule.Fault()
		if err != nil {
			return nil, fmt.Errorf("rule %s: %w", rule, err)
		}
		all = append(all, fault)
	}
	return all, nil
}

func (c *Control) putFaults(w http.ResponseWriter, r *http.Request) error {
	var wanted Wanted
	if err := read(w, r, &wanted); err != nil {
		return err
	}
	faults, err := wanted.Faults()
	if err != nil {
		return problem{err, http.StatusBadRequest}
	}
	c.Server.UseOnly(faults...)
	answer(w, http.StatusOK, map[string]any{"using": c.using()})
	return nil
}

func (c *Control) listFaults(w http.ResponseWriter, _ *http.Request) error {
	answer(w, http.StatusOK, struct {
		Using []string `json:"using"`
		Known
	}{c.using(), AllKnown()})
	return nil
}

func (c *Control) using() []string {
	names := []string{}
	for _, f := range c.Server.Using() {
		names = append(names, f.Name)
	}
	return names
}

// Known is all that has a name.
type Known struct {
	Personalities []Entry `json:"personalities"`
	Faults        []Entry `json:"faults"`
}

// An Entry is one of them.
type Entry struct {
	Name  string   `json:"name"`
	Doc   string   `json:"doc"`
	Rules []string `json:"rules,omitempty"` // that it breaks
}

// AllKnown lists what has a name: personalities, and faults, of which those
// that break single rules come last.
func AllKnown() Known {
	var k Known
	for _, p := range pop3test.Personalities() {
		k.Personalities = append(k.Personalities, Entry{p.Name, p.Doc, nil})
	}
	for _, list := range [][]pop3test.Fault{pop3test.General(), pop3test.Faults()} {
		for _, f := range list {
			k.Faults = append(k.Faults, Entry{f.Name, f.Doc, f.Rules})
		}
	}
	return k
}
