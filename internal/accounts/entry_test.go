package accounts

import (
	"errors"
	"fmt"
	"testing"

	"postfach/pop3server"
	"postfach/sasl"
)

// An app password with a salt of its own is not for SCRAM, where a client hears one salt.
// Its work shows in the shape, so that decoys do the same.
func TestAppPasswordsWithSaltsOfTheirOwn(t *testing.T) {
	shapes := map[string]bool{}
	for _, iterations := range []int{minIterations, 2 * minIterations} {
		e := &Entry{User: "anna"}
		for i, name := range []string{"", "phone", "tablet"} {
			v, err := newScram(sasl.SHA256, "p"+name, newSalt(), []int{minIterations, iterations, iterations}[i])
			must(t, err)
			must(t, e.AddSecret(name, "{SCRAM-SHA-256}"+v.String()))
		}
		if names := e.Scram[sasl.SHA256].Names; len(names) != 1 || names[0] != "" {
			t.Errorf("SCRAM has the keys of %q", names)
		}
		d := &Directory{Sources: []Source{&fake{entries: map[string]*Entry{"anna": e}}}, Mail: "/mail"}
		for password, want := range map[string]error{"p": nil, "pphone": nil, "ptablet": nil, "": pop3server.ErrCredentials, "q": pop3server.ErrCredentials} {
			if who, err := d.Authenticate(t.Context(), nil, "anna", password); !errors.Is(err, want) || err == nil && "p"+who.Credential != password {
				t.Errorf("%q: %+v, %v", password, who, err)
			}
		}
		shapes[e.shape()] = true
	}
	if len(shapes) != 2 {
		t.Error("one shape for two work factors:", fmt.Sprint(shapes))
	}
}

// The verifier beside a password of another scheme serves SCRAM, and there is one.
func TestAddScramBesideAnotherScheme(t *testing.T) {
	v, err := newScram(sasl.SHA256, "p", newSalt(), minIterations)
	must(t, err)
	e := &Entry{User: "anna"}
	must(t, e.AddSecret("", "{PLAIN}p"))
	if err := e.AddScram("{PLAIN}p"); err == nil {
		t.Error("a secret of another kind is taken")
	}
	must(t, e.AddScram("{SCRAM-SHA-256}"+v.String()))
	if err := e.AddScram("{SCRAM-SHA-256}" + v.String()); err == nil {
		t.Error("a second verifier is taken")
	}
	if len(e.Credentials) != 1 || len(e.Scram[sasl.SHA256].Names) != 1 {
		t.Errorf("%+v", e)
	}
}
