package web

import (
	"errors"
	"net"
	"net/http"
	"strconv"
	"strings"

	"postfach/internal/explore"
	"postfach/internal/hint"
	"postfach/internal/message"
	"postfach/pop3"
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

// typed is the form for another account. The password is not shown again.
type typed struct{ Server, Security, User string }

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
	a, _, err := v.face.add(v.face.picker.Accounts[i], i)
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
	a, fresh, err := v.face.add(about, -1)
	if err != nil {
		return err
	}
	v.account = a
	if err := v.connect(form.Get("password")); err != nil {
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

// parse makes an account of the form.
func (v *visit) parse(t typed) (explore.Account, error) {
	if v.face.picker.Parse == nil {
		return explore.Account{}, errors.New("no other accounts can be opened here")
	}
	if t.User == "" {
		return explore.Account{}, errors.New("the user name is missing")
	}
	if t.Server == "" {
		return v.face.picker.Parse(t.User) // a mail address
	}
	u := &pop3.URL{TLS: t.Security != "stls", User: t.User}
	host, port, err := net.SplitHostPort(t.Server)
	if err != nil {
		host = strings.Trim(t.Server, "[]")
	}
	if host == "" || strings.ContainsAny(host, " /@?#\\") {
		return explore.Account{}, hint.Add(errors.New("the server is a name such as pop.example.org"), "a port may follow: pop.example.org:995")
	}
	u.Host = host
	if port != "" {
		if u.Port, err = strconv.Atoi(port); err != nil || u.Port < 1 || u.Port > 65535 {
			return explore.Account{}, errors.New("the port is a number from 1 to 65535")
		}
	}
	s := u.String()
	if !u.TLS {
		s = strings.Replace(s, "pop://", "pop3://", 1)
	}
	return v.face.picker.Parse(s)
}
