package accounts

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"postfach/internal/hint"
	"postfach/pop3server"
)

func who(t *testing.T, d *Directory, name, password string) string {
	t.Helper()
	id, err := d.Authenticate(t.Context(), nil, name, password)
	if err != nil {
		if !errors.Is(err, pop3server.ErrCredentials) {
			t.Error(err)
		}
		return "nobody"
	}
	return id.User + "/" + id.Credential
}

func TestAppPasswords(t *testing.T) {
	for _, scheme := range []string{ScramSHA256, Argon2id} {
		f := newFile(t, "")
		e := editorOf(f)
		e.Now = func() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }
		d := dirOf(f)
		must(t, e.Add(NewAccount{User: "anna", Password: "main", Scheme: scheme}))
		must(t, e.Add(NewAccount{User: "otto", Password: "main", Scheme: scheme}))
		phone, err := e.AddApp("anna", "phone")
		must(t, err)
		laptop, err := e.AddApp("anna", "my.laptop-2")
		must(t, err)
		if _, err := e.AddApp("anna", "phone"); !errors.Is(err, ErrAppExists) {
			t.Errorf("the same name again: %v", err)
		}
		if _, err := e.AddApp("nobody", "phone"); !errors.Is(err, ErrNoUser) {
			t.Errorf("nobody's: %v", err)
		}
		check := func(when string, passwords map[string]string) {
			t.Helper()
			for password, want := range passwords {
				if got := who(t, d, "anna", password); got != want {
					t.Errorf("%s, %s: %q is %s, want %s", scheme, when, password, got, want)
				}
			}
			if got := who(t, d, "otto", phone); got != "nobody" {
				t.Errorf("%s, %s: another's app password is %s", scheme, when, got)
			}
		}
		check("at first", map[string]string{"main": "anna/", phone: "anna/phone", laptop: "anna/my.laptop-2", phone[1:]: "nobody"})
		list, err := e.List()
		must(t, err)
		if want := []AppPassword{{"phone", "2026-11-23"}, {"my.laptop-2", "2026-11-23"}}; !slices.Equal(list[0].AppPasswords, want) {
			t.Errorf("listed %+v", list[0].AppPasswords)
		}
		must(t, e.SetPassword("anna", "new", scheme, false))
		check("after a new password", map[string]string{"main": "nobody", "new": "anna/", phone: "anna/phone", laptop: "anna/my.laptop-2"})
		must(t, e.SetMain("anna", false))
		check("app passwords only", map[string]string{"new": "nobody", phone: "anna/phone", laptop: "anna/my.laptop-2"})
		must(t, e.RemoveApp("anna", "phone"))
		check("one revoked", map[string]string{"new": "nobody", phone: "nobody", laptop: "anna/my.laptop-2"})
		if err := e.RemoveApp("anna", "phone"); !errors.Is(err, ErrNoApp) {
			t.Errorf("revoked twice: %v", err)
		}
		if err := e.RemoveApp("anna", "phon"); !errors.Is(err, ErrNoApp) {
			t.Errorf("revoked by half of its name: %v", err)
		}
		must(t, e.SetMain("anna", true))
		check("main again", map[string]string{"new": "anna/", phone: "nobody"})
		if err := e.SetMain("otto", false); !errors.Is(err, ErrNoApp) {
			t.Errorf("nothing would let otto in: %v", err)
		}
		if strings.Contains(read(t, f.Path), phone) || strings.Contains(read(t, f.Path), laptop) {
			t.Error("an app password lies open")
		}
	}
}

func TestAppPasswordsShareTheirWork(t *testing.T) {
	for _, c := range []struct {
		first, then string
		apart       bool
	}{{ScramSHA256, ScramSHA256, false}, {Argon2id, Argon2id, false}, {ScramSHA256, Argon2id, false}, {Argon2id, ScramSHA256, false}} {
		f := newFile(t, "")
		e := editorOf(f)
		must(t, e.Add(NewAccount{User: "anna", Password: "main", Scheme: c.first}))
		one, err := e.AddApp("anna", "one")
		must(t, err)
		must(t, e.SetPassword("anna", "new", c.then, false))
		two, err := e.AddApp("anna", "two")
		must(t, err)
		entry, err := f.Lookup(t.Context(), "anna")
		must(t, err)
		want := []string{"one", "two"}
		if c.then == ScramSHA256 {
			want = []string{"", "one", "two"}
		}
		if got := entry.Scram[0]; got == nil || !slices.Equal(got.Names, want) || entry.apart != nil {
			t.Errorf("from %s to %s: SCRAM has %+v, apart %+v", c.first, c.then, got, entry.apart)
		}
		for password, want := range map[string]string{"new": "anna/", one: "anna/one", two: "anna/two"} {
			if got := who(t, dirOf(f), "anna", password); got != want {
				t.Errorf("from %s to %s: %s, want %s", c.first, c.then, got, want)
			}
		}
	}
}

// A password that somebody else's program has written has a salt of its own: app
// passwords still work, for passwords, and SCRAM is the main one's.
func TestPasswordFromElsewhereBesideAppPasswords(t *testing.T) {
	f := newFile(t, "")
	e := editorOf(f)
	must(t, e.Add(NewAccount{User: "anna", Password: "main"}))
	phone, err := e.AddApp("anna", "phone")
	must(t, err)
	line := strings.TrimSuffix(read(t, f.Path), "\n")
	theirs := strings.SplitN(dovecots, ":", 3)[1] // scram256, "p w"
	write(t, f.Path, withSecret(line, strings.SplitN(theirs, "\n", 2)[0])+"\n", 0o600)
	d := dirOf(f)
	for password, want := range map[string]string{"p w": "anna/", phone: "anna/phone", "main": "nobody"} {
		if got := who(t, d, "anna", password); got != want {
			t.Errorf("%q is %s, want %s", password, got, want)
		}
	}
	if d.Offers(0) {
		t.Error("SCRAM is offered, although the app password cannot use it")
	}
	must(t, e.SetPassword("anna", "new", "", false)) // takes the salt of the app passwords
	if entry, err := f.Lookup(t.Context(), "anna"); err != nil || entry.apart != nil || !d.Offers(0) {
		t.Errorf("%+v, %v", entry, err)
	}
}

// Sixty app passwords cost a login no more than one does.
func TestManyAppPasswordsCostOneDerivation(t *testing.T) {
	f := newFile(t, "")
	e := editorOf(f)
	must(t, e.Add(NewAccount{User: "anna", Password: "main"}))
	_, err := e.AddApp("anna", "app0")
	must(t, err)
	line := strings.TrimSuffix(read(t, f.Path), "\n")
	a, err := parseLine(line)
	must(t, err)
	many := line
	for i := 1; i < maxApps; i++ {
		many = withExtra(many, fmt.Sprint(appPrefix, "app", i), "{"+ScramSHA256+"}"+a.apps[0].String())
	}
	write(t, f.Path, line+"\n"+strings.Replace(many, "anna:", "otto:", 1)+"\n", 0o600)
	must(t, e.Add(NewAccount{User: "old", Password: "main", ScramSHA1: true}))
	must(t, e.Add(NewAccount{User: "only1", Password: "main"}))
	for user, keys := range map[string]int{"anna": 2, "otto": 1 + maxApps, "old": 1, "only1": 1} {
		entry, err := f.Lookup(t.Context(), user)
		must(t, err)
		if all := entry.derivations(entry.Credentials); len(all) != 1 || len(all[0].Names) != keys {
			t.Errorf("%s: %d derivations, of which the first is for %d passwords", user, len(all), len(all[0].Names))
		}
	}
	if _, err := e.AddApp("otto", "one-more"); err == nil {
		t.Errorf("more than %d app passwords", maxApps)
	}
}

func TestAppPasswordsOfOneAccountHaveOneSalt(t *testing.T) {
	f := newFile(t, "")
	e := editorOf(f)
	must(t, e.Add(NewAccount{User: "anna", Password: "main"}))
	must(t, e.Add(NewAccount{User: "otto", Password: "main"}))
	for _, user := range []string{"anna", "otto"} {
		_, err := e.AddApp(user, user)
		must(t, err)
	}
	lines := strings.Split(read(t, f.Path), "\n")
	_, ottos, _ := strings.Cut(lines[1], "::::::")
	_, err := parse("f", lines[0]+" "+ottos+"\n")
	if err == nil || !strings.Contains(err.Error(), "another salt") || hint.Of(err) == "" {
		t.Errorf("got %v, hint %q", err, hint.Of(err))
	}
}

func TestAppPasswordsAreLong(t *testing.T) {
	a, b := newAppPassword(), newAppPassword()
	if letters := strings.ReplaceAll(a, "-", ""); a == b || len(letters)*5 < 80 || strings.ToLower(a) != a {
		t.Errorf("%q, %q", a, b)
	}
}

func TestAppNames(t *testing.T) {
	for _, name := range []string{"a", "phone", "0", "my.laptop_2-x", strings.Repeat("x", 32)} {
		must(t, CheckAppName(name))
	}
	for _, name := range []string{"", "Phone", "my phone", "a=b", "a:b", "ä", "-x", ".x", "main", "apop", "certificate", "token", strings.Repeat("x", 33), "a\n"} {
		if CheckAppName(name) == nil {
			t.Errorf("%q is a name", name)
		}
	}
}

// What edits of other commands do not concern stays, octet for octet.
func TestOtherEditsKeepAppPasswords(t *testing.T) {
	f := newFile(t, "")
	e := editorOf(f)
	must(t, e.Add(NewAccount{User: "anna", Password: "main"}))
	_, err := e.AddApp("anna", "phone")
	must(t, err)
	before, err := e.List()
	must(t, err)
	must(t, e.SetAPOP("anna", "0123456789abcdef"))
	must(t, e.SetAPOP("anna", ""))
	after, err := e.List()
	must(t, err)
	if !reflect.DeepEqual(before, after) {
		t.Errorf("before %+v\nafter %+v", before, after)
	}
}

// P3-SCRAM-18: a proof is tried with as many keys as an account can have, whoever's it is.
func TestProofIsTriedWithAsManyKeysAsAnAccountCanHave(t *testing.T) {
	text, err := os.ReadFile("../../sasl/scram_server.go")
	if err != nil {
		t.Fatal(err)
	}
	if want := fmt.Sprintf("\nconst leastTries = %d\n", maxApps+1); !strings.Contains(string(text), want) {
		t.Errorf("sasl has no%s", want)
	}
}
