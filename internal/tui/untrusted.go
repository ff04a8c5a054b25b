package tui

import (
	"context"
	"errors"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"postfach/internal/explore"
	"postfach/internal/hint"
)

// An untrusted screen shows who a server says it is, which it cannot prove, and
// asks whether a person believes it. Until then it gets no password.
type untrusted struct {
	problem  *explore.UntrustedError
	password string // what was typed in before
	marked   int    // messages; a new Explorer knows nothing of them
	now      time.Time
	pager
}

// askTrust shows the certificate and asks.
func (a *app) askTrust(problem *explore.UntrustedError, password string) tea.Cmd {
	u := &untrusted{problem: problem, password: password, marked: a.e.Status().Marked, now: a.now()}
	u.build = u.page
	a.push(u)
	return u.ask(a)
}

func (u *untrusted) page(t *theme, w int) []row {
	rows := t.paragraph(row{{"! ", warning}}, warning, errorLine(u.problem), w)
	rows = append(rows, nil)
	rows = append(rows, certificate(t, u.problem.Certificate, u.now, w)...)
	rows = append(rows, nil)
	rows = append(rows, t.paragraph(nil, plain, "Somebody on the way may be pretending to be the server. Whoever runs it can tell you its pin: compare it before you say yes.", w)...)
	if u.marked > 0 {
		rows = append(rows, t.paragraph(nil, warning, "yes opens the mailbox anew: "+many(u.marked, "mark")+" will be forgotten, and nothing deleted.", w)...)
	}
	return rows
}

// ask asks for the word.
func (u *untrusted) ask(a *app) tea.Cmd {
	p := &prompt{label: "type yes to trust this certificate for now:", escape: u.back}
	p.enter = func(a *app, typed string) tea.Cmd {
		if !strings.EqualFold(strings.TrimSpace(typed), "yes") {
			p.input = input{}
			p.again(a, hint.Add(errors.New("it is not trusted"), "type yes and press enter; esc goes back"))
			return nil
		}
		return a.trust(a.account.Trust(u.problem.Pin), u.password)
	}
	a.prompt = p
	return nil
}

// trust opens the account anew, with a certificate that a person believes.
func (a *app) trust(account explore.Account, password string) tea.Cmd {
	e := a.e
	return a.start("connecting to "+line(account.Host), func(context.Context, *job) then {
		e.Close()
		return func(a *app) tea.Cmd {
			a.forget()
			a.account, a.e = account, explore.New(account, a.picker.Options)
			if password == "" {
				return tea.Batch(a.watch(), a.enter(nil))
			}
			return tea.Batch(a.watch(), a.connect(password))
		}
	})
}

// back trusts nobody.
func (u *untrusted) back(a *app) tea.Cmd {
	a.pop()
	if a.list != nil {
		return nil
	}
	return a.closeAccount()
}

func (u *untrusted) title() shown { return "who is this server?" + u.below() }

func (u *untrusted) keys(*app) []key {
	keys := []key{
		{on: "enter", does: "answer", run: u.ask},
		{on: "esc q", name: "esc", does: "back", help: "go back and trust nobody", run: u.back},
	}
	return append(keys, u.pager.keys()...)
}

func (u *untrusted) rows(a *app, w, h int) []string { return u.draw(a.theme, w, h) }
