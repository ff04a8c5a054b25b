package accounts

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"postfach/internal/hint"
)

// P3-EXT-03: what an Editor says of certificates is what the server goes by, and
// nothing else of the line changes.
func TestCertificatesAreAddedAndRemoved(t *testing.T) {
	const rest = "allow_nets=10.0.0.0/8 theirs=x cert="
	laptop, phone, old := Fingerprint(certificate("laptop")), Fingerprint(certificate("phone")), Fingerprint(certificate("old"))
	asOpenssl := strings.ToUpper(old[:2])
	for i := 2; i < len(old); i += 2 {
		asOpenssl += ":" + strings.ToUpper(old[i:i+2])
	}
	f := newFile(t, "# a comment\n"+blf("anna")+"::::::"+rest+asOpenssl+"\n"+blf("berta")+"\n")
	before := read(t, f.Path)
	e := editorOf(f)
	must(t, e.AddCertificate("anna", laptop))
	must(t, e.AddCertificate("anna", strings.ToUpper(phone)))
	if got, want := read(t, f.Path), strings.Replace(before, asOpenssl, asOpenssl+" cert="+laptop+" cert="+phone, 1); got != want {
		t.Errorf("the file is now\n%s\nwant\n%s", got, want)
	}
	entry, err := f.Lookup(t.Context(), "anna")
	must(t, err)
	list, err := e.List()
	must(t, err)
	if want := []string{old, laptop, phone}; !slices.Equal(entry.Certificates, want) || !slices.Equal(list[0].Certificates, want) || list[1].Certificates != nil {
		t.Errorf("the server knows %q, the list %+v", entry.Certificates, list)
	}
	for _, c := range []struct {
		do   func() error
		want error
	}{
		{func() error { return e.AddCertificate("anna", old) }, ErrCertificateExists},
		{func() error { return e.AddCertificate("otto", old) }, ErrNoUser},
		{func() error { return e.AddCertificate("anna", old[:63]) }, nil},
		{func() error { return e.AddCertificate("anna", old+" nologin") }, nil},
		{func() error { return e.AddCertificate("berta", laptop) }, nil}, // anna's
		{func() error { _, err := e.RemoveCertificate("berta", old); return err }, ErrNoCertificate},
		{func() error { _, err := e.RemoveCertificate("otto", old); return err }, ErrNoUser},
		{func() error { _, err := e.RemoveCertificate("anna", "x"); return err }, nil},
	} {
		err := c.do()
		if err == nil || c.want != nil && !errors.Is(err, c.want) || c.want == nil && hint.Of(err) == "" {
			t.Errorf("got %v, hint %q, want %v", err, hint.Of(err), c.want)
		}
	}
	for i, one := range []string{phone, old, laptop} {
		left, err := e.RemoveCertificate("anna", one)
		if err != nil || left != 2-i {
			t.Errorf("%d left, %v", left, err)
		}
	}
	if got, want := read(t, f.Path), strings.Replace(before, " cert="+asOpenssl, "", 1); got != want {
		t.Errorf("the file is now\n%s\nwant\n%s", got, want)
	}
}
