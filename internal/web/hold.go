package web

import (
	"net/http"
)

// The forms that take the maildrop and let go of it.

// loginPage asks for a password.
type loginPage struct {
	Name, User, Host string
	Failure          *failure
}

func (v *visit) showLogin(status int, f *failure) {
	about := v.account.about
	v.show("login", "Password for "+v.account.name(), status, &loginPage{Name: v.account.name(), User: about.User, Host: about.Host, Failure: f})
}

func showLogin(v *visit) error {
	v.showLogin(http.StatusOK, nil)
	return nil
}

// login takes the maildrop with a password from the form, which goes nowhere
// else.
func login(v *visit) error {
	password := v.r.PostForm.Get("password")
	if password == "" && !v.account.about.NoPassword {
		v.showLogin(http.StatusUnprocessableEntity, &failure{Title: "The password is missing"})
		return nil
	}
	if err := v.connect(password); err != nil {
		if ownPage(err) {
			return err
		}
		f := failureOf(err, v.language())
		v.showLogin(f.Status, f)
		return nil
	}
	v.redirect(v.account.path(""))
	return nil
}

// connect comes back to a maildrop that was let go, or lists it anew.
func connect(v *visit) error {
	if err := v.connect(""); err != nil {
		return err
	}
	v.redirect(v.back())
	return nil
}

func release(v *visit) error {
	if err := v.account.e.Release(v.r.Context()); err != nil {
		return err
	}
	v.redirect(v.back())
	return nil
}

// seen takes the notice away.
func seen(v *visit) error {
	v.account.e.Seen()
	v.redirect(v.back())
	return nil
}

// closeAccount lets go of the maildrop and forgets password and marks.
func closeAccount(v *visit) error {
	a := v.account
	v.account = nil
	if err := v.face.remove(a); err != nil {
		return err
	}
	v.redirect(v.face.home + "/")
	return nil
}
