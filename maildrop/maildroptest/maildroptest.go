// Package maildroptest is the suite that every store passes. A store's test
// says how to make one, and Run does the rest:
//
//	func TestStore(t *testing.T) {
//		maildroptest.Run(t, func(t *testing.T) maildroptest.Subject {
//			s := memory.New()
//			s.Create(maildroptest.User)
//			return maildroptest.Subject{Store: s, Deliverer: s}
//		})
//	}
package maildroptest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"postfach/maildrop"
	"postfach/pop3"
)

// The users of a Subject.
const (
	User     = "user"     // has an empty maildrop
	Stranger = "stranger" // has none
)

// A Subject is a fresh store under test. Its locks are waited for only a short
// time, because tests wait for them.
type Subject struct {
	Store     maildrop.Store
	Deliverer maildrop.Deliverer

	// Vanish removes a message of User as another program would, behind the
	// store's back; nil: there is no such way.
	Vanish func(id pop3.UniqueID) error
	// Fill adds messages to User's maildrop that only this store can have, such
	// as those that other programs left; nil: none.
	Fill func() error
	// Faults makes operations below the store fail; nil: cases that need it are
	// left out.
	Faults Faults
	// Crash is a power failure: what the store did not make durable may be
	// lost, as the seed decides. It returns the store of the process that
	// comes after. nil: cases that need it are left out.
	Crash func(seed uint64) Subject
	// Clone copies what is below the store, as it is in this moment, with all
	// that is not durable yet, and returns a power failure of the copy: the
	// store of the process that comes after. Each call of it begins with the
	// same copy. nil: cases that need it are left out.
	Clone func() (crash func(seed uint64) Subject)
	// Watch has before called ahead of each operation below the store, with a
	// word for it; nil ends that.
	Watch func(before func(op string))
	// Disturb lets another program work on User's maildrop, durably. It returns
	// the messages that it added, of which no two are the same. inSession: one is
	// open, and must be able to end with a removal. nil: no other program can.
	Disturb func(dice *rand.Rand, inSession bool) (added []string, err error)
}

// Faults is how a test makes what is below a store fail. *vfs.Fail is one.
type Faults interface {
	// Arm makes the n-th operation from now on fail, once, or with dead all
	// later ones too. With n = 0 none does.
	Arm(n int, dead bool)
	// Fired reports whether an operation has failed since Arm.
	Fired() bool
}

// A Case is one rule. Check returns an error where a store breaks it, so that a
// test can also show that a broken store is noticed. fresh makes a new Subject
// each time.
type Case struct {
	Name  string
	Check func(fresh func() Subject) error
	// Needs reports whether the Subject has what the case needs; nil: it does.
	Needs func(Subject) bool
}

// Cases returns all cases.
func Cases() []Case {
	return slices.Concat(contract(), faults(), crashes(), clones())
}

// Run checks all cases that the Subject has the means for, each as a subtest.
func Run(t *testing.T, fresh func(t *testing.T) Subject) {
	has := fresh(t)
	for _, c := range Cases() {
		if c.Needs != nil && !c.Needs(has) {
			continue
		}
		t.Run(c.Name, func(t *testing.T) {
			if err := c.Check(func() Subject { return fresh(t) }); err != nil {
				t.Error(err)
			}
		})
	}
}

// all returns the first error of several checks of one rule.
func all(checks ...error) error {
	for _, err := range checks {
		if err != nil {
			return err
		}
	}
	return nil
}

// within says where an error happened.
func within(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", fmt.Sprintf(format, args...), err)
}
