package pop3check

import (
	_ "embed"
	"strings"
)

// A Requirement is one rule of the requirements catalogue. Ids are never
// renumbered.
type Requirement struct {
	ID     string // P3-TOP-04
	Level  string // MUST, SHOULD, MAY, PRACTICE; MUST/SHOULD where a rule has both
	Role   string // server, client, both, op; more in brackets
	Source string // RFC and section; a dash for PRACTICE that no RFC names
	Rule   string // the rule in our words
	Test   string // how it can be seen from outside
}

// Area returns the part of the id that rules of one subject share: P3-TOP.
func (r Requirement) Area() string {
	if i := strings.LastIndexByte(r.ID, '-'); i > 0 {
		return r.ID[:i]
	}
	return r.ID
}

// Binding reports whether a server that breaks the rule has a defect: MUST and
// SHOULD, not MAY, and not PRACTICE, which no RFC asks for.
func (r Requirement) Binding() bool {
	return strings.Contains(r.Level, "MUST") || strings.Contains(r.Level, "SHOULD")
}

//go:embed requirements.tsv
var catalogue string

// Requirements returns the catalogue, for servers, clients and operators, in
// its order.
func Requirements() []Requirement {
	var all []Requirement
	for i, line := range strings.Split(strings.TrimSpace(catalogue), "\n") {
		f := strings.Split(line, "\t")
		if i == 0 || len(f) != 5 {
			continue // the column names; a test finds other lines
		}
		rule, test, found := strings.Cut(f[4], " Test: ")
		if !found {
			rule, test, _ = strings.Cut(f[4], " Test (client): ")
		}
		all = append(all, Requirement{
			// The dagger marks rules that their source states as plain fact:
			// as binding as the others.
			ID: f[0], Level: strings.ReplaceAll(f[1], "†", ""), Role: f[2], Source: f[3],
			Rule: rule, Test: test,
		})
	}
	return all
}
