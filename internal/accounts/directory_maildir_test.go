package accounts

import (
	"errors"
	"log/slog"
	"testing"

	"postfach/maildrop"
	"postfach/sasl"
)

// A source may know an account by its aliases only: what the login's look-up said is
// what counts, and nothing is looked up again.
func TestMaildropIsTheOneOfTheLookUpThatLetSomebodyIn(t *testing.T) {
	elsewhere := plain("anna", "p")
	elsewhere.Maildir = "/srv/mail/a/"
	v, err := newScram(sasl.SHA256, "p", newSalt(), 4096)
	must(t, err)
	scram := &Entry{User: "carla"}
	must(t, scram.AddSecret("", "{SCRAM-SHA-256}"+v.String()))
	source := &fake{entries: map[string]*Entry{"a@example.org": elsewhere, "b": plain("berta", "p"), "c": scram}}
	d := &Directory{Sources: []Source{source}, Mail: "/data/mail", Log: slog.New(slog.DiscardHandler)}
	for _, c := range []struct{ name, user, dir string }{
		{"a@example.org", "anna", "/srv/mail/a"},
		{"b", "berta", "/data/mail/berta"},
	} {
		who, err := d.Authenticate(t.Context(), nil, c.name, "p")
		must(t, err)
		asked := len(source.asked)
		if dir, err := d.Maildir(who.Maildrop); who.User != c.user || dir != c.dir || err != nil {
			t.Errorf("%s: %+v, maildrop %q, %v", c.name, who, dir, err)
		}
		if len(source.asked) != asked {
			t.Errorf("%s: looked up again", c.name)
		}
		// By its own name nobody knows it.
		if _, err := d.Maildir(c.user); !errors.Is(err, maildrop.ErrNoUser) {
			t.Errorf("%s: %v", c.user, err)
		}
	}
	a, err := d.Scram(t.Context(), nil, sasl.SHA256, "c")
	must(t, err)
	if who := a.Identities[0]; who.User != "carla" || who.Maildrop != "/data/mail/carla" {
		t.Errorf("by SCRAM: %+v", who)
	}
	if _, err := d.Maildir("../etc"); !errors.Is(err, maildrop.ErrNoUser) {
		t.Errorf("a name that is none: %v", err)
	}
}
