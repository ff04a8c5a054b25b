package accounts

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"postfach/internal/vfs"
	"postfach/pop3server"
	"postfach/sasl"
)

// lookalikes are names that SASLprep, or the small letters of Unicode, make "anna" or
// "kate" of. Who chose one of them at an issuer is neither.
var lookalikes = []string{"ａnna", "an\u00adna", "anna\u200b", "anna\ufe00", "\u212aate", "\uff4bate", "Anna", "ANNA"}

func TestTokenOfALookalikeIsNobodys(t *testing.T) {
	f := newFile(t, blf("anna")+"\n"+blf("kate")+"\n")
	d := &Directory{Sources: []Source{f}, Tokens: tokens{}, Log: f.Log}
	for _, owner := range lookalikes {
		for _, name := range []string{"", "anna", "kate"} {
			if who, err := d.Token(t.Context(), overTLS("192.0.2.7"), name, owner); !errors.Is(err, pop3server.ErrCredentials) {
				t.Errorf("the token of %+q, as %q: %+v, %v", owner, name, who, err)
			}
		}
	}
}

func TestCertificateOfALookalikeIsNobodys(t *testing.T) {
	f := newFile(t, blf("anna")+"\n"+blf("kate")+"\n"+blf("i@example.org")+"\n")
	d := &Directory{Sources: []Source{f}, CertificateNames: true, Log: f.Log}
	for _, name := range append(lookalikes[:len(lookalikes)-2:len(lookalikes)-2], "\u0130@example.org") {
		if who, err := d.Certificate(t.Context(), from("192.0.2.7", certificate(name)), ""); !errors.Is(err, pop3server.ErrCredentials) {
			t.Errorf("the certificate of %+q: %+v, %v", name, who, err)
		}
	}
}

// A source that says that a name is really another one, of which an earlier source
// has the last word, lets nobody in: the account may be closed there.
func TestAliasDoesNotReachIntoAnEarlierSource(t *testing.T) {
	closed := plain("anna", "first")
	closed.Closed = "a test"
	first := &fake{entries: map[string]*Entry{"anna": closed}}
	alias := plain("anna", "second")
	alias.Scram = map[sasl.ScramHash]*ScramEntry{sasl.SHA256: {Names: []string{""}}}
	keys, err := newScram(sasl.SHA256, "second", []byte("salt"), minIterations)
	must(t, err)
	alias.Scram[sasl.SHA256].Verifier = sasl.ScramVerifier{Salt: keys.salt, Iterations: minIterations, Keys: []sasl.ScramKeys{keys.keys}}
	second := &fake{entries: map[string]*Entry{"anna.b": alias, "berta.c": plain("berta", "second")}}
	f := newFile(t, "")
	d := &Directory{Sources: []Source{first, second}, Tokens: tokens{}, CertificateNames: true, Log: f.Log}
	for range 2 { // from the cache, if it got there
		tryLogin(t, d, nil, "anna.b", "second", pop3server.ErrCredentials)
	}
	if who, err := d.Token(t.Context(), nil, "", "anna.b"); !errors.Is(err, pop3server.ErrCredentials) {
		t.Errorf("by token: %+v, %v", who, err)
	}
	if who, err := d.Certificate(t.Context(), from("192.0.2.7", certificate("anna")), "anna.b"); !errors.Is(err, pop3server.ErrCredentials) {
		t.Errorf("by certificate: %+v, %v", who, err)
	}
	if got := letsIn(t, scramOf(t, d, nil, sasl.SHA256, "anna.b"), sasl.SHA256, "second"); got != "nobody" && got != "/" {
		t.Errorf("by SCRAM: %s", got)
	}
	if who, err := d.Authenticate(t.Context(), nil, "berta.c", "second"); err != nil || who.User != "berta" {
		t.Errorf("an alias that nobody else has: %+v, %v", who, err)
	}
	first.err = errors.New("it is away")
	if who, err := d.Authenticate(t.Context(), nil, "berta.c", "second"); !errors.Is(err, first.err) {
		t.Errorf("while the earlier source cannot answer: %+v, %v", who, err)
	}
}

// Promise 12: whoever asks for a name must not find in the decoys of others that it
// was there.
func TestDecoysDoNotTellWhoWasAskedFor(t *testing.T) {
	entry := func(user string, iterations int) *Entry {
		v, err := newScram(sasl.SHA256, "p", []byte("sixteen octets.."), iterations)
		must(t, err)
		e := &Entry{User: user}
		must(t, e.AddSecret("", strings.SplitN(blf("x"), ":", 2)[1]))
		e.addScram(v, "") // as sources do for a verifier beside another scheme
		return e
	}
	shapes := func(d *Decoys) (s string) {
		for i := range 200 {
			s += fmt.Sprintln(d.For(fmt.Sprint("nobody", i)).Scram[sasl.SHA256].Verifier.Iterations)
		}
		return s
	}
	d := &Decoys{Key: []byte("key")}
	anna, otto := entry("anna", 4096), entry("otto", 5000)
	for i := range 40 {
		d.Saw(entry(fmt.Sprint("a", i), 4096))
		d.Saw(entry(fmt.Sprint("b", i), 5000))
	}
	d.Saw(anna)
	d.Saw(otto)
	before := shapes(d)
	if !strings.Contains(before, "4096") || !strings.Contains(before, "5000") {
		t.Fatalf("one of two shapes is missing:\n%s", before)
	}
	for range 100 {
		d.Saw(anna)
	}
	if shapes(d) != before {
		t.Error("the decoys have changed since somebody asked for anna again and again")
	}
	d.Saw(otto)
	if shapes(d) != before {
		t.Error("the decoys have changed since somebody asked for otto")
	}
}

// A decoy's work factor may change when accounts do. Those of real accounts change
// with a new password, which has a new salt.
func TestDecoyWithAnotherWorkFactorHasAnotherSalt(t *testing.T) {
	like := func(iterations int) *ScramEntry {
		return &ScramEntry{Names: []string{""}, Verifier: sasl.ScramVerifier{Salt: make([]byte, 16), Iterations: iterations, Keys: make([]sasl.ScramKeys, 1)}}
	}
	a, b := fakeScram([]byte("key"), "nobody", sasl.SHA256, like(4096)), fakeScram([]byte("key"), "nobody", sasl.SHA256, like(5000))
	if bytes.Equal(a.Verifier.Salt, b.Verifier.Salt) {
		t.Error("the salt stays, which that of no account does")
	}
}

// A field that is there twice says two things. The one that closes must not lose.
func TestPolicyFieldThatIsThereTwiceIsAnError(t *testing.T) {
	for _, extra := range []string{
		"tls=required tls=no", "pop3=no pop3=yes", "main=off main=on", "client_cert=required client_cert=no",
		"allow_nets=10.0.0.0/8 allow_nets=0.0.0.0/0", "userdb_mail=maildir:/a userdb_mail=maildir:/b", "apop=x apop=y",
	} {
		if _, err := parse("f", blf("anna")+"::::::"+extra+"\n"); err == nil || !strings.Contains(err.Error(), "twice") {
			t.Errorf("%s: %v", extra, err)
		}
	}
	if _, err := parse("f", blf("anna")+"::::::nologin nologin other=1 other=2\n"); err != nil {
		t.Errorf("fields that mean nothing, or the same: %v", err)
	}
}

// explosive is a source that panics.
type explosive struct{ fake }

func (*explosive) Lookup(context.Context, string) (*Entry, error) { panic("boom") }

// Promise 18: that costs the session that asked, whichever source it is, and not the
// process. The session's goroutine has to be the one that panics.
func TestPanicOfASourceIsTheCallers(t *testing.T) {
	d := &Directory{Sources: []Source{&fake{}, &explosive{}}}
	defer func() {
		if p := recover(); p == nil || !strings.Contains(fmt.Sprint(p), "boom") {
			t.Errorf("recovered %v", p)
		}
	}()
	d.Authenticate(t.Context(), nil, "anna", "p")
	t.Error("no panic")
}

// P3-SCRAM-18: a name may be asked for as often as somebody likes. How many app
// passwords it has must not show in the work, and whether it is there must not.
func TestLookupCostsTheSameForManyAppPasswords(t *testing.T) {
	f := newFile(t, "")
	e := editorOf(f)
	must(t, e.Add(NewAccount{User: "anna", Password: "p"}))
	must(t, e.Add(NewAccount{User: "berta", Password: "p"}))
	for i := range 40 {
		_, err := e.AddApp("berta", fmt.Sprint("app", i))
		must(t, err)
	}
	f.Now = func() time.Time { return time.Now().Add(time.Hour) } // it is not read again
	d := dirOf(f)
	allocations := func(name string) float64 {
		return testing.AllocsPerRun(20, func() { scramOf(t, d, nil, sasl.SHA256, name) })
	}
	if one, many, none := allocations("anna"), allocations("berta"), allocations("nobody"); many-one > 5 || one-none > 12 {
		t.Errorf("%v allocations for one password, %v for 41, %v for nobody", one, many, none)
	}
}

// What the cache knows is of one account in one source, and of one name: where sources
// cannot say when a password changes, nothing else tells two of them apart.
func TestCacheTellsSourcesApart(t *testing.T) {
	unversioned := func(user, password string) *Entry {
		e := plain(user, password)
		e.Credentials[0].Version = nil
		return e
	}
	first := &fake{entries: map[string]*Entry{"anna": unversioned("anna", "first")}}
	second := &fake{entries: map[string]*Entry{"alias": unversioned("anna", "second"), "anna": unversioned("anna", "other"), "berta": unversioned("berta", "second")}}
	d := &Directory{Sources: []Source{first, second}, Log: newFile(t, "").Log}
	tryLogin(t, d, nil, "alias", "second", pop3server.ErrCredentials)
	tryLogin(t, d, nil, "anna", "second", pop3server.ErrCredentials)
	tryLogin(t, d, nil, "anna", "first", nil)
	delete(first.entries, "anna") // somebody else has the name in the other source
	tryLogin(t, d, nil, "anna", "first", pop3server.ErrCredentials)
	tryLogin(t, d, nil, "anna", "other", nil)
}

// A file that is too large is not read first, at each look-up, while it is new.
func TestFileThatIsTooLargeIsNotRead(t *testing.T) {
	f := newFile(t, "")
	must(t, os.Truncate(f.Path, 8<<30))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, _, err := readSecretFile(vfs.OS{}, f.Path, false)
	runtime.ReadMemStats(&after)
	if octets := after.TotalAlloc - before.TotalAlloc; err == nil || octets > 1<<20 {
		t.Errorf("%d octets of memory, %v", octets, err)
	}
}

// A file may have a user twice: it is refused then, and can be repaired. Who removes
// the account must not make the other line good.
func TestRemovedAccountIsGone(t *testing.T) {
	f := newFile(t, "")
	write(t, f.Path, blf("anna")+"\n"+blf("otto")+"\nanna:{PLAIN}old\n", 0o600)
	must(t, editorOf(f).Remove("anna"))
	if content := read(t, f.Path); strings.Contains(content, "anna") {
		t.Errorf("the file has\n%s", content)
	}
}
