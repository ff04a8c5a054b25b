package accounts

import (
	"bytes"
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"

	"postfach/pop3server"
	"postfach/sasl"
)

func scramOf(t *testing.T, d *Directory, p *pop3server.Peer, h sasl.ScramHash, name string) *pop3server.ScramAccount {
	t.Helper()
	a, err := d.Scram(t.Context(), p, h, name)
	must(t, err)
	if len(a.Verifier.Keys) == 0 || len(a.Verifier.Keys) != len(a.Identities) || len(a.Verifier.Salt) == 0 || a.Verifier.Iterations < minIterations {
		t.Fatalf("%s: %+v", name, a)
	}
	return a
}

// letsIn returns the credential that a password proves, or "nobody".
func letsIn(t *testing.T, a *pop3server.ScramAccount, h sasl.ScramHash, password string) string {
	t.Helper()
	v, err := newScram(h, password, a.Verifier.Salt, a.Verifier.Iterations)
	must(t, err)
	for i, keys := range a.Verifier.Keys {
		if bytes.Equal(keys.StoredKey, v.keys.StoredKey) {
			if err := a.Admit(t.Context(), a.Identities[i]); errors.Is(err, pop3server.ErrCredentials) {
				return "nobody"
			} else if err != nil {
				t.Fatal(err)
			}
			return a.Identities[i].User + "/" + a.Identities[i].Credential
		}
	}
	return "nobody"
}

func TestScramKnowsMainAndAppPasswords(t *testing.T) {
	f := newFile(t, "")
	e := editorOf(f)
	must(t, e.Add(NewAccount{User: "anna", Password: "main", ScramSHA1: true}))
	phone, err := e.AddApp("anna", "phone")
	must(t, err)
	laptop, err := e.AddApp("anna", "laptop")
	must(t, err)
	d := dirOf(f)
	a := scramOf(t, d, nil, sasl.SHA256, "anna")
	for password, want := range map[string]string{"main": "anna/", phone: "anna/phone", laptop: "anna/laptop", "other": "nobody"} {
		if got := letsIn(t, a, sasl.SHA256, password); got != want {
			t.Errorf("%q proves %s, want %s", password, got, want)
		}
	}
	if got := letsIn(t, scramOf(t, d, nil, sasl.SHA1, "anna"), sasl.SHA1, "main"); got != "anna/" {
		t.Errorf("SCRAM-SHA-1: %s", got)
	}
	must(t, e.SetMain("anna", false))
	a = scramOf(t, d, nil, sasl.SHA256, "anna")
	if letsIn(t, a, sasl.SHA256, "main") != "nobody" || letsIn(t, a, sasl.SHA256, phone) != "anna/phone" {
		t.Error("a password that is off proves something, or an app password nothing")
	}
	if got := letsIn(t, scramOf(t, d, nil, sasl.SHA1, "anna"), sasl.SHA1, "main"); got != "nobody" {
		t.Errorf("SCRAM-SHA-1 with a password that is off: %s", got)
	}
}

// An account that is not for this peer has its own challenge, as from elsewhere,
// and lets nobody in.
func TestRefusedAccountsHaveTheirChallenge(t *testing.T) {
	f := newFile(t, "")
	e := editorOf(f)
	must(t, e.Add(NewAccount{User: "anna", Password: "p"}))
	line := strings.TrimSuffix(read(t, f.Path), "\n")
	for _, extra := range []string{"allow_nets=10.0.0.0/8", "nologin", "tls=required", "client_cert=required", "pop3=no"} {
		write(t, f.Path, withExtra(line, strings.SplitN(extra, "=", 2)[0], "")+" "+extra+"\n", 0o600)
		d := dirOf(f)
		here := scramOf(t, d, from("192.0.2.1"), sasl.SHA256, "anna")
		entry, err := f.Lookup(t.Context(), "anna")
		must(t, err)
		if want := entry.Scram[sasl.SHA256].Verifier; !bytes.Equal(here.Verifier.Salt, want.Salt) || here.Verifier.Iterations != want.Iterations {
			t.Errorf("%s: another challenge than elsewhere", extra)
		}
		if got := letsIn(t, here, sasl.SHA256, "p"); got != "nobody" {
			t.Errorf("%s: the password proves %s", extra, got)
		}
	}
}

// P3-SCRAM-18: two tries for one name that does not exist get one challenge, and
// it looks like those of this site's accounts, after a restart, too.
func TestFakeChallenges(t *testing.T) {
	f := newFile(t, dovecots) // one verifier for each hash: 4096 iterations, 16 octets
	f.DecoyKey = []byte("key")
	key := []byte("another key")
	d := &Directory{Sources: []Source{f}, Key: key}
	again := &Directory{Sources: []Source{&File{Path: f.Path, DecoyKey: f.DecoyKey, Log: f.Log}}, Key: key}
	salts := map[string]bool{}
	for _, h := range []sasl.ScramHash{sasl.SHA256, sasl.SHA1} {
		for _, name := range []string{"nobody", "nobody2", "../x", "", "blf", "argon2id", "Änne"} {
			a, b := scramOf(t, d, nil, h, name), scramOf(t, again, from("192.0.2.1"), h, name)
			if !bytes.Equal(a.Verifier.Salt, b.Verifier.Salt) || a.Verifier.Iterations != b.Verifier.Iterations {
				t.Errorf("%q: two challenges", name)
			}
			if len(a.Verifier.Salt) != 16 || a.Verifier.Iterations != 4096 {
				t.Errorf("%q: %d octets of salt and %d iterations, which no account here has", name, len(a.Verifier.Salt), a.Verifier.Iterations)
			}
			if salts[string(a.Verifier.Salt)] {
				t.Errorf("%q has the salt of another name", name)
			}
			salts[string(a.Verifier.Salt)] = true
			if got := letsIn(t, a, h, "p w"); got != "nobody" || a.Identities[0].User != "" {
				t.Errorf("%q: the password proves %s", name, got)
			}
		}
	}
	other := &Directory{Sources: []Source{f}, Key: []byte("a third key")}
	if bytes.Equal(scramOf(t, d, nil, sasl.SHA256, "nobody").Verifier.Salt, scramOf(t, other, nil, sasl.SHA256, "nobody").Verifier.Salt) {
		t.Error("the salt of an unknown name can be computed without the key")
	}
}

// Whoever asks for a name again and again hears nothing of accounts that come and
// go, as long as they are like the others.
func TestFakeChallengesStayWhenAccountsChange(t *testing.T) {
	f := newFile(t, "")
	f.DecoyKey = []byte("key")
	e := editorOf(f)
	must(t, e.Add(NewAccount{User: "anna", Password: "p"}))
	before := f.Decoy(t.Context(), "nobody")
	must(t, e.Add(NewAccount{User: "otto", Password: "p"}))
	must(t, e.Remove("anna"))
	after := f.Decoy(t.Context(), "nobody")
	if before.work() != after.work() || !reflect.DeepEqual(before.Scram, after.Scram) {
		t.Errorf("before %+v\nafter %+v", before, after)
	}
}

func TestScramIsOfferedWhenAllCanUseIt(t *testing.T) {
	f := newFile(t, "")
	e := editorOf(f)
	offers := func(h sasl.ScramHash) bool { return dirOf(f).Offers(h) }
	if !offers(sasl.SHA256) || offers(sasl.SHA1) {
		t.Error("a file without accounts")
	}
	must(t, e.Add(NewAccount{User: "anna", Password: "p", ScramSHA1: true}))
	if !offers(sasl.SHA256) || !offers(sasl.SHA1) {
		t.Error("all accounts have both")
	}
	must(t, e.Add(NewAccount{User: "otto", Password: "p"}))
	if !offers(sasl.SHA256) || offers(sasl.SHA1) {
		t.Error("one account lacks SCRAM-SHA-1")
	}
	must(t, e.Add(NewAccount{User: "berta", Password: "p", Scheme: Argon2id}))
	if offers(sasl.SHA256) {
		t.Error("one account has no verifier")
	}
	_, err := e.AddApp("berta", "phone")
	must(t, err)
	if offers(sasl.SHA256) {
		t.Error("one account's own password has no verifier")
	}
	must(t, e.SetMain("berta", false))
	if !offers(sasl.SHA256) {
		t.Error("all passwords that let somebody in have one")
	}
	must(t, e.Add(NewAccount{User: "carla", Password: "p", Scheme: Argon2id}))
	write(t, f.Path, strings.TrimSuffix(read(t, f.Path), "\n")+"nologin\n", 0o600)
	if !offers(sasl.SHA256) {
		t.Error("a closed account needs none")
	}
	d := &Directory{Sources: []Source{f, &fake{}}}
	if d.Offers(sasl.SHA256) {
		t.Error("a source that does not know")
	}
	d.ScramHashes = []sasl.ScramHash{sasl.SHA256}
	if !d.Offers(sasl.SHA256) || d.Offers(sasl.SHA1) {
		t.Error("the operator has the last word")
	}
	if (&Directory{}).Offers(sasl.SHA256) {
		t.Error("no sources")
	}
}

// A verifier for SCRAM-SHA-1 is of one password: whoever changes that by hand, and
// leaves the verifier, must not leave the old password in force.
func TestOldVerifierForSHA1IsOff(t *testing.T) {
	f, log := newLogged(t, "")
	e := editorOf(f)
	must(t, e.Add(NewAccount{User: "anna", Password: "old", ScramSHA1: true}))
	d := dirOf(f)
	if got := letsIn(t, scramOf(t, d, nil, sasl.SHA1, "anna"), sasl.SHA1, "old"); got != "anna/" {
		t.Fatalf("proves %s", got)
	}
	lines := strings.Split(read(t, f.Path), "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, "anna:") {
			lines[i] = withSecret(line, strings.SplitN(blf("x"), ":", 2)[1])
		}
	}
	write(t, f.Path, strings.Join(lines, "\n"), 0o600)
	if got := letsIn(t, scramOf(t, d, nil, sasl.SHA1, "anna"), sasl.SHA1, "old"); got != "nobody" {
		t.Errorf("the old password proves %s", got)
	}
	if !strings.Contains(log.String(), "--scram-sha-1 anna") {
		t.Errorf("logged:\n%s", log)
	}
	must(t, e.SetPassword("anna", "new", "", false))
	if got := letsIn(t, scramOf(t, d, nil, sasl.SHA1, "anna"), sasl.SHA1, "new"); got != "anna/" {
		t.Errorf("the new password proves %s", got)
	}
	must(t, e.SetPassword("anna", "newest", Argon2id, false))
	if strings.Contains(read(t, f.Path), sha1Field) {
		t.Error("a verifier beside argon2id")
	}
	if err := e.SetPassword("anna", "newest", Argon2id, true); err == nil {
		t.Error("a verifier beside argon2id, on request")
	}
}

func TestScramOfSourcesThatKnowNoneOfIt(t *testing.T) {
	e := &Entry{User: "anna", Credentials: []Credential{{Check: func(context.Context, string) (bool, error) { return true, nil }}}}
	d := &Directory{Sources: []Source{&bare{fake{entries: map[string]*Entry{"anna": e}}}}, Key: []byte("key")}
	for _, name := range []string{"anna", "nobody"} {
		a := scramOf(t, d, nil, sasl.SHA256, name)
		if len(a.Verifier.Salt) != 16 || a.Verifier.Iterations != Iterations {
			t.Errorf("%s: %+v", name, a.Verifier)
		}
	}
}

// bare is a source whose decoys are nothing but passwords.
type bare struct{ fake }

func (b *bare) Decoy(_ context.Context, name string) *Entry {
	return &Entry{User: name, Credentials: []Credential{{Check: func(context.Context, string) (bool, error) { return false, nil }}}}
}
