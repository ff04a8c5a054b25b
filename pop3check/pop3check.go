// Package pop3check judges POP3 servers (Target.Run), clients (JudgeClient, by
// what a test server recorded), and single connections (Diagnose). Each check is
// one rule of the requirements catalogue, made executable, under the rule's id
// (P3-TOP-04). It says what was sent, what was wanted and what came. The package
// prints nothing.
//
// A check of a server speaks for itself: it sends octets that are written out in its code,
// and reads what comes without the parser that Postfach's server and client
// share, so that an error of theirs is not the checker's, too.
//
// Nothing is removed from a maildrop, and no session in which a message was
// read ends with QUIT, unless Target.Destructive says that the maildrop was
// made for this.
package pop3check

import (
	"context"
	"iter"
	"strings"
)

// A Check is one rule that a server shows on the wire.
type Check struct {
	Requirement
	Needs Needs

	beginning bool // it is about how connections begin
	run       func(*probe)
}

// Needs say what a check cannot do without. One that is missing skips it.
type Needs uint8

// What a check may need.
const (
	Login       Needs = 1 << iota // an account: Target.User
	Mail                          // messages of its own making: Target.Deliver, unless they are there from an earlier run
	Destructive                   // leave to remove messages: Target.Destructive
	Clear                         // a connection that has no TLS yet: not ImplicitTLS
	STLS                          // Clear, and a server that announces STLS
	Slow                          // minutes: Target.Slow

	// beginning stands in rows only, and is no need: the check is about how
	// connections begin, and is made where they do not get as far as other
	// checks need.
	beginning
)

// Has reports whether all of m are among n.
func (n Needs) Has(m Needs) bool { return n&m == m }

// String lists what is needed, "" for nothing.
func (n Needs) String() string {
	var all []string
	for i, name := range []string{"login", "mail", "destructive", "clear", "stls", "slow"} {
		if n&(1<<i) != 0 {
			all = append(all, name)
		}
	}
	return strings.Join(all, " ")
}

// A row is a check as the files of the areas write it.
type row struct {
	id    string
	needs Needs
	run   func(*probe)
}

// Checks returns all checks, in the catalogue's order.
func Checks() []Check {
	rows := make(map[string]row)
	for _, area := range areas() {
		for _, r := range area {
			rows[r.id] = r
		}
	}
	var all []Check
	for _, req := range Requirements() {
		if r, ok := rows[req.ID]; ok {
			all = append(all, Check{Requirement: req, Needs: r.needs &^ beginning, beginning: r.needs.Has(beginning), run: r.run})
		}
	}
	return all
}

// Select returns the checks that ids name: an id (P3-TOP-04) or an area
// (P3-TOP). Case does not matter. No ids select all. unknown has those that
// name nothing.
func Select(ids ...string) (checks []Check, unknown []string) {
	all := Checks()
	if len(ids) == 0 {
		return all, nil
	}
	wanted := make(map[string]bool)
	for _, id := range ids {
		found := false
		for _, c := range all {
			if strings.EqualFold(c.ID, id) || strings.EqualFold(c.Area(), id) {
				wanted[c.ID], found = true, true
			}
		}
		if !found {
			unknown = append(unknown, id)
		}
	}
	for _, c := range all {
		if wanted[c.ID] {
			checks = append(checks, c)
		}
	}
	return checks, unknown
}

// Run makes the checks, one after the other, and yields each result. When ctx
// is done it yields no more. The error of a target that cannot be reached, or
// does not let the account in, is found by Reach.
func (t *Target) Run(ctx context.Context, checks []Check) iter.Seq[Result] {
	return func(yield func(Result) bool) {
		b := newBench(t)
		for _, c := range checks {
			r := b.check(ctx, c)
			if ctx.Err() != nil || !yield(r) {
				return
			}
		}
	}
}
