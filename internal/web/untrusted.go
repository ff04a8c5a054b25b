package web

import (
	"crypto/x509"
	"errors"
	"net/http"

	"postfach/internal/explore"
	"postfach/internal/message"
)

// A doubt is about a server that could not prove who it is.
type doubt struct {
	*explore.UntrustedError
	password string // what was typed for it, and not sent
}

// doubts keeps what a person decides about next. An error of another kind, or
// none, is no doubt.
func (a *account) doubts(err error, password string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	untrusted, ok := errors.AsType[*explore.UntrustedError](err)
	switch {
	case !ok:
		a.doubt = nil
	case a.doubt == nil || a.doubt.UntrustedError != untrusted: // else it is kept, with the password
		a.doubt = &doubt{untrusted, password}
	}
}

// untrustedPage shows the certificate of a server that could not prove who it
// is.
type untrustedPage struct {
	Host, Name, Why string
	Pin             string
	Certificate     *certificate
	CanTrust        bool
	Marked          int
}

func (v *visit) showUntrusted(err *explore.UntrustedError) {
	a := v.account
	p := &untrustedPage{
		Host: message.PrintableLine(a.about.Host), Name: a.name(), Why: whyUntrusted(err), Pin: err.Pin,
		CanTrust: a.about.Trust != nil && err.Pin != "", Marked: a.e.Status().Marked,
	}
	if err.Certificate != nil {
		c := newCertificate(err.Certificate)
		p.Certificate = &c
	}
	v.show("untrusted", "The server could not prove who it is", http.StatusBadGateway, p)
}

// whyUntrusted is what is wrong with a certificate, in plain words.
func whyUntrusted(err *explore.UntrustedError) string {
	_, unknown := errors.AsType[x509.UnknownAuthorityError](err.Err)
	_, name := errors.AsType[x509.HostnameError](err.Err)
	invalid, isInvalid := errors.AsType[x509.CertificateInvalidError](err.Err)
	switch {
	case unknown:
		return "Nobody whom this machine trusts has signed its certificate."
	case name:
		return "Its certificate is for other names than this one."
	case isInvalid && invalid.Reason == x509.Expired:
		return "Its certificate has run out, or is not valid yet."
	case err.Err == nil:
		return ""
	}
	return sentence(err.Err.Error())
}

// trust opens the account anew, with the certificate that the person was shown.
func trust(v *visit) error {
	v.account.mu.Lock()
	d := v.account.doubt
	v.account.mu.Unlock()
	if d == nil || v.account.about.Trust == nil || d.Pin == "" || v.r.PostForm.Get("pin") != d.Pin {
		return &failure{Status: http.StatusConflict, Title: "This is not the certificate that you were shown", Text: "Nothing was sent to the server. Open the mailbox again."}
	}
	a, err := v.face.trust(v.account, d.Pin)
	if err != nil {
		return err
	}
	v.account = a
	if err := v.connect(d.password); err != nil {
		return err
	}
	v.redirect(a.path(""))
	return nil
}

// trust puts an account that trusts a certificate in the place of one that does
// not. Addresses stay; marks do not, since the server may be another one.
func (f *Face) trust(old *account, pin string) (*account, error) {
	about := old.about.Trust(pin)
	if about.Password == nil { // it was given on the command line
		about.Password = old.about.Password
	}
	a := &account{id: old.id, home: old.home, index: old.index, typed: old.typed, about: about, e: explore.New(about, f.picker.Options)}
	f.mu.Lock()
	found := false
	for i := range f.accounts {
		if f.accounts[i] == old {
			f.accounts[i], found = a, true
		}
	}
	f.mu.Unlock()
	if !found { // closed meanwhile, or trusted in another tab
		return nil, errors.Join(explore.ErrAway, a.e.Close())
	}
	return a, old.e.Close()
}

// distrust goes back: to the form with what was typed, if it was.
func distrust(v *visit) error {
	a := v.account
	v.account = nil
	a.doubts(nil, "")
	if a.typed == nil || a.e.Status().Messages > 0 { // its list and marks are worth keeping
		v.redirect(v.face.home + "/")
		return nil
	}
	if err := v.face.remove(a); err != nil {
		return err
	}
	v.showAccounts(http.StatusOK, *a.typed, nil)
	return nil
}
