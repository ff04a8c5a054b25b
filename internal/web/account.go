package web

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"

	"postfach/internal/explore"
	"postfach/internal/message"
	"postfach/pop3check"
)

// An account is one that was opened, held or not.
type account struct {
	id    int
	home  string // of the Face
	index int    // in Picker.Accounts; -1: it was typed in, or is Picker.Start
	typed *typed // what the form said, if it was typed in
	about explore.Account
	e     *explore.Explorer

	mu        sync.Mutex // guards what follows
	step      *step
	outcome   *outcome
	diagnosis *pop3check.Diagnosis
	doubt     *doubt // its server could not prove who it is
}

// A step is the last change of marks, which can be undone.
type step struct {
	keys   []explore.Key
	marked bool // they were marked; else unmarked
}

// path returns the address of one of the account's pages.
func (a *account) path(page string) string { return fmt.Sprintf("%s/a/%d/%s", a.home, a.id, page) }

// name is what a person calls it.
func (a *account) name() string { return accountName(a.about) }

func accountName(a explore.Account) string {
	name := a.Name
	if name == "" {
		name = a.User
		if a.Host != "" {
			name += " at " + a.Host
		}
	}
	return message.PrintableLine(name)
}

// lastStep returns what can be undone, or nil.
func (a *account) lastStep() *step {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.step
}

func (a *account) setStep(s *step) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.step = s
}

// account returns an open account by its id, or nil.
func (f *Face) account(id string) *account {
	n, err := strconv.Atoi(id)
	if err != nil {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, a := range f.accounts {
		if a.id == n {
			return a
		}
	}
	return nil
}

// add opens an account, or returns the one that is open: two sessions of one
// maildrop would lock each other out. It takes no maildrop yet.
// t is the form that it was typed into, or nil.
func (f *Face) add(about explore.Account, index int, t *typed) (a *account, fresh bool, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return nil, false, explore.ErrAway
	}
	for _, a := range f.accounts {
		if index >= 0 && a.index == index || (index < 0 || a.index < 0) && same(a.about, about) {
			return a, false, nil
		}
	}
	f.made++
	e := explore.New(about, f.picker.Options)
	a = &account{id: f.made, home: f.home, index: index, typed: t, about: about, e: e}
	f.accounts = append(f.accounts, a)
	return a, true, nil
}

// same reports whether two accounts are one, as far as people can tell.
func same(a, b explore.Account) bool {
	return a.Name == b.Name && a.User == b.User && a.Host == b.Host && a.ReadOnly == b.ReadOnly
}

// remove closes an account.
func (f *Face) remove(a *account) error {
	f.mu.Lock()
	var rest []*account
	for _, other := range f.accounts {
		if other != a {
			rest = append(rest, other)
		}
	}
	f.accounts = rest
	f.mu.Unlock()
	return a.e.Close()
}

// opened returns the open accounts.
func (f *Face) opened() []*account {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]*account(nil), f.accounts...)
}

// start returns Picker.Start, opened, the first time it is asked, else nil.
func (f *Face) start() (*account, error) {
	f.mu.Lock()
	first := !f.started && f.picker.Start != nil
	f.started = true
	f.mu.Unlock()
	if !first {
		return nil, nil
	}
	index := slices.IndexFunc(f.picker.Accounts, func(a explore.Account) bool { return same(a, *f.picker.Start) })
	a, _, err := f.add(*f.picker.Start, index, nil)
	return a, err
}

// connect takes the maildrop. An empty password is the remembered one.
func (v *visit) connect(password string) error {
	ctx, cancel := context.WithTimeout(v.r.Context(), v.face.limits.connect)
	defer cancel()
	err := v.account.e.Connect(ctx, password)
	v.account.doubts(err, password)
	return err
}
