package web

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	"postfach/internal/explore"
	"postfach/internal/hint"
	"postfach/internal/message"
)

// accountsPage is where a person chooses a maildrop.
type accountsPage struct {
	Known   []knownAccount
	Others  []*bar // open ones that were typed in
	CanType bool
	// Typed is what was typed in and did not work, and why.
	Typed   typed
	Failure *failure
}

type knownAccount struct {
	explore.Account
	Name  string
	Index int
	Bar   *bar // nil: not open
}

func showAccounts(v *visit) error {
	a, err := v.face.start()
	if err != nil {
		return err
	}
	if a != nil {
		return v.enter(a)
	}
	v.showAccounts(http.StatusOK, typed{Security: "tls"}, nil)
	return nil
}

func (v *visit) showAccounts(status int, t typed, f *failure) {
	p := &accountsPage{CanType: v.face.picker.Parse != nil, Typed: t, Failure: f}
	for i, about := range v.face.picker.Accounts {
		p.Known = append(p.Known, knownAccount{Account: about, Name: accountName(about), Index: i})
	}
	for _, a := range v.face.opened() {
		if a.index >= 0 {
			p.Known[a.index].Bar = newBar(a)
		} else {
			p.Others = append(p.Others, newBar(a))
		}
	}
	v.show("accounts", "Mailboxes", status, p)
}

// openAccount opens one of the known accounts.
func openAccount(v *visit) error {
	i, err := strconv.Atoi(v.r.PostForm.Get("account"))
	if err != nil || i < 0 || i >= len(v.face.picker.Accounts) {
		return badRequest("There is no such account")
	}
	a, _, err := v.face.add(v.face.picker.Accounts[i], i, nil)
	if err != nil {
		return err
	}
	return v.enter(a)
}

// enter takes the maildrop unless it is held, and leads to its list: by the
// password form where a password is needed.
func (v *visit) enter(a *account) error {
	v.account = a
	if a.e.Status().State == explore.Away {
		if err := v.connect(""); err != nil {
			return err
		}
	}
	v.redirect(a.path(""))
	return nil
}

// openTyped opens an account that was typed in.
func openTyped(v *visit) error {
	form := v.r.PostForm
	t := typed{Server: strings.TrimSpace(form.Get("server")), Security: form.Get("security"), User: strings.TrimSpace(form.Get("user"))}
	about, err := v.parse(t)
	if err != nil {
		f := &failure{Title: "This names no mailbox", Text: message.PrintableLine(err.Error()), Hint: message.PrintableLine(hint.Of(err))}
		v.showAccounts(http.StatusUnprocessableEntity, t, f)
		return nil
	}
	a, fresh, err := v.face.add(about, -1, &t)
	if err != nil {
		return err
	}
	if !fresh && (a.typed == nil || a.typed.Security != t.Security) {
		return &failure{
			Status: http.StatusConflict, Title: "This mailbox is open here already",
			Text: "It was opened in another way than you chose now, and nothing was sent to its server. Close it first, or go on with it among the mailboxes.",
		}
	}
	v.account = a
	err = v.connect(form.Get("password"))
	if untrusted := new(explore.UntrustedError); errors.As(err, &untrusted) {
		return err // the page that asks whether to trust it needs the account
	}
	if err != nil {
		v.account = nil
		if fresh { // what cannot be opened is no account
			v.face.remove(a)
		}
		f := failureOf(err, v.language())
		v.showAccounts(f.Status, t, f)
		return nil
	}
	v.redirect(a.path(""))
	return nil
}
