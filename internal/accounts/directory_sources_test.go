package accounts

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"

	"postfach/pop3server"
	"postfach/sasl"
)

// A name may lead to Anna now and to Berta in a moment: what the cache knows of Anna's
// password is of no use then, where nobody can say that it is another one.
func TestCacheKnowsToWhomANameLed(t *testing.T) {
	leads := func(user, at, password string) *Entry {
		return &Entry{User: user, Credentials: []Credential{{Of: at, Check: func(_ context.Context, tried string) (bool, error) { return tried == password, nil }}}}
	}
	for name, to := range map[string]*Entry{
		"another account":              leads("berta", "entry", "berta's"),
		"another entry of the account": leads("anna", "another entry", "berta's"),
	} {
		source := &fake{entries: map[string]*Entry{"info": leads("anna", "entry", "anna's")}}
		d := &Directory{Sources: []Source{source}, Log: slog.New(slog.DiscardHandler)}
		tryLogin(t, d, nil, "info", "anna's", nil)
		source.entries["info"] = to
		if who, err := d.Authenticate(t.Context(), nil, "info", "anna's"); !errors.Is(err, pop3server.ErrCredentials) {
			t.Errorf("%s: anna's password lets in as %+v, %v", name, who, err)
		}
	}
}

// A source may want to look once more at somebody who has proved who he is. Nobody
// else learns that it does.
func TestSourceHasTheLastWordBehindTheProof(t *testing.T) {
	f, log := newLogged(t, "")
	asked := 0
	e := plain("anna", "p")
	e.Confirm = func(context.Context) (string, error) { asked++; return "a test", nil }
	d := &Directory{Sources: []Source{&fake{entries: map[string]*Entry{"anna": e}}}, Log: f.Log, Tokens: tokens{}, CertificateNames: true}
	tryLogin(t, d, nil, "anna", "wrong", pop3server.ErrCredentials)
	if asked > 0 || log.Len() > 0 {
		t.Errorf("asked %d times for a wrong password, logged:\n%s", asked, log)
	}
	tryLogin(t, d, nil, "anna", "p", pop3server.ErrCredentials)
	tryLogin(t, d, nil, "anna", "p", pop3server.ErrCredentials) // from the cache
	if _, err := d.Token(t.Context(), nil, "", "anna"); !errors.Is(err, pop3server.ErrCredentials) {
		t.Errorf("by token: %v", err)
	}
	if _, err := d.Certificate(t.Context(), from("192.0.2.7", certificate("anna")), ""); !errors.Is(err, pop3server.ErrCredentials) {
		t.Errorf("by certificate: %v", err)
	}
	if asked != 4 || strings.Count(log.String(), `reason="a test"`) != 4 {
		t.Errorf("asked %d times, logged:\n%s", asked, log)
	}
	away := errors.New("it is away")
	e.Confirm = func(context.Context) (string, error) { return "", away }
	if _, err := d.Authenticate(t.Context(), nil, "anna", "p"); !errors.Is(err, away) {
		t.Errorf("a source that cannot say: %v", err)
	}
	e.Confirm = func(context.Context) (string, error) { return "", nil }
	tryLogin(t, d, nil, "anna", "p", nil)
}

// verifierOf is an entry with one verifier for SCRAM.
func verifierOf(t *testing.T, user, password string, iterations int) *Entry {
	t.Helper()
	v, err := newScram(sasl.SHA256, password, newSalt(), iterations)
	must(t, err)
	e := &Entry{User: user}
	must(t, e.AddSecret("", "{SCRAM-SHA-256}"+v.String()))
	return e
}

// seeing is a source that knows as much of its accounts as a database: those that were
// asked for.
type seeing struct {
	fake
	Decoys
}

func (s *seeing) Lookup(ctx context.Context, user string) (*Entry, error) {
	e, err := s.fake.Lookup(ctx, user)
	if err == nil {
		s.Saw(e)
	}
	return e, err
}
func (s *seeing) Decoy(_ context.Context, name string) *Entry { return s.For(name) }

// Promise 12: a work factor that one account of a thousand has must not be that of half
// of all unknown names.
func TestUnknownNamesLookLikeTheSourceThatHasMostAccounts(t *testing.T) {
	file := newFile(t, "")
	must(t, editorOf(file).Add(NewAccount{User: "postmaster", Password: "p"}))
	database := &seeing{Decoys: Decoys{Key: []byte("key")}}
	database.entries = map[string]*Entry{}
	for i := range 20 {
		user := fmt.Sprint("user", i)
		database.entries[user] = verifierOf(t, user, "p", minIterations)
	}
	d := &Directory{Sources: []Source{file, database}, Key: []byte("key")}
	for user := range database.entries {
		tryLogin(t, d, nil, user, "p", nil)
	}
	like := func(iterations int) (n int) {
		for i := range 1000 {
			if scramOf(t, d, nil, sasl.SHA256, fmt.Sprint("nobody", i)).Verifier.Iterations == iterations {
				n++
			}
		}
		return n
	}
	if n := like(Iterations); n > 10 {
		t.Errorf("%d of 1,000 unknown names look like the one account in the file", n)
	}
	// As many accounts in the file as a source counts for that cannot count its own.
	one := strings.TrimSuffix(read(t, file.Path), "\n")
	var lines strings.Builder
	for i := range uncounted {
		fmt.Fprintln(&lines, strings.Replace(one[strings.LastIndexByte(one, '\n')+1:], "postmaster", fmt.Sprint("a", i), 1))
	}
	write(t, file.Path, lines.String(), 0o600)
	if n := like(Iterations); n < 400 || n > 600 {
		t.Errorf("%d of 1,000 unknown names look like the file, which has as many accounts", n)
	}
}

// A source that grows takes names over, and changes nothing for the others.
func TestSourceThatGrowsTakesNamesOverOnly(t *testing.T) {
	d := &Directory{Sources: []Source{&fake{}, &fake{}, &fake{}}}
	d.setUp()
	chosen := func() (names []int) {
		for i := range 500 {
			names = append(names, d.ofSource(fmt.Sprint("nobody", i)))
		}
		return names
	}
	before := chosen()
	for i := range 2 * uncounted {
		d.found.add(&Entry{User: fmt.Sprint("user", i), source: 1})
		d.found.add(&Entry{User: "the same again", source: 2})
	}
	taken := 0
	for i, now := range chosen() {
		if now != before[i] {
			if taken++; now != 1 {
				t.Fatalf("nobody%d was taken by source %d, which has not grown", i, now)
			}
		}
	}
	if taken < 50 || taken > 150 { // a third has become a half
		t.Errorf("%d names of 500 were taken over", taken)
	}
}

// P3-SCRAM-18: whoever asks for a challenge must not see, by the time that it takes, that
// a name is another one's.
func TestChallengeOfAnAliasAsksNobodyOnceMore(t *testing.T) {
	first := &fake{}
	second := &fake{entries: map[string]*Entry{"alias": verifierOf(t, "anna", "p", minIterations), "own": verifierOf(t, "own", "p", minIterations)}}
	d := &Directory{Sources: []Source{first, second}, Log: slog.New(slog.DiscardHandler)}
	for _, name := range []string{"alias", "own", "nobody"} {
		first.asked = nil
		a := scramOf(t, d, nil, sasl.SHA256, name)
		if len(first.asked) != 1 {
			t.Errorf("%s: asked for %q", name, first.asked)
		}
		if name == "alias" {
			if got := letsIn(t, a, sasl.SHA256, "p"); got != "anna/" || len(first.asked) != 2 {
				t.Errorf("behind the proof: %s, asked for %q", got, first.asked)
			}
		}
	}
}

// What keeps somebody out who knows the password stands in the log, however he has
// proved it.
func TestRefusalBehindADigestIsExplained(t *testing.T) {
	f, log := newLogged(t, "")
	e := editorOf(f)
	must(t, e.Add(NewAccount{User: "anna", Password: "p", APOP: "0123456789abcdef"}))
	_, err := e.AddApp("anna", "phone")
	must(t, err)
	line := strings.TrimSuffix(read(t, f.Path), "\n")
	for extra, reason := range map[string]string{
		"pop3=no": "not by POP3", "allow_nets=10.0.0.0/8": "not from this network", "tls=required": "not without TLS", "client_cert=required": "not without a client certificate",
	} {
		write(t, f.Path, line+" "+extra+"\n", 0o600)
		log.Reset()
		d := dirOf(f)
		told := `rip=192.0.2.1 user=anna reason="` + reason + `"`
		a := scramOf(t, d, from("192.0.2.1"), sasl.SHA256, "anna")
		if strings.Contains(log.String(), "reason") {
			t.Errorf("%s: told before any proof:\n%s", extra, log)
		}
		if got := letsIn(t, a, sasl.SHA256, "p"); got != "nobody" || strings.Count(log.String(), told) != 1 {
			t.Errorf("%s: SCRAM: %s, logged:\n%s", extra, got, log)
		}
		log.Reset()
		who, secret, err := d.Secret(t.Context(), from("192.0.2.1"), "anna")
		var refused *pop3server.RefusedError
		if !errors.As(err, &refused) || !errors.Is(err, pop3server.ErrCredentials) || secret == "" || who != (pop3server.Identity{}) || log.Len() > 0 {
			t.Fatalf("%s: the secret: %+v, %v, logged:\n%s", extra, who, err, log)
		}
		if refused.Tell(); strings.Count(log.String(), told) != 1 {
			t.Errorf("%s: the secret: logged:\n%s", extra, log)
		}
	}
	write(t, f.Path, line+" main=off\n", 0o600)
	log.Reset()
	a := scramOf(t, dirOf(f), from("192.0.2.1"), sasl.SHA256, "anna")
	if got := letsIn(t, a, sasl.SHA256, "p"); got != "nobody" || !strings.Contains(log.String(), `reason="not with the account's own password"`) {
		t.Errorf("main=off: SCRAM: %s, logged:\n%s", got, log)
	}
}

// A network has its share of the places that wait for an issuer, too.
func TestTokensSayFromWhereTheyCome(t *testing.T) {
	var got string
	d := &Directory{Tokens: hearing(func(ctx context.Context) { got = Remote(ctx).String() })}
	d.Token(t.Context(), overTLS("192.0.2.7"), "", "anna")
	if got != "192.0.2.7" {
		t.Errorf("the tokens' source hears that it is %s", got)
	}
}

// hearing are tokens of nobody's.
type hearing func(context.Context)

func (h hearing) User(ctx context.Context, _ string) (string, error) {
	h(ctx)
	return "", pop3server.ErrCredentials
}
func (hearing) Discovery() (string, string) { return "", "" }

// The places of a Pool are shared by what a context says of the peer.
func TestPoolTakesTheNetworkFromTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewPool(1)
		busy := make(chan struct{})
		done := make(chan error, 1)
		go func() { done <- p.Do(t.Context(), func() error { <-busy; return nil }) }()
		synctest.Wait()
		greedy, cancel := context.WithCancel(WithRemote(t.Context(), from("192.0.2.1").Address()))
		for range waitingPerSlot / networkShare {
			go p.Do(greedy, func() error { return nil })
		}
		synctest.Wait()
		if err := p.Do(greedy, nil); err != error(errBusy) {
			t.Errorf("more than a quarter from one address: %v", err)
		}
		cancel()
		close(busy)
		if err := <-done; err != nil {
			t.Error(err)
		}
		synctest.Wait()
	})
}
