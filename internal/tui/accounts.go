package tui

import (
	"context"
	"errors"
	"slices"

	tea "charm.land/bubbletea/v2"

	"postfach/internal/explore"
	"postfach/pop3"
)

// newAccounts is the first screen: whose mailbox is it?
func newAccounts(a *app) *menu {
	m := &menu{name: "accounts", above: []shown{"Whose mailbox do you want to look into? Nothing is deleted by looking."}}
	accounts := a.picker.Accounts
	if s := a.picker.Start; s != nil && !slices.ContainsFunc(accounts, func(known explore.Account) bool { return known.Name == s.Name }) {
		accounts = append([]explore.Account{*s}, accounts...)
	}
	for _, account := range accounts {
		m.items = append(m.items, item{line(account.Name), line(where(account)), func(a *app) tea.Cmd {
			a.typed = ""
			return a.choose(account)
		}})
	}
	if a.picker.Parse != nil {
		m.items = append(m.items, item{"other…", "type in an address", (*app).typeAccount})
	}
	if len(m.items) == 0 {
		m.above = []shown{"There is no account to open."}
		m.items = []item{{"leave", "", func(*app) tea.Cmd { return tea.Quit }}}
	}
	m.back, m.leave = (*app).leave, "leave"
	return m
}

func where(account explore.Account) string {
	if account.User == "" || account.NoPassword {
		return account.Host
	}
	return account.User + " at " + account.Host
}

// typeAccount asks for an account that is in no file. What was typed in before is
// still there: an address that cannot be opened is mostly one that is almost right.
func (a *app) typeAccount() tea.Cmd {
	p := &prompt{label: "account (you@example.org, pop3s://you@host):", input: newInput(a.typed)}
	p.enter = func(a *app, typed string) tea.Cmd {
		a.typed = typed
		account, err := a.picker.Parse(typed)
		if err != nil {
			p.again(a, err)
			return nil
		}
		return a.choose(account)
	}
	a.prompt = p
	return nil
}

// choose opens an account; another one that is open is closed first.
func (a *app) choose(account explore.Account) tea.Cmd {
	if a.e != nil {
		return a.start("closing "+line(a.account.Name), func(context.Context, *job) then {
			a.e.Close()
			return func(a *app) tea.Cmd {
				a.forget()
				return a.choose(account)
			}
		})
	}
	a.account = account
	a.e = explore.New(account, a.picker.Options)
	return tea.Batch(a.watch(), a.enter(nil))
}

// forget leaves the account, which is closed.
func (a *app) forget() {
	a.popTo(a.screens[0])
	a.e, a.list, a.status, a.protocol, a.prompt = nil, nil, explore.Status{}, protocol{shows: a.protocol.shows}, nil
}

// enter connects, and asks for the password where only a person knows it. problem
// is why the last one did not do.
func (a *app) enter(problem error) tea.Cmd {
	mustAsk := a.account.Password == nil && !a.account.NoPassword
	if !mustAsk && problem == nil {
		return a.connect("")
	}
	a.prompt = &prompt{
		label: "password for " + line(where(a.account)) + ":",
		input: input{secret: true},
		err:   problem,
		enter: func(a *app, typed string) tea.Cmd { return a.connect(typed) },
		escape: func(a *app) tea.Cmd {
			if a.list != nil {
				return nil
			}
			return a.closeAccount()
		},
	}
	return nil
}

// connect takes the maildrop, or lists it anew.
func (a *app) connect(password string) tea.Cmd {
	e := a.e
	return a.start("connecting to "+line(a.account.Host), func(ctx context.Context, _ *job) then {
		err := e.Connect(ctx, password)
		return func(a *app) tea.Cmd { return a.connected(err, password) }
	})
}

func (a *app) connected(err error, password string) tea.Cmd {
	var stranger *explore.UntrustedError
	switch {
	case err == nil:
		a.typed = ""
		if a.list == nil {
			a.list = newList()
			a.push(a.list)
		}
		return nil
	case errors.As(err, &stranger) && a.account.Trust != nil:
		return a.askTrust(stranger, password)
	case wantsPassword(err) && !a.account.NoPassword:
		return a.enter(err)
	}
	a.fail(stopped(err))
	if a.list == nil {
		return a.closeAccount()
	}
	return nil
}

// wantsPassword: another password may help, a pause or another program's end
// will not.
func wantsPassword(err error) bool {
	if errors.Is(err, explore.ErrPassword) {
		return true
	}
	var refused *pop3.Error
	return errors.As(err, &refused) && (refused.Code == "" || refused.Code.Is(pop3.CodeAuth))
}

// closeAccount goes back to the choice of accounts, or to the address that was
// typed in.
func (a *app) closeAccount() tea.Cmd {
	e, said := a.e, a.said
	return a.start("letting go", func(context.Context, *job) then {
		e.Close()
		return func(a *app) tea.Cmd {
			a.forget()
			a.said = said
			if a.typed != "" {
				return a.typeAccount()
			}
			return nil
		}
	})
}
