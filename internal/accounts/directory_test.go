package accounts

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"postfach/maildrop"
	"postfach/pop3"
	"postfach/pop3server"
	"postfach/sasl"
)

// from is a peer at an address, with TLS and a certificate, or without.
func from(address string, certs ...*x509.Certificate) *pop3server.Peer {
	p := &pop3server.Peer{Local: &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 110}}
	if ip := net.ParseIP(address); ip != nil {
		p.Remote = &net.TCPAddr{IP: ip, Port: 50_000}
	} else {
		p.Remote = &net.UnixAddr{Name: address, Net: "unix"}
	}
	if len(certs) > 0 {
		p.TLS = &tls.ConnectionState{Version: tls.VersionTLS13, PeerCertificates: certs, VerifiedChains: [][]*x509.Certificate{certs}}
	}
	return p
}

// overTLS is from, in TLS, without a certificate.
func overTLS(address string) *pop3server.Peer {
	p := from(address)
	p.TLS = &tls.ConnectionState{Version: tls.VersionTLS13}
	return p
}

// certificate is one that says nothing but names.
func certificate(commonName string, emails ...string) *x509.Certificate {
	return &x509.Certificate{Raw: []byte(commonName + strings.Join(emails, ",")), Subject: pkix.Name{CommonName: commonName}, EmailAddresses: emails}
}

// fake is a small Source.
type fake struct {
	entries map[string]*Entry
	err     error
	mu      sync.Mutex
	asked   []string
}

func (f *fake) Lookup(_ context.Context, user string) (*Entry, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, user)
	if f.err != nil {
		return nil, f.err
	}
	if e, ok := f.entries[user]; ok {
		return e, nil
	}
	return nil, maildrop.ErrNoUser
}

func (f *fake) Decoy(_ context.Context, name string) *Entry {
	return classes(nil).decoy([]byte("key"), name)
}
func (f *fake) Offers(sasl.ScramHash) bool { return false }
func (f *fake) Secrets() bool              { return false }

// plain is an entry with a password that costs nothing to check.
func plain(user, password string) *Entry {
	e := &Entry{User: user}
	if err := e.AddSecret("", "{PLAIN}"+password); err != nil {
		panic(err)
	}
	return e
}

func TestFirstSourceThatKnowsANameHasTheLastWord(t *testing.T) {
	closed := plain("otto", "second")
	closed.Closed = "a test"
	first := &fake{entries: map[string]*Entry{"anna": plain("anna", "first"), "otto": closed}}
	second := &fake{entries: map[string]*Entry{"anna": plain("anna", "second"), "otto": plain("otto", "second"), "berta": plain("berta", "second")}}
	d := &Directory{Sources: []Source{first, second}, Log: slog.New(slog.DiscardHandler), Mail: "/mail"}
	tryLogin(t, d, nil, "anna", "first", nil)
	tryLogin(t, d, nil, "anna", "second", pop3server.ErrCredentials)
	tryLogin(t, d, nil, "berta", "second", nil)
	tryLogin(t, d, nil, "otto", "second", pop3server.ErrCredentials)
	tryLogin(t, d, nil, "nobody", "second", pop3server.ErrCredentials)
	// All are asked for each name: how long that takes says nothing.
	if !slices.Equal(first.asked, second.asked) || len(first.asked) != 5 {
		t.Errorf("asked %q and %q", first.asked, second.asked)
	}
	for user, want := range map[string]string{"berta": "/mail/berta", "anna": "/mail/anna"} {
		if dir, err := d.Maildir(user); dir != want || err != nil {
			t.Errorf("Maildir(%q): %q, %v", user, dir, err)
		}
	}
	for _, user := range []string{"nobody", "../anna", ""} {
		if _, err := d.Maildir(user); !errors.Is(err, maildrop.ErrNoUser) {
			t.Errorf("Maildir(%q): %v", user, err)
		}
	}
}

// A source that is down could know that an account is closed.
func TestSourceThatCannotAnswerLetsNobodyInBehindIt(t *testing.T) {
	down := &fake{err: errors.New("it is down")}
	up := &fake{entries: map[string]*Entry{"anna": plain("anna", "p")}}
	d := &Directory{Sources: []Source{down, up}}
	if _, err := d.Authenticate(t.Context(), nil, "anna", "p"); !errors.Is(err, down.err) {
		t.Errorf("an account behind a source that is down: %v", err)
	}
	d = &Directory{Sources: []Source{up, down}}
	tryLogin(t, d, nil, "anna", "p", nil)
	if _, err := d.Authenticate(t.Context(), nil, "nobody", "p"); !errors.Is(err, down.err) {
		t.Errorf("a name that only the other could know: %v", err)
	}
}

func TestSourceCannotNameAPath(t *testing.T) {
	odd := plain("../otto", "p")
	relative := plain("berta", "p")
	relative.Maildir = "relative"
	d := &Directory{Sources: []Source{&fake{entries: map[string]*Entry{"anna": odd, "berta": relative}}}, Mail: "/mail"}
	if who, err := d.Authenticate(t.Context(), nil, "anna", "p"); err == nil || errors.Is(err, pop3server.ErrCredentials) {
		t.Errorf("logged in as %+v, %v", who, err)
	}
	for _, user := range []string{"anna", "berta"} {
		if dir, err := d.Maildir(user); err == nil {
			t.Errorf("maildrop of %s: %s", user, dir)
		}
	}
}

func TestPolicies(t *testing.T) {
	own := certificate("anna")
	f := newFile(t, ""+
		"nets:{PLAIN}p::::::allow_nets=10.0.0.0/8,2001:db8::/32,192.0.2.9\n"+
		"mapped:{PLAIN}p::::::allow_nets=::ffff:10.0.0.0/104\n"+
		"local:{PLAIN}p::::::allow_nets=local\n"+
		"tls:{PLAIN}p::::::tls=required\n"+
		"cert:{PLAIN}p::::::client_cert=required cert="+Fingerprint(own)+"\n"+
		"no:{PLAIN}p::::::pop3=no\n"+
		"yes:{PLAIN}p::::::pop3=yes tls=no client_cert=no main=on\n"+
		"anna@no.example:{PLAIN}p\n"+
		"anna@nets.example:{PLAIN}p::::::allow_nets=10.0.0.0/16\n"+
		"anna@tls.example:{PLAIN}p\n"+
		"anna@cert.example:{PLAIN}p\n"+
		"anna@apps.example:{PLAIN}p\n"+
		"no.example:{PLAIN}p\n")
	nets, err := ParseNetworks("10.0.0.0/12")
	must(t, err)
	d := &Directory{Sources: []Source{f}, Log: f.Log, CertificateNames: true, Domains: map[string]Policy{
		"no.example": {NoPOP3: true}, "nets.example": {Networks: nets}, "tls.example": {RequireTLS: true},
		"cert.example": {RequireCertificate: true}, "apps.example": {AppPasswordsOnly: true},
	}}
	for _, c := range []struct {
		user string
		from *pop3server.Peer
		in   bool
	}{
		{"nets", from("10.1.2.3"), true},
		{"nets", from("::ffff:10.1.2.3"), true},
		{"nets", from("2001:db8:1::1"), true},
		{"nets", from("192.0.2.9"), true},
		{"nets", from("192.0.2.8"), false},
		{"nets", from("2001:db9::1"), false},
		{"nets", from("a socket"), false},
		{"nets", nil, false},
		{"mapped", from("10.1.2.3"), true},
		{"mapped", from("11.1.2.3"), false},
		{"local", from("a socket"), true},
		{"local", from("127.0.0.1"), false},
		{"tls", from("127.0.0.1"), false},
		{"tls", overTLS("127.0.0.1"), true},
		{"cert", overTLS("127.0.0.1"), false},
		{"cert", from("127.0.0.1", own), true},
		{"cert", from("127.0.0.1", certificate("cert")), false}, // the account lists its own
		{"no", overTLS("127.0.0.1"), false},
		{"yes", from("127.0.0.1"), true},
		{"anna@no.example", overTLS("127.0.0.1"), false},
		{"anna@nets.example", from("10.0.2.3"), true},
		{"anna@nets.example", from("10.1.2.3"), false},
		{"anna@nets.example", from("10.31.2.3"), false},
		{"anna@tls.example", from("127.0.0.1"), false},
		{"anna@tls.example", overTLS("127.0.0.1"), true},
		{"anna@cert.example", overTLS("127.0.0.1"), false},
		{"anna@cert.example", from("127.0.0.1", certificate("x", "Anna@cert.example")), true},
		{"anna@cert.example", from("127.0.0.1", certificate("x", "otto@cert.example")), false},
		{"anna@apps.example", overTLS("127.0.0.1"), false},
		{"no.example", from("127.0.0.1"), true}, // a name, not a domain
	} {
		want := error(pop3server.ErrCredentials)
		if c.in {
			want = nil
		}
		before := d.cache
		tryLogin(t, d, c.from, c.user, "p", want)
		tryLogin(t, d, c.from, c.user, "p", want) // from the cache, if there
		tryLogin(t, d, c.from, c.user, "wrong", pop3server.ErrCredentials)
		if before != nil && before != d.cache {
			t.Fatal("another cache")
		}
	}
	d = &Directory{Sources: []Source{f}, Log: f.Log, Domains: map[string]Policy{"*": {RequireTLS: true}}}
	tryLogin(t, d, from("127.0.0.1"), "yes", "p", pop3server.ErrCredentials)
	tryLogin(t, d, overTLS("127.0.0.1"), "yes", "p", nil)
}

// An unverified certificate is a text that anybody can write.
func TestUnverifiedCertificateIsNone(t *testing.T) {
	own := certificate("anna")
	f := newFile(t, "anna:{PLAIN}p::::::client_cert=required cert="+Fingerprint(own)+"\n")
	d := &Directory{Sources: []Source{f}, CertificateNames: true, Log: f.Log}
	p := from("127.0.0.1", own)
	p.TLS.VerifiedChains = nil
	tryLogin(t, d, p, "anna", "p", pop3server.ErrCredentials)
	if who, err := d.Certificate(t.Context(), p, "anna"); !errors.Is(err, pop3server.ErrCredentials) {
		t.Errorf("EXTERNAL: %+v, %v", who, err)
	}
}

func TestPolicyFieldsAreStrict(t *testing.T) {
	for _, extra := range []string{
		"allow_nets", "allow_nets=", "allow_nets=10.0.0.0/8,", "allow_nets=10.0.0.0/33", "allow_nets=example.org", "allow_nets=::ffff:10.0.0.0/8", "allow_nets=fe80::1%eth0",
		"pop3", "pop3=No", "pop3=off", "tls=yes", "client_cert=yes", "main=no", "cert=abc", "cert", "app:=x", "app:Phone=x", "app:main=x", "app:apop=x",
		"app:phone={PLAIN}x", "app:phone=", "app:phone={SCRAM-SHA-256}4096,YQ==,YQ==,YQ==", "scram_sha_1=x",
	} {
		if _, err := parse("f", blf("anna")+"::::::"+extra+"\n"); err == nil {
			t.Errorf("%s is taken for something", extra)
		}
	}
	double := "cert=" + strings.Repeat("ab", 32)
	if _, err := parse("f", blf("anna")+"::::::"+double+"\n"+blf("otto")+"::::::"+double+"\n"); err == nil {
		t.Error("a certificate of two accounts'")
	}
}

func TestExternal(t *testing.T) {
	annas, ottos, bertas := certificate("a machine"), certificate("otto", "Otto@example.org"), certificate("otto", "berta@example.org")
	colons := strings.ToUpper(Fingerprint(annas))
	var pairs []string
	for i := 0; i < len(colons); i += 2 {
		pairs = append(pairs, colons[i:i+2])
	}
	f := newFile(t, blf("anna")+"::::::cert="+strings.Join(pairs, ":")+"\n"+blf("otto@example.org")+"\n"+blf("otto")+"\n"+
		blf("berta@example.org")+"::::::cert="+Fingerprint(annas)[:62]+"00\n"+
		blf("closed")+"::::::nologin cert="+Fingerprint(certificate("closed"))+"\n"+
		blf("far")+"::::::allow_nets=10.0.0.0/8 cert="+Fingerprint(certificate("far"))+"\n")
	for _, c := range []struct {
		names    bool
		cert     *x509.Certificate
		identity string
		want     string // "": nobody
	}{
		{false, annas, "", "anna"},
		{false, annas, "anna", "anna"},
		{false, annas, "otto", ""},
		{false, annas, "nobody", ""},
		{false, ottos, "", ""},
		{false, ottos, "otto", ""},
		{true, ottos, "", "otto@example.org"}, // its first name
		{true, ottos, "otto", "otto"},
		{true, ottos, "anna", ""},
		{true, bertas, "", ""}, // the account lists another certificate
		{true, bertas, "berta@example.org", ""},
		{true, certificate("nobody"), "", ""},
		{true, certificate("../otto"), "", ""},
		{true, annas, "", "anna"},
		{false, certificate("closed"), "", ""},
		{false, certificate("far"), "far", ""},
	} {
		d := &Directory{Sources: []Source{f}, CertificateNames: c.names, Log: f.Log}
		who, err := d.Certificate(t.Context(), from("127.0.0.1", c.cert), c.identity)
		if who.User != c.want || (c.want == "") != errors.Is(err, pop3server.ErrCredentials) {
			t.Errorf("%+v: %+v, %v", c, who, err)
		}
		if c.want != "" && who.Credential != certificateCredential {
			t.Errorf("%+v: credential %q", c, who.Credential)
		}
	}
	d := &Directory{Sources: []Source{f}, CertificateNames: true, Log: f.Log}
	for _, p := range []*pop3server.Peer{nil, from("127.0.0.1"), overTLS("127.0.0.1")} {
		if who, err := d.Certificate(t.Context(), p, "anna"); !errors.Is(err, pop3server.ErrCredentials) {
			t.Errorf("without a certificate: %+v, %v", who, err)
		}
	}
}

// tokens are good for the user that they name.
type tokens struct{}

func (tokens) User(_ context.Context, token string) (string, error) {
	if token == "bad" {
		return "", pop3server.ErrCredentials
	}
	return token, nil
}
func (tokens) Discovery() (string, string) { return "https://id.example.org", "mail" }

func TestTokensAreForAccounts(t *testing.T) {
	f := newFile(t, blf("anna")+"\n"+blf("otto")+"::::::allow_nets=10.0.0.0/8\n"+blf("apps")+"::::::main=off\n")
	d := &Directory{Sources: []Source{f}, Tokens: tokens{}, Log: f.Log}
	for _, c := range []struct{ name, token, want string }{
		{"", "anna", "anna"}, {"anna", "anna", "anna"}, {"otto", "anna", ""}, {"anna", "otto", ""}, {"", "nobody", ""}, {"", "bad", ""}, {"", "../anna", ""}, {"", "otto", ""}, {"", "apps", "apps"},
	} {
		who, err := d.Token(t.Context(), from("192.0.2.7"), c.name, c.token)
		if who.User != c.want || (c.want == "") != errors.Is(err, pop3server.ErrCredentials) {
			t.Errorf("%+v: %+v, %v", c, who, err)
		}
	}
	if c, s := d.Discovery(); c == "" || s == "" {
		t.Error("nothing to discover")
	}
	d.Tokens = nil
	if _, err := d.Token(t.Context(), nil, "anna", "anna"); !errors.Is(err, pop3server.ErrCredentials) {
		t.Errorf("without anybody who makes tokens: %v", err)
	}
}

func TestSecretsFollowThePolicy(t *testing.T) {
	f := newFile(t, "")
	e := editorOf(f)
	must(t, e.Add(NewAccount{User: "anna", Password: "p", APOP: "0123456789abcdef"}))
	must(t, e.Add(NewAccount{User: "otto", Password: "p", APOP: "0123456789abcdef"}))
	write(t, f.Path, strings.Replace(read(t, f.Path), "apop=", "tls=required apop=", 1), 0o600)
	d := dirOf(f)
	if _, _, err := d.Secret(t.Context(), from("127.0.0.1"), "anna"); !errors.Is(err, pop3server.ErrCredentials) {
		t.Errorf("the secret of an account that needs TLS: %v", err)
	}
	for _, user := range []string{"anna", "otto"} {
		if _, secret, err := d.Secret(t.Context(), overTLS("127.0.0.1"), user); secret != "0123456789abcdef" || err != nil {
			t.Errorf("%s: %q, %v", user, secret, err)
		}
	}
	// Something is opened for those who have none.
	decoy := f.Decoy(t.Context(), "nobody")
	if decoy.Secret == nil {
		t.Error("no work for unknown names")
	} else if secret, err := decoy.Secret(); err != nil || secret == "" {
		t.Errorf("the work for unknown names ends early: %v", err)
	}
}

// counted is an entry whose checks are counted.
func counted(e *Entry, checks *int) *Entry {
	for i, c := range e.Credentials {
		check := c.Check
		e.Credentials[i].Check = func(ctx context.Context, password string) (bool, error) {
			*checks++
			return check(ctx, password)
		}
	}
	return e
}

func TestPollingClientsCostOneCheck(t *testing.T) {
	checks := 0
	e := counted(plain("anna", "p"), &checks)
	source := &fake{entries: map[string]*Entry{"anna": e}}
	d := &Directory{Sources: []Source{source}, Log: slog.New(slog.DiscardHandler)}
	for range 10 {
		tryLogin(t, d, nil, "anna", "p", nil)
	}
	if checks != 1 || len(source.asked) != 10 {
		t.Errorf("%d checks and %d look-ups", checks, len(source.asked))
	}
	for range 3 { // wrong ones are not remembered
		tryLogin(t, d, nil, "anna", "wrong", pop3server.ErrCredentials)
	}
	if checks != 4 {
		t.Errorf("%d checks", checks)
	}
}

func TestChangesEndWhatTheCacheKnows(t *testing.T) {
	f := newFile(t, "anna:{PLAIN}p\n")
	d := dirOf(f)
	tryLogin(t, d, nil, "anna", "p", nil)
	for _, line := range []string{"anna:{PLAIN}q", "anna:{PLAIN}p::::::nologin", "anna:{PLAIN}p::::::allow_nets=10.0.0.0/8", "anna:{PLAIN}p::::::main=off", "otto:{PLAIN}p"} {
		write(t, f.Path, line+"\n", 0o600)
		tryLogin(t, d, nil, "anna", "p", pop3server.ErrCredentials)
	}
	write(t, f.Path, "anna:{PLAIN}p\n", 0o600)
	tryLogin(t, d, nil, "anna", "p", nil)
}

func TestCacheForgets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, c := range map[string]struct {
			version  []byte
			lifetime time.Duration
		}{"versioned": {[]byte("1"), cacheTime}, "unversioned": {nil, unversioned}} {
			checks := 0
			e := counted(plain("anna", "p"), &checks)
			e.Credentials[0].Version = c.version
			d := &Directory{Sources: []Source{&fake{entries: map[string]*Entry{"anna": e}}}}
			tryLogin(t, d, nil, "anna", "p", nil)
			time.Sleep(c.lifetime - time.Nanosecond)
			tryLogin(t, d, nil, "anna", "p", nil)
			if checks != 1 {
				t.Errorf("%s: %d checks in time", name, checks)
			}
			time.Sleep(time.Nanosecond) // not from the second login on
			tryLogin(t, d, nil, "anna", "p", nil)
			if checks != 2 {
				t.Errorf("%s: %d checks when it is over", name, checks)
			}
		}
	})
}

func TestCacheKeyHasAllThatDecides(t *testing.T) {
	c := newCache()
	anna := Credential{Name: "phone", Version: []byte("1")}
	c.add(&Entry{asked: "anna"}, anna, "p")
	if c.find(&Entry{asked: "anna"}, []Credential{{}, anna}, "p") != 1 {
		t.Error("not found")
	}
	for _, other := range []struct {
		user, password string
		Credential
	}{
		{"otto", "p", anna},
		{"anna", "q", anna},
		{"ann", "ap", anna},
		{"anna", "p", Credential{Name: "", Version: []byte("1")}},
		{"anna", "p", Credential{Name: "phone", Version: []byte("2")}},
		{"anna", "p", Credential{Name: "phone", Version: []byte{}}},
		{"anna", "p", Credential{Name: "phone"}},
		{"anna", "p", Credential{Name: "phone1"}},
	} {
		if c.find(&Entry{asked: other.user}, []Credential{other.Credential}, other.password) >= 0 {
			t.Errorf("%+v is found", other)
		}
	}
	if c.find(&Entry{asked: "anna", source: 1}, []Credential{anna}, "p") >= 0 {
		t.Error("it is found in another source")
	}
}

func TestCacheIsBoundedAndHoldsNoPassword(t *testing.T) {
	c := newCache()
	for i := range maxCached + 1000 {
		c.add(&Entry{asked: fmt.Sprint("user", i)}, Credential{Version: []byte("1")}, "a password")
	}
	if n := len(c.right.answers); n > maxCached || n < maxCached/2 {
		t.Errorf("%d are remembered", n)
	}
	if strings.Contains(fmt.Sprintf("%+v", c.right.answers), "password") {
		t.Error("the password is in there")
	}
}

// A right password that the cache knows, from where it is refused: the answer must
// not be faster than any other.
func TestRefusedPasswordCostsItsCheckAlthoughItIsCached(t *testing.T) {
	checks := 0
	e := counted(plain("anna", "p"), &checks)
	e.Policy.Networks, _ = ParseNetworks("10.0.0.0/8")
	d := &Directory{Sources: []Source{&fake{entries: map[string]*Entry{"anna": e}}}, Log: slog.New(slog.DiscardHandler)}
	tryLogin(t, d, from("10.0.0.1"), "anna", "p", nil)
	tryLogin(t, d, from("10.0.0.1"), "anna", "p", nil)
	if checks != 1 {
		t.Fatalf("%d checks", checks)
	}
	tryLogin(t, d, from("192.0.2.1"), "anna", "p", pop3server.ErrCredentials)
	if checks != 2 {
		t.Error("a right password is refused faster than a wrong one")
	}
	e.Policy = Policy{AppPasswordsOnly: true}
	tryLogin(t, d, from("10.0.0.1"), "anna", "p", pop3server.ErrCredentials)
	if checks != 3 {
		t.Error("a right password that is off is refused faster than a wrong one")
	}
}

// What keeps somebody out who knows the password stands in the log.
func TestRefusalIsExplainedToTheOperator(t *testing.T) {
	f, log := newLogged(t, "anna:{SHA512-CRYPT}$6$AbS4sp2dPTn2FrXi$oUc2KNFN328FNbv6eRCwMmErbKi515yFuQ71.YpTfdDMWTfu8tDU7feruTm0zKQy4MviiPHaOATO6DeG/v.Hg1::::::allow_nets=10.0.0.0/8\n")
	tryLogin(t, dirOf(f), from("192.0.2.1"), "anna", "wrong", pop3server.ErrCredentials)
	if log.Len() > 0 {
		t.Errorf("a wrong password is explained:\n%s", log)
	}
	tryLogin(t, dirOf(f), from("192.0.2.1"), "anna", "p w", pop3server.ErrCredentials)
	if !strings.Contains(log.String(), `rip=192.0.2.1 user=anna reason="not from this network"`) {
		t.Errorf("logged:\n%s", log)
	}
}

func TestQueueIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewPool(1)
		busy := make(chan struct{})
		var wg sync.WaitGroup
		do := func(ctx context.Context, who *pop3server.Peer, want error) {
			wg.Go(func() {
				if err := p.Do(withPeer(ctx, who), func() error { <-busy; return nil }); !errors.Is(err, want) {
					t.Errorf("got %v, want %v", err, want)
				}
			})
			synctest.Wait()
		}
		ctx, cancel := context.WithCancel(t.Context())
		do(ctx, nil, nil) // at work
		greedy := from("192.0.2.1")
		for range waitingPerSlot / networkShare {
			do(ctx, greedy, context.Canceled)
		}
		if err := p.Do(withPeer(ctx, greedy), nil); err != error(errBusy) || pop3.CodeOf(err) != pop3.CodeSysTemp {
			t.Errorf("more than a quarter from one address: %v", err)
		}
		same := from("2001:db8::1")
		for i := range waitingPerSlot / networkShare {
			do(ctx, from(fmt.Sprintf("2001:db8::%x", i+1)), context.Canceled)
		}
		if err := p.Do(withPeer(ctx, same), nil); err != error(errBusy) {
			t.Errorf("more than a quarter from one /64: %v", err)
		}
		for range waitingPerSlot / 2 { // from this machine: a proxy has many users
			do(ctx, from("127.0.0.1"), context.Canceled)
		}
		if err := p.Do(withPeer(ctx, from("192.0.2.99")), nil); err != error(errBusy) {
			t.Errorf("all places are taken: %v", err)
		}
		cancel()
		synctest.Wait()
		if p.waiting != 0 || len(p.from) != 0 {
			t.Errorf("%d still wait, from %v", p.waiting, p.from)
		}
		close(busy)
		wg.Wait()
		if err := p.Do(withPeer(t.Context(), greedy), func() error { return nil }); err != nil {
			t.Errorf("after all that: %v", err)
		}
	})
}

// Checks that wait for other machines take nobody's processor.
func TestRemoteChecksWaitElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := make(chan struct{})
		e := &Entry{User: "anna", Credentials: []Credential{{Remote: true, Check: func(ctx context.Context, _ string) (bool, error) {
			select {
			case <-slow:
				return true, nil
			case <-ctx.Done():
				return false, ctx.Err()
			}
		}}}}
		d := &Directory{Sources: []Source{&fake{entries: map[string]*Entry{"anna": e, "otto": plain("otto", "p")}}}}
		var wg sync.WaitGroup
		for range remoteChecks {
			wg.Go(func() { tryLogin(t, d, nil, "anna", "p", nil) })
		}
		synctest.Wait()
		tryLogin(t, d, nil, "otto", "p", nil)
		close(slow)
		wg.Wait()
	})
}

func TestCheckThatFailsIsTheServersError(t *testing.T) {
	broken := errors.New("it is broken")
	e := &Entry{User: "anna", Credentials: []Credential{{Check: func(context.Context, string) (bool, error) { return false, broken }}}}
	d := &Directory{Sources: []Source{&fake{entries: map[string]*Entry{"anna": e}}}}
	if _, err := d.Authenticate(t.Context(), nil, "anna", "p"); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	e.Credentials = append(e.Credentials, Credential{Name: "phone", Check: func(_ context.Context, p string) (bool, error) { return p == "q", nil }})
	if who, err := d.Authenticate(t.Context(), nil, "anna", "q"); who.Credential != "phone" || err != nil {
		t.Errorf("a credential that works beside one that does not: %+v, %v", who, err)
	}
}

func TestEntryWithoutPasswordsCostsADecoy(t *testing.T) {
	d := &Directory{Sources: []Source{&fake{entries: map[string]*Entry{"anna": {User: "anna"}}}}}
	tryLogin(t, d, nil, "anna", "", pop3server.ErrCredentials)
	tryLogin(t, d, nil, "anna", "p", pop3server.ErrCredentials)
}

func TestDecoysOfUnseenSources(t *testing.T) {
	d := &Decoys{Key: []byte("key")}
	if e := d.For("nobody"); len(e.Credentials) != 1 || e.Scram[sasl.SHA256].Verifier.Iterations != Iterations {
		t.Errorf("before any was seen: %+v", e)
	}
	seen := &Entry{User: "anna"}
	must(t, seen.AddSecret("", "{SHA512-CRYPT}$6$AbS4sp2dPTn2FrXi$oUc2KNFN328FNbv6eRCwMmErbKi515yFuQ71.YpTfdDMWTfu8tDU7feruTm0zKQy4MviiPHaOATO6DeG/v.Hg1"))
	d.Saw(seen)
	e := d.For("nobody")
	if e.work() != "6" || e.Credentials[0].Check == nil {
		t.Errorf("after one was seen: %+v", e)
	}
	if ok, err := e.Credentials[0].Check(t.Context(), "p w"); ok || err != nil {
		t.Errorf("a decoy lets somebody in: %v, %v", ok, err)
	}
	for i := range 2 * maxClasses {
		d.Saw(&Entry{Credentials: []Credential{{Check: e.Credentials[0].Check, cost: fmt.Sprint(i)}}})
	}
	if len(d.seen) > maxClasses {
		t.Errorf("%d classes", len(d.seen))
	}
	if again := d.For("nobody"); !reflect.DeepEqual(again.Scram, d.For("nobody").Scram) {
		t.Error("a name has two decoys")
	}
}
