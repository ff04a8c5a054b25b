package pop3check_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"postfach/pop3check"
	"postfach/pop3client"
	"postfach/pop3test"
)

// aLotOfMail is more than is read as a sample.
var aLotOfMail = []string{
	"Subject: one\r\n\r\n.\r\n..\r\n",
	"Subject: two\r\n\r\n",
	"Subject: three\r\n\r\n" + strings.Repeat("three\r\n", 100),
	"Subject: four\r\n\r\nfour",
	"Subject: five\r\n\r\nfive\r\n",
}

// diagnosed is a pop3test server with mail.
func diagnosed(t *testing.T, faults ...pop3test.Fault) *pop3test.Server {
	t.Helper()
	srv := pop3test.NewServer(t)
	for _, m := range aLotOfMail {
		if _, err := srv.Put(pop3test.User, m); err != nil {
			t.Fatal(err)
		}
	}
	srv.Use(faults...)
	return srv
}

// question asks about a pop3test server with its account.
func question(srv *pop3test.Server, addr string, security ...pop3client.Security) pop3check.Question {
	return pop3check.Question{
		Host: addr, Security: security, TLS: srv.ClientTLS(), User: pop3test.User, Password: pop3test.Password,
		Timeout: 5 * time.Second,
	}
}

// diagnose asks and shows the answer when the test fails.
func diagnose(t *testing.T, q pop3check.Question) *pop3check.Diagnosis {
	t.Helper()
	d, err := pop3check.Diagnose(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if !t.Failed() {
			return
		}
		t.Logf("%s (%s)\n%s\n%s", d.Verdict, d.Cause, strings.Join(d.Advice, "\n"), strings.Join(d.Exchange, "\n"))
		for _, r := range d.Findings {
			t.Logf("%s %s: want %s; got %s\n\t%s", r.Status, r.ID, r.Want, r.Got, strings.Join(r.Trace, "\n\t"))
		}
	})
	return d
}

// result returns the last finding with this id.
func result(d *pop3check.Diagnosis, id string) pop3check.Result {
	for _, r := range slices.Backward(d.Findings) {
		if r.ID == id {
			return r
		}
	}
	return pop3check.Result{}
}

// phaseNames are the phases of the server that was used.
func phaseNames(d *pop3check.Diagnosis) string {
	var names []string
	if d.Used != nil {
		for _, p := range d.Used.Phases {
			names = append(names, p.Name)
		}
	}
	return strings.Join(names, " ")
}

// said are the lines that clients said, in clear or in TLS.
func said(srv *pop3test.Server, inTLS bool) string {
	var all strings.Builder
	for _, rec := range srv.Recordings() {
		tls := false
		for _, e := range rec.Events {
			tls = tls || e.Kind == pop3check.TLSBegun
			if e.Kind == pop3check.ClientSaid && tls == inTLS {
				all.WriteString(e.Octets)
			}
		}
	}
	return all.String()
}

func TestDiagnosisOfAServerThatWorks(t *testing.T) {
	t.Parallel()
	for _, tr := range transports {
		t.Run(tr.name, func(t *testing.T) {
			t.Parallel()
			srv := diagnosed(t)
			addr := srv.Addr
			if tr.security == pop3client.ImplicitTLS {
				addr = srv.AddrTLS
			}
			d := diagnose(t, question(srv, addr, tr.security))
			if !d.OK || !d.LoggedIn || d.Cause != "" || d.Whose != pop3check.Nobodys {
				t.Errorf("OK %v, logged in %v, cause %q, whose %q", d.OK, d.LoggedIn, d.Cause, d.Whose)
			}
			m := d.Maildrop
			if m == nil || m.Count != 5 || m.Listed != 5 || m.Octets != m.Sum || m.UniqueIDs != 5 || len(m.Samples) != 3 || m.Pipelining != "works" {
				t.Errorf("maildrop %+v", m)
			}
			phases := map[string]string{
				"clear": "name connect greeting login stat list uidl retr",
				"stls":  "name connect greeting tls login stat list uidl retr",
				"tls":   "name connect tls greeting login stat list uidl retr",
			}
			if got := phaseNames(d); got != phases[tr.name] {
				t.Errorf("phases %s", got)
			}
			if (d.Used.TLS != nil) != (tr.name != "clear") || tr.name != "clear" && (!d.Used.TLS.Trusted || len(d.Used.TLS.Pin) != 64 || d.Used.TLS.Days < 300) {
				t.Errorf("TLS %+v", d.Used.TLS)
			}
			if tr.name == "stls" && d.Used.KeepsClear == "" {
				t.Error("nothing about octets behind STLS")
			}
			if d.Used.Inside == nil || (d.Used.Clear == nil) != (tr.name == "tls") || (d.Used.InTLS == nil) != (tr.name == "clear") {
				t.Errorf("capabilities %v, %v, %v", d.Used.Clear, d.Used.InTLS, d.Used.Inside)
			}
		})
	}
}

// Nothing is deleted, and a session in which a message was read is not ended
// by QUIT.
func TestDiagnosisIsNotDestructive(t *testing.T) {
	t.Parallel()
	srv := diagnosed(t)
	diagnose(t, question(srv, srv.AddrTLS, pop3client.ImplicitTLS))
	for _, rec := range srv.Recordings() {
		read := false
		for _, e := range rec.Events {
			word, _, _ := strings.Cut(strings.TrimSpace(e.Octets), " ")
			if e.Kind != pop3check.ClientSaid {
				continue
			}
			read = read || word == "RETR"
			if word == "DELE" || read && word == "QUIT" {
				t.Errorf("%s on connection %d", word, rec.Number)
			}
		}
	}
	empty := pop3test.NewServer(t)
	if d := diagnose(t, question(empty, empty.AddrTLS, pop3client.ImplicitTLS)); !d.OK {
		t.Error("an empty maildrop is no fault")
	}
	if words := strings.Fields(said(empty, true)); words[len(words)-1] != "QUIT" {
		t.Errorf("a session without RETR ends with %s", words[len(words)-1])
	}
}

// The words that providers refuse logins with, and what they mean.
func TestDiagnosisOfARefusedLogin(t *testing.T) {
	t.Parallel()
	for reply, cause := range map[string]string{
		"-ERR [AUTH] Invalid login":                                       "password",
		"-ERR authentication failed":                                      "password",
		"-ERR Logon failure: unknown user name or bad password.":          "password",
		"-ERR [AUTH] Username and password not accepted.":                 "password",
		"-ERR [AUTH] Application-specific password required: see the web": "app-password",
		"-ERR Basic authentication is disabled":                           "oauth-only",
		"-ERR [SYS/PERM] Your account is not enabled for POP access.":     "pop-off",
		"-ERR Your account is not enabled for POP access.":                "pop-off",
		"-ERR no":        "login",
		"-ERR [AUTH] no": "password",
		"-ERR [AUTH] User is disabled for POP3, POP3 access is not allowed": "pop-off",
		"-ERR POP3 ist in den Einstellungen nicht aktiviert":                "pop-off",
		"-ERR [AUTH] Web login required: see the web":                       "web-login",
		"-ERR [IN-USE] Do you have another POP session running?":            "in-use",
		"-ERR maildrop already locked":                                      "in-use",
		"-ERR [LOGIN-DELAY] wait":                                           "login-delay",
		"-ERR minimum login interval not reached":                           "login-delay",
		"-ERR Too many connections from your address":                       "too-many",
		"-ERR [SYS/TEMP] the store is away":                                 "sys-temp",
		"-ERR temporary failure":                                            "sys-temp",
		"-ERR [SYS/PERM] the store is broken":                               "sys-perm",
	} {
		t.Run(reply, func(t *testing.T) {
			t.Parallel()
			srv := diagnosed(t, refusing(reply))
			d := diagnose(t, question(srv, srv.AddrTLS, pop3client.ImplicitTLS))
			if d.Cause != cause || d.OK || d.LoggedIn || !d.Unreachable() {
				t.Errorf("cause %q, want %q", d.Cause, cause)
			}
			if len(d.Advice) == 0 || d.Whose == pop3check.Nobodys || !strings.HasPrefix(d.Verdict, "no login: ") {
				t.Errorf("verdict %q, whose %q, advice %q", d.Verdict, d.Whose, d.Advice)
			}
			if !slices.Contains(d.Exchange, "S: "+reply) {
				t.Error("the exchange does not show the reply")
			}
		})
	}
}

// refusing answers logins like this.
func refusing(reply string) pop3test.Fault {
	return pop3test.Fault{Name: "refuses", Command: func(e *pop3test.Exchange) bool {
		if e.Is("PASS") || e.Is("AUTH") {
			e.Reply = reply + "\r\n"
			return true
		}
		return false
	}}
}

// announcing makes CAPA say this.
func announcing(lines ...string) pop3test.Fault {
	return pop3test.Fault{Name: "announces", Command: func(e *pop3test.Exchange) bool {
		if e.Is("CAPA") {
			e.Reply = "+OK\r\n" + strings.Join(lines, "\r\n") + "\r\n.\r\n"
		}
		return e.Is("CAPA")
	}}
}

func TestDiagnosisOfAWrongPassword(t *testing.T) {
	t.Parallel()
	srv := diagnosed(t)
	for _, addr := range []string{srv.Addr, srv.AddrTLS} {
		q := question(srv, addr)
		q.Password = "something else"
		d := diagnose(t, q)
		if d.Cause != "password" || d.Whose != pop3check.Account {
			t.Errorf("cause %q, whose %q", d.Cause, d.Whose)
		}
	}
}

func TestDiagnosisOfMechanisms(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		capa      []string
		password  string
		cause     string
		mechanism string
	}{
		"plain":        {[]string{"USER", "SASL LOGIN PLAIN"}, pop3test.Password, "", "PLAIN"},
		"user":         {[]string{"USER", "SASL XOAUTH2"}, pop3test.Password, "", "USER and PASS"},
		"nothing":      {[]string{"UIDL"}, pop3test.Password, "", "USER and PASS"},
		"oauth":        {[]string{"UIDL", "SASL XOAUTH2 OAUTHBEARER"}, pop3test.Password, "oauth-only", ""},
		"unknown":      {[]string{"UIDL", "SASL GSSAPI"}, pop3test.Password, "no-mechanism", ""},
		"unsendable":   {[]string{"USER"}, "a\r\nb", "unsendable", ""},
		"not ASCII":    {[]string{"USER"}, "Käse", "unsendable", ""},
		"utf8 is sent": {[]string{"USER", "UTF8 USER"}, "Käse", "password", "USER and PASS"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := diagnosed(t, announcing(c.capa...))
			q := question(srv, srv.AddrTLS, pop3client.ImplicitTLS)
			q.Password = c.password
			d := diagnose(t, q)
			if cause := d.Cause; cause != c.cause && (c.cause != "" || cause != "findings") || d.Used.Mechanism != c.mechanism {
				t.Errorf("cause %q, want %q; mechanism %q, want %q", cause, c.cause, d.Used.Mechanism, c.mechanism)
			}
		})
	}
}

// SCRAM-SHA-256 comes before PLAIN.
func TestDiagnosisByScram(t *testing.T) {
	t.Parallel()
	scram, ok := pop3test.Breaking("P3-SCRAM-02") // the server has the mechanism; not another one
	if !ok {
		t.Fatal("no fault has SCRAM-SHA-256")
	}
	srv := diagnosed(t, scram)
	d := diagnose(t, question(srv, srv.AddrTLS, pop3client.ImplicitTLS))
	if !d.LoggedIn || d.Used.Mechanism != "SCRAM-SHA-256" {
		t.Errorf("logged in %v with %q", d.LoggedIn, d.Used.Mechanism)
	}
	// The challenges would be enough to guess the password against.
	for _, line := range result(d, "login").Trace {
		if text, found := strings.CutPrefix(line, "S: + "); found && text != "" && text != "<secret>" {
			t.Errorf("the exchange shows %q", line)
		}
	}
}

// A server that says +OK in the middle of SCRAM has proved nothing.
func TestDiagnosisOfAServerWithoutProof(t *testing.T) {
	t.Parallel()
	srv := diagnosed(t, announcing("SASL SCRAM-SHA-256"), pop3test.Fault{Command: func(e *pop3test.Exchange) bool {
		if e.Is("AUTH") {
			e.Reply = "+OK come in\r\n"
		}
		return e.Is("AUTH")
	}})
	if d := diagnose(t, question(srv, srv.AddrTLS, pop3client.ImplicitTLS)); d.Cause != "unproved" || d.LoggedIn {
		t.Errorf("cause %q", d.Cause)
	}
}

// The whole address is tried first, what stands before the @ on [AUTH] only
// (P3-DISC-05).
func TestDiagnosisTriesTheLocalPartOnce(t *testing.T) {
	t.Parallel()
	srv := diagnosed(t)
	q := question(srv, pop3test.User+"@localhost")
	q.User, q.TLS = "", srv.ClientTLS()
	q.Resolver = nameServer(t, map[string]string{
		"SRV _pop3s._tcp.localhost": "0 0 995 localhost.",
	})
	q.HTTP = noHTTP()
	q.DialContext = toServer(srv)
	d := diagnose(t, q)
	if !d.LoggedIn || d.User != pop3test.User || !d.OK {
		t.Errorf("logged in %v as %q, cause %q", d.LoggedIn, d.User, d.Cause)
	}

	without := diagnosed(t, refusing("-ERR wrong password"))
	q.DialContext, q.TLS = toServer(without), without.ClientTLS()
	if d := diagnose(t, q); d.User != pop3test.User+"@localhost" || strings.Count(said(without, true), "AUTH") != 1 {
		t.Errorf("tried %q\n%s", d.User, said(without, true))
	}
}

// toServer connects the usual ports, of whatever address, to a pop3test server.
func toServer(srv *pop3test.Server) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		_, port, _ := net.SplitHostPort(addr)
		switch port {
		case "995":
			addr = srv.AddrTLS
		case "110":
			addr = srv.Addr
		default:
			return nil, syscall.ECONNREFUSED
		}
		return new(net.Dialer).DialContext(ctx, network, addr)
	}
}

// The password is not written: the certificate is bad, whatever else is good.
func TestDiagnosisOfCertificates(t *testing.T) {
	t.Parallel()
	root := newIssuer(t)
	now := time.Now()
	for name, c := range map[string]struct {
		leaf  tls.Certificate
		roots *x509.CertPool
		host  string
		cause string
	}{
		"good":    {root.issue(t, "localhost", now.AddDate(0, -1, 0), now.AddDate(0, 2, 0)), root.pool, "localhost", ""},
		"name":    {root.issue(t, "pop.other.example", now.AddDate(0, -1, 0), now.AddDate(0, 2, 0)), root.pool, "localhost", "certificate-name"},
		"expired": {root.issue(t, "localhost", now.AddDate(0, -2, 0), now.AddDate(0, -1, 0)), root.pool, "localhost", "certificate-expired"},
		"early":   {root.issue(t, "localhost", now.AddDate(0, 1, 0), now.AddDate(0, 2, 0)), root.pool, "localhost", "certificate-early"},
		"issuer":  {root.issue(t, "localhost", now.AddDate(0, -1, 0), now.AddDate(0, 2, 0)), x509.NewCertPool(), "localhost", "certificate-issuer"},
		"use":     {root.forClients(t), root.pool, "localhost", "certificate-chain"},
		"soon":    {root.issue(t, "localhost", now.AddDate(0, -2, 0), now.AddDate(0, 0, 3)), root.pool, "localhost", "findings"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := diagnosed(t, pop3test.Fault{TLS: func(conf *tls.Config) { conf.Certificates = []tls.Certificate{c.leaf} }})
			for _, addr := range []string{srv.AddrTLS, srv.Addr} {
				security := pop3client.ImplicitTLS
				if addr == srv.Addr {
					security = pop3client.RequireSTLS
				}
				q := question(srv, addr, security)
				q.TLS = &tls.Config{RootCAs: c.roots, ServerName: c.host}
				d := diagnose(t, q)
				if d.Cause != c.cause {
					t.Errorf("%s: cause %q, want %q", addr, d.Cause, c.cause)
				}
				if bad := strings.HasPrefix(c.cause, "certificate"); bad == d.LoggedIn {
					t.Errorf("%s: logged in %v", addr, d.LoggedIn)
				}
				if d.Used == nil || d.Used.TLS == nil || d.Used.InTLS == nil {
					t.Error("the report stops at the certificate")
				}
				// A pin is trusted instead.
				q.Pin = strings.ToUpper(d.Used.TLS.Pin)
				if d := diagnose(t, q); !d.LoggedIn {
					t.Errorf("%s: no login with the right pin: %s", addr, d.Cause)
				}
				q.Pin = strings.Repeat("00", 32)
				if d := diagnose(t, q); d.LoggedIn || d.Cause != "certificate-pin" {
					t.Errorf("%s: with a wrong pin: logged in %v, cause %q", addr, d.LoggedIn, d.Cause)
				}
			}
		})
	}
}

// Each connection is judged for itself: the password is not written when the
// second one has another certificate.
func TestDiagnosisJudgesEachConnection(t *testing.T) {
	t.Parallel()
	root := newIssuer(t)
	now := time.Now()
	good := root.issue(t, "localhost", now.AddDate(0, -1, 0), now.AddDate(0, 2, 0))
	bad := newIssuer(t).issue(t, "localhost", now.AddDate(0, -1, 0), now.AddDate(0, 2, 0))
	var handshakes atomic.Int32
	srv := diagnosed(t, pop3test.Fault{TLS: func(conf *tls.Config) {
		conf.Certificates = []tls.Certificate{good}
		if handshakes.Add(1) > 1 {
			conf.Certificates = []tls.Certificate{bad}
		}
	}})
	q := question(srv, srv.AddrTLS, pop3client.ImplicitTLS)
	q.TLS = &tls.Config{RootCAs: root.pool, ServerName: "localhost"}
	if d := diagnose(t, q); d.LoggedIn || d.OK || strings.Contains(said(srv, true), "AUTH") || handshakes.Load() < 2 {
		t.Errorf("logged in %v, cause %q", d.LoggedIn, d.Cause)
	}
}

// An issuer signs certificates.
type issuer struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pool *x509.CertPool
}

func newIssuer(t *testing.T) *issuer {
	t.Helper()
	i := &issuer{pool: x509.NewCertPool()}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "an issuer"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().AddDate(-1, 0, 0), NotAfter: time.Now().AddDate(1, 0, 0), KeyUsage: x509.KeyUsageCertSign,
	}
	i.cert, i.key = i.sign(t, template)
	i.pool.AddCert(i.cert)
	return i
}

// sign signs with a new key; the first certificate is signed by itself.
func (i *issuer) sign(t *testing.T, template *x509.Certificate) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	by, byKey := i.cert, i.key
	if by == nil {
		by, byKey = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, by, key.Public(), byKey)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert, key
}

func (i *issuer) issue(t *testing.T, name string, from, to time.Time) tls.Certificate {
	t.Helper()
	cert, key := i.sign(t, &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name}, NotBefore: from, NotAfter: to,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	})
	return tls.Certificate{Certificate: [][]byte{cert.Raw}, PrivateKey: key}
}

// forClients is a certificate that no server may have.
func (i *issuer) forClients(t *testing.T) tls.Certificate {
	t.Helper()
	cert, key := i.sign(t, &x509.Certificate{
		SerialNumber: big.NewInt(3), DNSNames: []string{"localhost"}, NotBefore: time.Now().AddDate(0, -1, 0), NotAfter: time.Now().AddDate(0, 2, 0),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	return tls.Certificate{Certificate: [][]byte{cert.Raw}, PrivateKey: key}
}

// saying is a server that says this and reads until its client goes. "" says
// nothing.
func saying(t *testing.T, greeting string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var served sync.WaitGroup
	var mu sync.Mutex // guards conns
	var conns []net.Conn
	served.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			conns = append(conns, c)
			mu.Unlock()
			served.Go(func() {
				defer c.Close()
				io.WriteString(c, greeting)
				io.Copy(io.Discard, c)
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		mu.Lock()
		for _, c := range conns {
			c.Close()
		}
		mu.Unlock()
		served.Wait()
	})
	return l.Addr().String()
}

func TestDiagnosisOfOtherServers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, greeting, cause string }{
		{"smtp", "220 mail.example.org ESMTP ready\r\n", "smtp"},
		{"imap", "* OK [CAPABILITY IMAP4rev2] ready\r\n", "imap"},
		{"http", "HTTP/1.1 400 Bad Request\r\n\r\n", "http"},
		{"ssh", "SSH-2.0-server\r\n", "not-pop3"},
		{"alert", "\x15\x03\x03\x00\x02\x02\x46", "tls-on-plain"},
		{"refusal", "-ERR [SYS/TEMP] too busy\r\n", "refused-greeting"},
		{"silence", "", "silent"},
	} {
		for _, security := range []pop3client.Security{pop3client.RequireSTLS, pop3client.ImplicitTLS} {
			t.Run(fmt.Sprintf("%s-%d", c.name, security), func(t *testing.T) {
				t.Parallel()
				cause := c.cause
				if security == pop3client.ImplicitTLS {
					switch c.name {
					case "refusal":
						cause = "plain-on-tls"
					case "alert":
						cause = "tls"
					}
				}
				q := pop3check.Question{Host: saying(t, c.greeting), Security: []pop3client.Security{security}, Timeout: time.Second}
				if d := diagnose(t, q); d.Cause != cause || d.Used != nil || !d.Unreachable() {
					t.Errorf("cause %q, want %q", d.Cause, cause)
				}
			})
		}
	}
}

// A web server speaks only when spoken to, and in TLS about other protocols.
func TestDiagnosisOfWebServers(t *testing.T) {
	t.Parallel()
	plain, secure := httptest.NewServer(nil), httptest.NewUnstartedServer(nil)
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.StartTLS()
	defer plain.Close()
	defer secure.Close()
	for _, c := range []struct {
		addr     string
		security pop3client.Security
		cause    string
	}{
		{plain.Listener.Addr().String(), pop3client.RequireSTLS, "http"},
		{plain.Listener.Addr().String(), pop3client.ImplicitTLS, "http"},
		{secure.Listener.Addr().String(), pop3client.ImplicitTLS, "not-pop3"},
	} {
		if d := diagnose(t, pop3check.Question{Host: c.addr, Security: []pop3client.Security{c.security}, Timeout: time.Second}); d.Cause != c.cause {
			t.Errorf("cause %q, want %q", d.Cause, c.cause)
		}
	}
}

func TestDiagnosisOfAServerThatHangsUp(t *testing.T) {
	t.Parallel()
	srv := diagnosed(t, pop3test.Fault{Greet: func(*pop3test.Session, string) string { return "" }})
	for _, q := range []pop3check.Question{question(srv, srv.Addr, pop3client.RequireSTLS), question(srv, srv.AddrTLS, pop3client.ImplicitTLS)} {
		if d := diagnose(t, q); d.Cause != "hangup" {
			t.Errorf("cause %q", d.Cause)
		}
	}
}

func TestDiagnosisOfTheWrongKindOfTLS(t *testing.T) {
	t.Parallel()
	srv := diagnosed(t)
	for _, c := range []struct {
		addr     string
		security pop3client.Security
		cause    string
	}{
		{srv.Addr, pop3client.ImplicitTLS, "plain-on-tls"},
		{srv.AddrTLS, pop3client.RequireSTLS, "tls-on-plain"},
		{srv.AddrTLS, pop3client.Cleartext, "tls-on-plain"},
	} {
		q := question(srv, c.addr, c.security)
		q.Timeout = time.Second
		if d := diagnose(t, q); d.Cause != c.cause || d.Whose != pop3check.Settings {
			t.Errorf("cause %q, want %q", d.Cause, c.cause)
		}
	}
	// Without flags the right one is found.
	for _, addr := range []string{srv.Addr, srv.AddrTLS} {
		q := question(srv, addr)
		q.Security = nil
		if d := diagnose(t, q); !d.OK {
			t.Errorf("%s: cause %q", addr, d.Cause)
		}
	}
}

func TestDiagnosisOfPorts(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := l.Addr().String()
	l.Close()
	if d := diagnose(t, pop3check.Question{Host: closed, Timeout: time.Second}); d.Cause != "port-refused" {
		t.Errorf("cause %q", d.Cause)
	}
	failing := func(err error) func(context.Context, string, string) (net.Conn, error) {
		return func(context.Context, string, string) (net.Conn, error) { return nil, err }
	}
	d := diagnose(t, pop3check.Question{Host: "192.0.2.1", DialContext: failing(syscall.ENETUNREACH)})
	if d.Cause != "unreachable" || len(d.Candidates) != 2 {
		t.Errorf("cause %q, %d candidates", d.Cause, len(d.Candidates))
	}
	d = diagnose(t, pop3check.Question{Host: "192.0.2.1", DialContext: failing(syscall.ECONNREFUSED)})
	if !strings.Contains(d.Verdict, "ports 995 and 110") {
		t.Errorf("verdict %q", d.Verdict)
	}
	d = diagnose(t, pop3check.Question{Host: "192.0.2.1", DialContext: failing(errors.New("something"))})
	if d.Cause != "connect" {
		t.Errorf("cause %q", d.Cause)
	}
}

// An address that does not work is noted, and the next one is tried.
func TestDiagnosisOfAddresses(t *testing.T) {
	t.Parallel()
	srv := diagnosed(t)
	q := question(srv, "pop.example.org", pop3client.ImplicitTLS)
	q.Resolver = nameServer(t, map[string]string{"A pop.example.org": "192.0.2.1, 192.0.2.2"})
	var mu sync.Mutex // guards first
	first := ""
	q.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		mu.Lock()
		defer mu.Unlock()
		if first == "" || first == addr {
			first = addr
			return nil, syscall.ECONNREFUSED
		}
		return toServer(srv)(ctx, network, addr)
	}
	d := diagnose(t, q)
	if !d.OK || !d.LoggedIn || len(d.Used.Addresses) != 2 || result(d, "addresses").Status != pop3check.Fail {
		t.Errorf("cause %q, %+v", d.Cause, d.Used)
	}
}

func TestDiagnosisReadsAsManyMessagesAsAsked(t *testing.T) {
	t.Parallel()
	srv := diagnosed(t)
	for _, c := range []struct {
		samples int
		size    int64
		want    []int
	}{{0, 0, []int{1, 3, 5}}, {1, 0, []int{1}}, {2, 0, []int{1, 5}}, {9, 0, []int{1, 2, 3, 4, 5}}, {-1, 0, nil}, {0, 25, []int{1, 2, 5}}, {0, 1, nil}} {
		q := question(srv, srv.AddrTLS)
		q.Samples, q.SampleSize = c.samples, c.size
		d := diagnose(t, q)
		var got []int
		for _, s := range d.Maildrop.Samples {
			got = append(got, s.Number)
		}
		if !slices.Equal(got, c.want) || !d.OK {
			t.Errorf("%+v: %v", c, got)
		}
	}
}

// Both usual ports are reported, and the login goes over the one with TLS.
func TestDiagnosisOfABareHost(t *testing.T) {
	t.Parallel()
	srv := diagnosed(t)
	q := question(srv, "127.0.0.1")
	q.Security, q.DialContext = nil, toServer(srv)
	d := diagnose(t, q)
	if !d.OK || len(d.Candidates) != 2 || !d.Candidates[0].Works || !d.Candidates[1].Works || d.Used.Port != 995 {
		t.Errorf("%+v", d.Candidates)
	}
	if in := said(srv, false); strings.Contains(in, "PASS") || strings.Contains(in, "AUTH") {
		t.Errorf("in clear: %s", in)
	}
}

// Without TLS nothing secret is written, unless the address is loopback or the
// person says so.
func TestDiagnosisSendsNoPasswordInClear(t *testing.T) {
	t.Parallel()
	srv := diagnosed(t)
	q := question(srv, "192.0.2.1:110", pop3client.Cleartext)
	q.DialContext = toServer(srv)
	d := diagnose(t, q)
	if d.Cause != "login-cleartext" || d.LoggedIn || result(d, "login").Status != pop3check.Skip {
		t.Errorf("cause %q", d.Cause)
	}
	if d.Used.CleartextLogin != "taken" || result(d, "cleartext-password").Status != pop3check.Fail || d.Counts(result(d, "cleartext-password")) {
		t.Errorf("passwords in clear: %q", d.Used.CleartextLogin)
	}
	out := said(srv, false)
	if strings.Contains(out, "PASS") || strings.Contains(out, "AUTH") || strings.Contains(out, "USER "+pop3test.User+"\r\n") {
		t.Errorf("said in clear: %s", out)
	}
	q.AllowCleartext = true
	if d := diagnose(t, q); !d.LoggedIn {
		t.Errorf("cause %q", d.Cause)
	}

	refuses := diagnosed(t, announcing("STLS", "UIDL"), pop3test.Fault{Command: func(e *pop3test.Exchange) bool {
		if (e.Is("USER") || e.Is("PASS") || e.Is("AUTH")) && !e.TLS {
			e.Reply = "-ERR plaintext authentication disallowed\r\n"
			return true
		}
		return false
	}})
	q = question(refuses, refuses.Addr, pop3client.Cleartext)
	if d := diagnose(t, q); d.Cause != "tls-wanted" || d.Used.CleartextLogin != "refused" {
		t.Errorf("cause %q, passwords in clear: %q", d.Cause, d.Used.CleartextLogin)
	}
}

func TestDiagnosisOfSTLS(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		fault pop3test.Fault
		cause string
	}{
		{"not offered", announcing("USER", "UIDL"), "stls-missing"},
		{"refused", pop3test.Fault{Command: answer("STLS", "-ERR not now\r\n")}, "stls-refused"},
		{"octets behind", pop3test.Fault{Command: answer("STLS", "+OK go\r\n+OK more\r\n")}, "stls-octets"},
		{"kept", pop3test.Fault{Command: func(e *pop3test.Exchange) bool {
			e.KeepClear = e.KeepClear || e.Is("STLS")
			return false
		}}, "findings"},
		{"no handshake", pop3test.Fault{TLS: func(conf *tls.Config) { conf.Certificates = nil }}, "tls"},
		{"old", pop3test.Fault{TLS: func(conf *tls.Config) { conf.MinVersion, conf.MaxVersion = tls.VersionTLS10, tls.VersionTLS11 }}, "tls-old"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			srv := diagnosed(t, c.fault)
			d := diagnose(t, question(srv, srv.Addr, pop3client.RequireSTLS))
			if d.Cause != c.cause {
				t.Errorf("cause %q, want %q", d.Cause, c.cause)
			}
			if kept := result(d, "P3-TLS-06"); c.name == "kept" && (kept.Status != pop3check.Fail || !d.Counts(kept)) {
				t.Errorf("octets behind STLS: %+v", kept)
			}
			if in := said(srv, false); strings.Contains(in, "PASS") || strings.Contains(in, "AUTH") {
				t.Errorf("in clear: %s", in)
			}
		})
	}
	old := diagnosed(t, pop3test.Fault{TLS: func(conf *tls.Config) { conf.MinVersion, conf.MaxVersion = tls.VersionTLS10, tls.VersionTLS11 }})
	if d := diagnose(t, question(old, old.AddrTLS, pop3client.ImplicitTLS)); d.Cause != "tls-old" {
		t.Errorf("cause %q", d.Cause)
	}
}

// answer answers a keyword like this.
func answer(keyword, reply string) func(e *pop3test.Exchange) bool {
	return func(e *pop3test.Exchange) bool {
		if e.Is(keyword) {
			e.Reply = reply
		}
		return e.Is(keyword)
	}
}

// What the maildrop's listings and messages show.
func TestDiagnosisOfMaildrops(t *testing.T) {
	t.Parallel()
	change := func(keyword string, f func(reply string) string) pop3test.Fault {
		return pop3test.Fault{Command: func(e *pop3test.Exchange) bool {
			if !e.Is(keyword) {
				return false
			}
			e.Reply = f(e.Forward())
			return true
		}}
	}
	for _, c := range []struct {
		id    string
		fault pop3test.Fault
	}{
		{"P3-STAT-05", pop3test.Fault{Command: answer("STAT", "+OK 5 1\r\n")}},
		{"P3-MSG-01", change("LIST", func(reply string) string { return strings.Replace(reply, "\r\n5 ", "\r\n7 ", 1) })},
		{"P3-UIDL-01", change("UIDL", func(reply string) string { return reply[:strings.Index(reply, "\r\n5 ")] + "\r\n.\r\n" })},
		{"P3-UIDL-03", change("UIDL", func(string) string { return "+OK\r\n1 a\r\n2 b c\r\n3 c\r\n4 d\r\n5 e\r\n.\r\n" })},
		{"P3-UIDL-04", change("UIDL", func(string) string { return "+OK\r\n1 a\r\n2 b\r\n3 a\r\n4 d\r\n5 e\r\n.\r\n" })},
		{"P3-UIDL-08", pop3test.Fault{Command: answer("UIDL", "-ERR what?\r\n")}},
		{"P3-MSG-05", change("RETR", func(reply string) string { return strings.Replace(reply, "Subject", "Sub", 1) })},
		{"P3-TOP-03", change("TOP", func(reply string) string { return strings.Replace(reply, "\r\n.\r\n", "\r\nmore\r\n.\r\n", 1) })},
		{"P3-TOP-07", pop3test.Fault{Command: answer("TOP", "-ERR what?\r\n")}},
		{"P3-PIPE-01", pop3test.Fault{Command: func(e *pop3test.Exchange) bool {
			if e.Is("NOOP") {
				e.Reply = e.Ask("STAT")
			}
			return e.Is("NOOP")
		}}},
	} {
		t.Run(c.id, func(t *testing.T) {
			t.Parallel()
			srv := diagnosed(t, c.fault)
			d := diagnose(t, question(srv, srv.AddrTLS, pop3client.ImplicitTLS))
			r := result(d, c.id)
			for _, one := range d.Findings {
				if one.ID == c.id && one.Status == pop3check.Fail {
					r = one
				}
			}
			if r.Status != pop3check.Fail || !d.Counts(r) || r.Want == "" || r.Got == "" || len(r.Trace) < 2 || r.Level == "" {
				t.Errorf("%+v", r)
			}
			if d.OK || d.Cause != "findings" || len(d.Advice) == 0 || d.Unreachable() {
				t.Errorf("cause %q, advice %q", d.Cause, d.Advice)
			}
		})
	}
}

// A session that breaks after the login is told from one that works.
func TestDiagnosisOfABrokenSession(t *testing.T) {
	t.Parallel()
	for _, keyword := range []string{"STAT", "LIST", "UIDL", "RETR", "TOP"} {
		srv := diagnosed(t, pop3test.Fault{Command: func(e *pop3test.Exchange) bool {
			if e.Is(keyword) {
				e.Reply, e.Hangup = "+OK 5", true
			}
			return e.Is(keyword)
		}})
		d := diagnose(t, question(srv, srv.AddrTLS, pop3client.ImplicitTLS))
		if d.Cause != "session" || d.OK || !slices.ContainsFunc(d.Exchange, func(line string) bool { return strings.HasPrefix(line, "C: "+keyword) }) {
			t.Errorf("%s: cause %q", keyword, d.Cause)
		}
	}
}

func TestDiagnosisSaysWhatCapabilitiesMean(t *testing.T) {
	t.Parallel()
	srv := diagnosed(t, announcing("USER", "TOP", "UIDL", "EXPIRE 0", "LOGIN-DELAY 300"))
	d := diagnose(t, question(srv, srv.AddrTLS, pop3client.ImplicitTLS))
	m := d.Maildrop
	if m == nil || !strings.Contains(m.LoginDelay, "300 seconds") || !strings.Contains(m.Expire, "removed") || len(m.Samples) != 0 {
		t.Errorf("%+v", m)
	}
	if strings.Contains(said(srv, true), "RETR") {
		t.Error("a message was read although EXPIRE 0 says that it goes then")
	}
	if m != nil && !strings.HasPrefix(m.Pipelining, "not announced") {
		t.Errorf("pipelining %q", m.Pipelining)
	}
}

// Without CAPA, or with a server that hangs up when it hears it, the rest is
// found out.
func TestDiagnosisWithoutCAPA(t *testing.T) {
	t.Parallel()
	for _, hangup := range []bool{false, true} {
		srv := diagnosed(t, pop3test.Fault{Command: func(e *pop3test.Exchange) bool {
			if e.Is("CAPA") {
				e.Reply, e.Hangup = "-ERR what?\r\n", hangup
				if hangup {
					e.Reply = ""
				}
			}
			return e.Is("CAPA")
		}})
		if d := diagnose(t, question(srv, srv.AddrTLS, pop3client.ImplicitTLS)); !d.LoggedIn || !d.OK {
			t.Errorf("hangup %v: cause %q", hangup, d.Cause)
		}
	}
}

// What a server repeats of the password is not in the report.
func TestDiagnosisHidesThePassword(t *testing.T) {
	t.Parallel()
	const secret = "correct horse"
	plain := base64.StdEncoding.EncodeToString([]byte("\x00user\x00" + secret))
	srv := diagnosed(t, refusing("-ERR "+secret+" is wrong, and so is "+plain))
	for _, capa := range []string{"SASL PLAIN", "USER"} {
		srv.Use(announcing(capa))
		q := question(srv, srv.AddrTLS, pop3client.ImplicitTLS)
		q.Password = secret
		if d := diagnose(t, q); strings.Contains(fmt.Sprintf("%+v", d), secret) || strings.Contains(fmt.Sprintf("%+v", d), plain) {
			t.Errorf("%+v", d)
		}
		srv.Behave()
		srv.Use(refusing("-ERR " + secret + " is wrong, and so is " + plain))
	}
}

// A stop before the login is still a report.
func TestDiagnosisWithoutAnAccount(t *testing.T) {
	t.Parallel()
	srv := diagnosed(t)
	q := question(srv, srv.AddrTLS)
	q.User, q.Password = "", ""
	if d := diagnose(t, q); !d.OK || d.LoginAsked || d.Unreachable() || d.Maildrop != nil {
		t.Errorf("cause %q", d.Cause)
	}
	q.TLS = &tls.Config{RootCAs: x509.NewCertPool()}
	if d := diagnose(t, q); d.OK || d.Unreachable() || d.Cause != "certificate-issuer" {
		t.Errorf("cause %q", d.Cause)
	}
}

func TestDiagnosisTellsWhatTheGreetingGivesAway(t *testing.T) {
	t.Parallel()
	srv := diagnosed(t, pop3test.Fault{Greet: func(*pop3test.Session, string) string {
		return "+OK Thing v2.4.17-debian ready <1896.697170952@dbc.mtview.ca.us>\r\n"
	}})
	g := diagnose(t, question(srv, srv.AddrTLS)).Used.Greeting
	if g.Version != "2.4.17-debian" || g.Timestamp != "<1896.697170952@dbc.mtview.ca.us>" {
		t.Errorf("%+v", g)
	}
}

// A hostile server costs no more than its time.
func TestDiagnosisIsBounded(t *testing.T) {
	t.Parallel()
	srv := diagnosed(t, pop3test.Fault{Command: func(e *pop3test.Exchange) bool {
		if e.Is("RETR") {
			e.Reply = "+OK\r\n" + strings.Repeat(strings.Repeat("x", 1022)+"\r\n", 200)
		}
		return e.Is("RETR")
	}})
	if d := diagnose(t, question(srv, srv.AddrTLS)); d.Cause != "session" {
		t.Errorf("cause %q", d.Cause)
	}
}

// A first line without end is not kept until the memory is full, nor shown.
func TestDiagnosisOfALineWithoutEnd(t *testing.T) {
	t.Parallel()
	for _, keyword := range []string{"", "CAPA", "AUTH", "STAT"} {
		srv := diagnosed(t, pop3test.Fault{
			Greet: func(s *pop3test.Session, greeting string) string {
				if keyword == "" {
					flood(s)
				}
				return greeting
			},
			Command: func(e *pop3test.Exchange) bool {
				if keyword != "" && e.Is(keyword) {
					flood(e.Session)
				}
				return false
			},
		})
		q := question(srv, srv.Addr, pop3client.Cleartext)
		d := diagnose(t, q)
		if d.Cause == "" && keyword != "CAPA" {
			t.Errorf("%q: all is well", keyword)
		}
		shown := d.Verdict + strings.Join(d.Exchange, "")
		for _, r := range d.Findings {
			shown += r.Want + r.Got + strings.Join(r.Trace, "")
		}
		if len(shown) > 64<<10 {
			t.Errorf("%q: %d octets are shown", keyword, len(shown))
		}
		sent := 0
		for _, rec := range srv.Recordings() {
			octets := 0
			for _, e := range rec.Events {
				if e.Kind == pop3check.ServerSaid {
					octets += len(e.Octets)
				}
			}
			sent = max(sent, octets)
		}
		if sent > 48<<20 {
			t.Errorf("%q: %d octets were taken on one connection", keyword, sent)
		}
	}
}

// flood sends a line without end, for as long as the client takes it.
func flood(s *pop3test.Session) {
	s.Write("+OK ")
	for range 64 {
		s.Write(strings.Repeat("x", 1<<20))
	}
	s.Close()
}

// Ctrl-C ends a wait at once.
func TestDiagnosisIsInterrupted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	srv := diagnosed(t, pop3test.Fault{Command: func(e *pop3test.Exchange) bool {
		if e.Is("STAT") {
			cancel()
			e.Stall = true
		}
		return e.Is("STAT")
	}})
	q := question(srv, srv.AddrTLS)
	q.Timeout = time.Hour
	d, err := pop3check.Diagnose(ctx, q)
	if err != nil || d.Cause != "interrupted" || d.OK {
		t.Errorf("%v, %+v", err, d)
	}
}

func TestDiagnosisRefusesWhatIsNoHost(t *testing.T) {
	t.Parallel()
	for _, host := range []string{"", "a b", "host:0", "host:x", "host:99999", "@example.org", "me@", "me@exa mple.org", "http://example.org/"} {
		if _, err := pop3check.Diagnose(t.Context(), pop3check.Question{Host: host}); !errors.Is(err, pop3check.ErrHost) {
			t.Errorf("%q: %v", host, err)
		}
	}
	refuse := func(context.Context, string, string) (net.Conn, error) { return nil, syscall.ECONNREFUSED }
	for _, host := range []string{"::1", "[::1]", "[::1]:995", "127.0.0.1:110"} {
		d := diagnose(t, pop3check.Question{Host: host, DialContext: refuse})
		if d.Cause != "port-refused" || !netip.MustParseAddr(d.Candidates[0].Host).IsLoopback() {
			t.Errorf("%s: cause %q", host, d.Cause)
		}
	}
}

// A server that refuses service is not blamed for the kind of TLS that was tried
// first.
func TestDiagnosisOfABusyServerOnAnOddPort(t *testing.T) {
	t.Parallel()
	srv := pop3test.NewServer(t)
	srv.Use(pop3test.Fault{Name: "busy", Greet: func(*pop3test.Session, string) string {
		return "-ERR [SYS/TEMP] too busy\r\n"
	}})
	d := diagnose(t, pop3check.Question{Host: srv.Addr, TLS: srv.ClientTLS()})
	if d.Cause != "refused-greeting" {
		t.Errorf("%s: %s", d.Cause, d.Verdict)
	}
}
