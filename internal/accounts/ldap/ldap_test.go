//go:build unix

package ldap

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
	"go.uber.org/goleak"

	"postfach/internal/accounts"
	"postfach/internal/peer"
	"postfach/maildrop"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const entries = `dn: ou=people,dc=example,dc=org
objectClass: organizationalUnit
ou: people

dn: uid=anna,ou=people,dc=example,dc=org
objectClass: inetOrgPerson
uid: anna
cn: Anna
sn: A
mail: anna@example.org
displayName: /srv/mail/a
userPassword: anna's secret

dn: uid=Berta,ou=people,dc=example,dc=org
objectClass: inetOrgPerson
uid: Berta
cn: Berta
sn: B
mail: berta@example.org
mail: both@example.org
userPassword: berta's secret

dn: uid=closed,ou=people,dc=example,dc=org
objectClass: inetOrgPerson
uid: closed
cn: C
sn: C
employeeType: former
userPassword: closed's secret

dn: uid=lost,ou=people,dc=example,dc=org
objectClass: inetOrgPerson
uid: lost
uid: lost2
cn: L
sn: L
mail: both@example.org
displayName: relative/path
userPassword: lost's secret

dn: uid=two,ou=people,dc=example,dc=org
objectClass: inetOrgPerson
uid: two
cn: T
sn: T
displayName: /srv/mail/t
displayName;lang-en: /srv/mail/u
userPassword: two's secret

dn: cn=nobody,ou=people,dc=example,dc=org
objectClass: inetOrgPerson
cn: nobody
sn: N
userPassword: known to a thief

`

const filter = "(&(objectClass=inetOrgPerson)(|(uid={user})(mail={user}))(!(employeeType=former)))"

func start(t *testing.T) *peer.Slapd {
	t.Helper()
	return peer.StartSlapd(t, entries, "")
}

func config(s *peer.Slapd) Config {
	return Config{
		URL:           s.Socket,
		Base:          "ou=people,dc=example,dc=org",
		Filter:        filter,
		UserAttribute: "uid",
		Maildir:       "/var/mail/{user}",
		Timeout:       20 * time.Second,
		Log:           slog.New(slog.DiscardHandler),
	}
}

func open(t *testing.T, c Config) *Source {
	t.Helper()
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// login looks an account up and tries a password. An unknown name tries it at a
// decoy.
func login(t *testing.T, s *Source, user, password string) (*accounts.Entry, bool, error) {
	t.Helper()
	e, err := s.Lookup(t.Context(), user)
	if errors.Is(err, maildrop.ErrNoUser) {
		e = s.Decoy(t.Context(), user)
	} else if err != nil {
		return nil, false, err
	}
	right, err := e.Credentials[0].Check(t.Context(), password)
	return e, right && e.Closed == "", err
}

// secretFile holds a password for searches.
func secretFile(t *testing.T, secret string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(name, []byte(secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestPasswordsAreChecked(t *testing.T) {
	server := start(t)
	byBind := config(server)
	byTLS := config(server)
	byTLS.URL, byTLS.CA = server.TLS, server.Cert.CAFile
	byStartTLS := config(server)
	byStartTLS.URL, byStartTLS.CA, byStartTLS.StartTLS = server.Plain, server.Cert.CAFile, true
	byCompare := config(server)
	byCompare.Verify, byCompare.PasswordAttribute = "compare", "userPassword"
	byCompare.BindDN, byCompare.PasswordFile = peer.SlapdRoot, secretFile(t, peer.SlapdPassword)
	inClear := config(server)
	inClear.URL = server.Plain // on loopback
	for name, c := range map[string]Config{"bind": byBind, "ldaps": byTLS, "starttls": byStartTLS, "compare": byCompare, "clear": inClear} {
		s := open(t, c)
		if err := s.Probe(t.Context()); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, try := range []struct {
			user, password string
			want           bool
		}{
			{"anna", "anna's secret", true},
			{"anna@example.org", "anna's secret", true},
			{"berta", "berta's secret", true},
			{"anna", "anna's secreT", false},
			{"anna", "", false},
			{"berta", "anna's secret", false},
			{"closed", "closed's secret", false}, // the filter keeps it out
			{"lost", "lost's secret", false},     // two values of uid
			{"nobody", "known to a thief", false},
			{"both@example.org", "berta's secret", false}, // two entries
			{"both@example.org", "lost's secret", false},
			{"unknown", "anna's secret", false},
			{"unknown", "", false},
			{"*", "anna's secret", false},
			{"anna)(uid=*", "anna's secret", false},
			{"\x00", "anna's secret", false},
			{`\61nna`, "anna's secret", false}, // "a", escaped
		} {
			_, got, err := login(t, s, try.user, try.password)
			if err != nil || got != try.want {
				t.Errorf("%s: %q %q: got %v %v", name, try.user, try.password, got, err)
			}
		}
	}
}

func TestEntriesSayWhoAndWhere(t *testing.T) {
	server := start(t)
	c := config(server)
	c.MaildirAttribute = "displayName"
	s := open(t, c)
	for _, want := range []struct{ asked, user, maildir, closed string }{
		{"anna", "anna", "/srv/mail/a", ""},
		{"anna@example.org", "anna", "/srv/mail/a", ""},
		{"berta@example.org", "berta", "/var/mail/berta", ""},
		{"lost", "lost", "", "2 values of uid"},
		{"both@example.org", "both@example.org", "", "several entries"},
	} {
		e, err := s.Lookup(t.Context(), want.asked)
		if err != nil {
			t.Errorf("%s: %v", want.asked, err)
			continue
		}
		if e.User != want.user || e.Maildir != want.maildir || !strings.HasPrefix(e.Closed, want.closed) || want.closed == "" && e.Closed != "" {
			t.Errorf("%s: got %q %q %q", want.asked, e.User, e.Maildir, e.Closed)
		}
		if len(e.Credentials) != 1 || !e.Credentials[0].Remote {
			t.Errorf("%s: got %+v", want.asked, e.Credentials)
		}
	}
	c.UserAttribute = ""
	if e, err := open(t, c).Lookup(t.Context(), "lost"); err != nil || !strings.Contains(e.Closed, "expected an absolute path") {
		t.Errorf("a relative path: %+v %v", e, err)
	}
}

// An entry without the attribute that names the account lets nobody in, and whoever
// reads the log hears why, once.
func TestEntryWithoutANameIsTold(t *testing.T) {
	c := config(start(t))
	c.UserAttribute = "employeeNumber"
	var log strings.Builder
	c.Log = slog.New(slog.NewTextHandler(&log, nil))
	s := open(t, c)
	for range 3 {
		if _, right, err := login(t, s, "anna", "anna's secret"); right || err != nil {
			t.Errorf("let in: %v, %v", right, err)
		}
	}
	if got := log.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, "user=anna") || !strings.Contains(got, "0 values of employeeNumber") {
		t.Errorf("logged:\n%s", got)
	}
}

func TestUnknownNamesCostABind(t *testing.T) {
	server := start(t)
	c := config(server)
	for _, decoy := range []string{"", "cn=nobody,ou=people,dc=example,dc=org"} {
		c.DecoyDN = decoy
		s := open(t, c)
		for _, user := range []string{"anna", "unknown", "both@example.org"} {
			if _, right, err := login(t, s, user, "known to a thief"); right || err != nil {
				t.Errorf("%s: got %v %v", user, right, err)
			}
		}
	}
	server.Stop()
	for _, want := range []struct {
		line  string
		times int
	}{
		{"SRCH base=", 6},
		{`BIND dn="uid=anna,ou=people,dc=example,dc=org" method=128`, 2},
		{`BIND dn="cn=[0-9a-f]{16},ou=people,dc=example,dc=org" method=128`, 2},
		{`BIND dn="cn=nobody,ou=people,dc=example,dc=org" method=128`, 2},
	} {
		if got := len(regexp.MustCompile(want.line).FindAllString(server.Log(), -1)); got != want.times {
			t.Errorf("%s: %d times", want.line, got)
		}
	}
}

func TestEmptyPasswordIsNeverSent(t *testing.T) {
	server := peer.StartSlapd(t, entries, "allow bind_anon_cred bind_anon_dn\n")
	s := open(t, config(server))
	if _, right, err := login(t, s, "anna", ""); right || err != nil {
		t.Errorf("got %v %v", right, err)
	}
	server.Stop()
	if strings.Contains(server.Log(), "BIND dn=") {
		t.Errorf("there was a bind:\n%s", server.Log())
	}
}

func TestSecretsStayOutOfErrorsAndLogs(t *testing.T) {
	server := start(t)
	var log strings.Builder
	c := config(server)
	c.Log = slog.New(slog.NewTextHandler(&log, nil))
	c.BindDN, c.PasswordFile = peer.SlapdRoot, secretFile(t, "not the secret")
	s := open(t, c)
	_, err := s.Lookup(t.Context(), "anna")
	if err == nil || errors.Is(err, maildrop.ErrNoUser) || strings.Contains(err.Error(), "not the secret") {
		t.Errorf("got %v", err)
	}
	c.PasswordFile = secretFile(t, peer.SlapdPassword)
	s = open(t, c)
	login(t, s, "both@example.org", "berta's secret")
	server.Stop()
	_, _, err = login(t, s, "both@example.org", "berta's secret")
	if text := log.String() + fmt.Sprint(err); !strings.Contains(text, "several entries") || strings.Contains(text, "berta's secret") || strings.Contains(text, peer.SlapdPassword) {
		t.Errorf("got %s", text)
	}
}

func TestRestartedServerIsAskedAgain(t *testing.T) {
	server := start(t)
	s := open(t, config(server))
	if _, right, err := login(t, s, "anna", "anna's secret"); !right || err != nil {
		t.Fatalf("got %v %v", right, err)
	}
	e, err := s.Lookup(t.Context(), "anna")
	if err != nil {
		t.Fatal(err)
	}
	server.Stop()
	if _, err := s.Lookup(t.Context(), "anna"); err == nil || errors.Is(err, maildrop.ErrNoUser) {
		t.Errorf("the server is away: got %v", err)
	}
	for _, e := range []*accounts.Entry{e, s.Decoy(t.Context(), "unknown")} {
		if right, err := e.Credentials[0].Check(t.Context(), "anna's secret"); right || err == nil {
			t.Errorf("the server is away: %s: got %v %v", e.User, right, err)
		}
	}
	server.Start(t)
	if _, right, err := login(t, s, "anna", "anna's secret"); !right || err != nil {
		t.Errorf("the server is back: got %v %v", right, err)
	}
	// Connections that died in the pool are no error.
	server.Stop()
	server.Start(t)
	if _, right, err := login(t, s, "anna", "anna's secret"); !right || err != nil {
		t.Errorf("the server was restarted: got %v %v", right, err)
	}
}

func TestConnectionsAreBounded(t *testing.T) {
	server := start(t)
	c := config(server)
	c.AtOnce = 2
	s := open(t, c)
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if _, right, err := login(t, s, "anna", "anna's secret"); !right || err != nil {
				t.Errorf("got %v %v", right, err)
			}
		})
	}
	all.Wait()
	server.Stop()
	connections := map[string]bool{}
	for _, found := range regexp.MustCompile(`(conn=[0-9]+) op=[0-9]+ (BIND|SRCH)`).FindAllStringSubmatch(server.Log(), -1) {
		connections[found[1]] = true
	}
	if got := len(connections); got < 2 || got > 4 { // two to search, two to check
		t.Errorf("%d connections", got)
	}
}

func TestCertificatesAreVerified(t *testing.T) {
	server := start(t)
	other := peer.NewCertificate(t)
	for name, change := range map[string]func(*Config){
		"system":     func(c *Config) { c.CA = "" },
		"stranger":   func(c *Config) { c.CA = other.CAFile },
		"wrong name": func(c *Config) { c.URL = strings.Replace(c.URL, "localhost", "127.0.0.2", 1) },
	} {
		for _, startTLS := range []bool{false, true} {
			c := config(server)
			c.CA, c.StartTLS, c.URL = server.Cert.CAFile, startTLS, server.TLS
			if startTLS {
				c.URL = strings.Replace(server.Plain, "127.0.0.1", "localhost", 1)
			}
			change(&c)
			s := open(t, c)
			if err := s.Probe(t.Context()); err == nil {
				t.Errorf("%s, StartTLS %v: no error", name, startTLS)
			}
		}
	}
	server.Stop()
	if strings.Contains(server.Log(), "SRCH") || strings.Contains(server.Log(), "BIND") {
		t.Error("somebody was asked")
	}
}

// A fake is a server that behaves as answer does, on each connection.
func fake(t *testing.T, answer func(net.Conn)) (url string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	t.Cleanup(func() {
		l.Close()
		all.Wait()
	})
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer c.Close()
				answer(c)
			})
		}
	})
	return "ldap://" + l.Addr().String()
}

func TestServersThatMisbehaveAreErrors(t *testing.T) {
	silent := func(c net.Conn) { io.Copy(io.Discard, c) }
	for name, answer := range map[string]func(net.Conn){
		"silent":  silent,
		"gone":    func(c net.Conn) {},
		"garbage": func(c net.Conn) { c.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n")); silent(c) },
		// A packet of 256 MiB.
		"endless": func(c net.Conn) {
			c.Write([]byte{0x30, 0x84, 0x10, 0, 0, 0, 0x04, 0x84, 0x0f, 0xff, 0xff, 0})
			zeros := make([]byte, 1<<16)
			for n := 0; n < 64<<20; n += len(zeros) {
				if _, err := c.Write(zeros); err != nil {
					return
				}
			}
			t.Error("all of it was read")
		},
	} {
		c := config(&peer.Slapd{Socket: fake(t, answer)})
		c.Timeout = 200 * time.Millisecond
		if name == "endless" {
			c.Timeout = time.Minute
		}
		s := open(t, c)
		if _, err := s.Lookup(t.Context(), "anna"); err == nil || errors.Is(err, maildrop.ErrNoUser) {
			t.Errorf("%s: got %v", name, err)
		}
		if right, err := s.Decoy(t.Context(), "anna").Credentials[0].Check(t.Context(), "x"); right || err == nil {
			t.Errorf("%s: got %v %v", name, right, err)
		}
		c.StartTLS = true
		if err := open(t, c).Probe(t.Context()); err == nil {
			t.Errorf("%s: StartTLS: no error", name)
		}
	}
}

func TestWhoGivesUpDoesNotWait(t *testing.T) {
	asked := make(chan struct{}, 1)
	c := config(&peer.Slapd{Socket: fake(t, func(c net.Conn) {
		c.Read(make([]byte, 1))
		asked <- struct{}{}
		io.Copy(io.Discard, c)
	})})
	c.Timeout, c.AtOnce = time.Hour, 1
	s := open(t, c)
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	defer all.Wait()
	all.Go(func() {
		if _, err := s.Lookup(ctx, "anna"); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
	<-asked
	short, stop := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer stop()
	if _, err := s.Lookup(short, "anna"); !errors.Is(err, context.DeadlineExceeded) { // no connection is free
		t.Errorf("got %v", err)
	}
	cancel()
}

// A connection may die when a question is on its way: that is asked once more, on a
// new connection.
func TestQuestionsSurviveTheirConnection(t *testing.T) {
	var mu sync.Mutex
	connections := 0
	c := config(&peer.Slapd{Socket: fake(t, func(c net.Conn) {
		mu.Lock()
		connections++
		first := connections == 1
		mu.Unlock()
		for asked := 0; ; asked++ {
			question, err := ber.ReadPacket(c)
			if err != nil || first && asked == 1 {
				return
			}
			answer := ber.NewSequence("")
			answer.AppendChild(question.Children[0]) // its number
			result := ber.Encode(ber.ClassApplication, ber.TypeConstructed, ldap.ApplicationBindResponse, nil, "")
			result.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagEnumerated, ldap.LDAPResultInvalidCredentials, ""))
			result.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, "", ""))
			result.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, "", ""))
			answer.AppendChild(result)
			c.Write(answer.Bytes())
		}
	})})
	c.AtOnce = 1
	check := open(t, c).Decoy(t.Context(), "anna").Credentials[0].Check
	for range 2 {
		if right, err := check(t.Context(), "x"); right || err != nil {
			t.Errorf("got %v %v", right, err)
		}
	}
	if connections != 2 {
		t.Errorf("%d connections", connections)
	}
}

func TestReferralsAreNotFollowed(t *testing.T) {
	met := make(chan struct{}, 8)
	elsewhere := fake(t, func(net.Conn) { met <- struct{}{} })
	server := peer.StartSlapd(t, entries+"dn: ou=elsewhere,ou=people,dc=example,dc=org\nobjectClass: referral\nobjectClass: extensibleObject\nou: elsewhere\nref: "+elsewhere+"/ou=people,dc=example,dc=org\n\n", "")
	c := config(server)
	if _, err := open(t, c).Lookup(t.Context(), "unknown"); !errors.Is(err, maildrop.ErrNoUser) {
		t.Errorf("got %v", err)
	}
	c.Base = "ou=elsewhere,ou=people,dc=example,dc=org"
	if _, err := open(t, c).Lookup(t.Context(), "anna"); err == nil || errors.Is(err, maildrop.ErrNoUser) {
		t.Errorf("got %v", err)
	}
	select {
	case <-met:
		t.Error("the referral was followed")
	default:
	}
}
