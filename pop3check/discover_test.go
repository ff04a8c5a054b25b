package pop3check_test

import (
	"context"
	"encoding/binary"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"postfach/pop3check"
	"postfach/pop3client"
	"postfach/pop3test"
)

// nameServer is a name service on loopback with these records, "TYPE name" to
// the fields of a zone file, more than one separated by commas. It knows no
// others.
func nameServer(t *testing.T, zone map[string]string) *net.Resolver {
	t.Helper()
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		packet := make([]byte, 4096)
		for {
			n, from, err := pc.ReadFrom(packet)
			if err != nil {
				return
			}
			if answer := dnsAnswer(packet[:n], zone); answer != nil {
				pc.WriteTo(answer, from)
			}
		}
	}()
	t.Cleanup(func() {
		pc.Close()
		<-done
	})
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", pc.LocalAddr().String())
	}}
}

// dnsAnswer answers one question (RFC 1035 section 4). nil: it is none.
func dnsAnswer(query []byte, zone map[string]string) []byte {
	const header = 12
	if len(query) < header+5 {
		return nil
	}
	var labels []string
	at := header
	for query[at] != 0 {
		n := int(query[at])
		if n > 63 || at+1+n+5 > len(query) {
			return nil
		}
		labels = append(labels, string(query[at+1:at+1+n]))
		at += 1 + n
	}
	kind := binary.BigEndian.Uint16(query[at+1:])
	end := at + 5
	name := strings.ToLower(strings.Join(labels, "."))
	kinds := map[uint16]string{1: "A", 28: "AAAA", 33: "SRV", 15: "MX"}
	records := zone[kinds[kind]+" "+name]
	var answers [][]byte
	for record := range strings.SplitSeq(records, ",") {
		if f := strings.Fields(record); len(f) > 0 {
			answers = append(answers, dnsRecord(kinds[kind], f))
		}
	}
	out := append([]byte(nil), query[:end]...)
	out[2], out[3] = 0x84, 0 // an answer, from who knows
	if len(answers) == 0 && !known(zone, name) {
		out[3] = 3 // no such name
	}
	binary.BigEndian.PutUint16(out[6:], uint16(len(answers)))
	binary.BigEndian.PutUint16(out[8:], 0)
	binary.BigEndian.PutUint16(out[10:], 0)
	for _, data := range answers {
		out = append(out, 0xc0, header) // the question's name
		out = binary.BigEndian.AppendUint16(out, kind)
		out = append(out, 0, 1, 0, 0, 0, 60)
		out = binary.BigEndian.AppendUint16(out, uint16(len(data)))
		out = append(out, data...)
	}
	return out
}

func known(zone map[string]string, name string) bool {
	for key := range zone {
		if strings.HasSuffix(key, " "+name) {
			return true
		}
	}
	return false
}

func dnsRecord(kind string, f []string) (data []byte) {
	if kind == "A" || kind == "AAAA" {
		return netip.MustParseAddr(f[0]).AsSlice()
	}
	for _, n := range f[:len(f)-1] {
		v, _ := strconv.Atoi(n)
		data = binary.BigEndian.AppendUint16(data, uint16(v))
	}
	for label := range strings.SplitSeq(strings.TrimSuffix(f[len(f)-1], "."), ".") {
		if label != "" {
			data = append(append(data, byte(len(label))), label...)
		}
	}
	return append(data, 0)
}

// noHTTP is a web without anything.
func noHTTP() *http.Client { return web(nil) }

// web is a web with these addresses, without what follows "?".
func web(pages map[string]string) *http.Client {
	return &http.Client{Transport: roundTrip(func(r *http.Request) *http.Response {
		w := httptest.NewRecorder()
		page, ok := pages[r.URL.Scheme+"://"+r.URL.Host+r.URL.Path]
		if !ok {
			w.WriteHeader(http.StatusNotFound)
		}
		w.WriteString(page)
		return w.Result()
	})}
}

type roundTrip func(*http.Request) *http.Response

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r), nil }

// config is an autoconfig file with these servers: host port socketType.
func config(servers ...string) string {
	var all strings.Builder
	all.WriteString(`<?xml version="1.0"?><clientConfig version="1.1"><emailProvider id="example.org">
<incomingServer type="imap"><hostname>imap.example.org</hostname><port>993</port><socketType>SSL</socketType></incomingServer>`)
	for _, s := range servers {
		f := strings.Fields(s)
		all.WriteString(`<incomingServer type="pop3"><hostname>` + f[0] + `</hostname><port>` + f[1] + `</port><socketType>` + f[2] + `</socketType>
<authentication>password-cleartext</authentication><authentication system="sasl">SCRAM-SHA-256</authentication>
<username>%EMAILLOCALPART%</username><pop3><leaveMessagesOnServer>true</leaveMessagesOnServer></pop3><unheard/></incomingServer>`)
	}
	return all.String() + `</emailProvider></clientConfig>`
}

// tried lists the candidates.
func tried(d *pop3check.Diagnosis) string {
	var all []string
	for _, c := range d.Candidates {
		all = append(all, c.Addr()+"/"+c.How())
	}
	return strings.Join(all, " ")
}

// The certificate of a pop3test server is for localhost: the names here are
// below it.
func TestDiscovery(t *testing.T) {
	t.Parallel()
	const loopback = "127.0.0.1"
	for _, c := range []struct {
		name  string
		zone  map[string]string
		pages map[string]string
		tried string
		cause string
		user  string
	}{
		{
			name: "the records of TLS come first, whatever their priority (P3-DISC-03)",
			zone: map[string]string{
				"SRV _pop3s._tcp.example.org": "10 0 995 pop.example.org.",
				"SRV _pop3._tcp.example.org":  "0 0 110 pop.example.org.",
				"A pop.example.org":           loopback,
			},
			tried: "pop.example.org:995/TLS pop.example.org:110/STLS",
		},
		{
			name: "priority decides (P3-DISC-02)",
			zone: map[string]string{
				"SRV _pop3s._tcp.example.org": "20 0 996 b.example.org., 10 0 995 a.example.org.",
				"A a.example.org":             loopback,
			},
			tried: "a.example.org:995/TLS b.example.org:996/TLS",
		},
		{
			name: "a dot is no server (P3-DISC-02)",
			zone: map[string]string{
				"SRV _pop3s._tcp.example.org": "0 0 0 .",
				"SRV _pop3._tcp.example.org":  "0 0 110 pop.example.org.",
				"A pop.example.org":           loopback,
			},
			tried: "pop.example.org:110/STLS",
		},
		{
			name: "a server elsewhere gets no password (P3-DISC-04)",
			zone: map[string]string{
				"SRV _pop3s._tcp.example.org": "0 0 995 pop.hoster.example.",
				"A pop.hoster.example":        loopback,
			},
			tried: "pop.hoster.example:995/TLS pop.example.org:995/TLS",
			cause: "login-unvouched",
		},
		{
			name: "unless autoconfig says so, too, over HTTPS",
			zone: map[string]string{
				"SRV _pop3s._tcp.example.org": "0 0 995 pop.hoster.example.",
				"A pop.hoster.example":        loopback,
			},
			pages: map[string]string{"https://autoconfig.example.org/mail/config-v1.1.xml": config("pop.hoster.example 995 SSL")},
			tried: "pop.hoster.example:995/TLS",
			user:  "user",
		},
		{
			name: "autoconfig in clear vouches for nothing",
			zone: map[string]string{"A pop.hoster.example": loopback},
			pages: map[string]string{
				"http://autoconfig.example.org/mail/config-v1.1.xml": config("pop.hoster.example 995 SSL"),
			},
			tried: "pop.hoster.example:995/TLS pop.example.org:995/TLS",
			cause: "login-unvouched",
		},
		{
			name: "autoconfig in clear names nobody's account",
			zone: map[string]string{"A pop.example.org": loopback},
			pages: map[string]string{
				"http://autoconfig.example.org/mail/config-v1.1.xml": config("pop.example.org 995 SSL"),
			},
			tried: "pop.example.org:995/TLS",
		},
		{
			name: "the first file counts (P3-DISC-08), servers in its order, those without TLS left out",
			zone: map[string]string{"A pop.example.org": loopback},
			pages: map[string]string{
				"https://example.org/.well-known/autoconfig/mail/config-v1.1.xml": config("pop.example.org 110 plain", "pop.example.org 110 STARTTLS", "pop.example.org 995 SSL"),
				"https://v1.ispdb.net/example.org":                                config("other.example.org 995 SSL"),
			},
			tried: "pop.example.org:110/STLS pop.example.org:995/TLS",
			user:  "user",
		},
		{
			name: "a file of the domain that takes the mail",
			zone: map[string]string{"MX example.org": "10 mx1.hoster.example.", "A pop.example.org": loopback},
			pages: map[string]string{
				"https://autoconfig.hoster.example/mail/config-v1.1.xml": config("pop.example.org 995 SSL"),
			},
			tried: "pop.example.org:995/TLS",
			user:  "user",
		},
		{
			name:  "common names",
			zone:  map[string]string{"A mail.example.org": loopback},
			pages: map[string]string{"https://autoconfig.example.org/mail/config-v1.1.xml": "<html>no such file</html>"},
			tried: "pop.example.org:995/TLS",
		},
		{
			name:  "nothing",
			tried: "pop.example.org:995/TLS",
			cause: "not-found",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			srv := diagnosed(t)
			srv.AddUser("user@example.org", pop3test.Password)
			q := question(srv, "user@example.org")
			q.User, q.Security = "", nil
			q.Resolver, q.HTTP, q.DialContext = nameServer(t, c.zone), web(c.pages), toServer(srv)
			d := diagnose(t, q)
			if d.Cause != c.cause {
				t.Errorf("cause %q, want %q", d.Cause, c.cause)
			}
			if got := tried(d); !strings.HasPrefix(got, c.tried) {
				t.Errorf("tried %s", got)
			}
			user := c.user
			if user == "" {
				user = "user@example.org"
			}
			if d.User != user || d.LoggedIn != (c.cause == "") {
				t.Errorf("user %q, logged in %v", d.User, d.LoggedIn)
			}
			if c.cause != "" && strings.Contains(said(srv, true), "AUTH") {
				t.Error("the password was sent")
			}
			for _, candidate := range d.Candidates {
				if candidate.Outcome == "" {
					t.Errorf("%s has no outcome", candidate.Addr())
				}
			}
			if len(d.Lookups) < 2 || strings.HasPrefix(c.name, "a dot") && d.Lookups[0].Outcome != "not offered" {
				t.Errorf("lookups %+v", d.Lookups)
			}
		})
	}
}

// Without TLS is only what the person asks for, whatever a record or a file
// says (P3-DISC-03, P3-DISC-07).
func TestDiscoveryWithoutTLS(t *testing.T) {
	t.Parallel()
	srv := diagnosed(t)
	q := question(srv, "user@example.org", pop3client.Cleartext)
	q.Resolver = nameServer(t, map[string]string{"SRV _pop3._tcp.example.org": "0 0 110 pop.example.org.", "A pop.example.org": "192.0.2.1"})
	q.HTTP, q.DialContext = noHTTP(), toServer(srv)
	d := diagnose(t, q)
	if got := tried(d); !strings.HasPrefix(got, "pop.example.org:110/no TLS") || d.Cause != "login-cleartext" {
		t.Errorf("cause %q, tried %s", d.Cause, got)
	}
	if in := said(srv, false); strings.Contains(in, "PASS") || strings.Contains(in, "AUTH") {
		t.Errorf("in clear: %s", in)
	}
}

// A name service that fails is told from a name that is not there.
func TestDiagnosisOfNames(t *testing.T) {
	t.Parallel()
	q := pop3check.Question{Host: "pop.example.org", Timeout: time.Second, Resolver: nameServer(t, nil)}
	if d := diagnose(t, q); d.Cause != "name-unknown" || d.Whose != pop3check.Settings {
		t.Errorf("cause %q", d.Cause)
	}
	q.Resolver = &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Err: context.DeadlineExceeded}
	}}
	if d := diagnose(t, q); d.Cause != "name-lookup" || d.Whose != pop3check.Network {
		t.Errorf("cause %q", d.Cause)
	}
}

// What is known about a provider is said where its own words do not help.
func TestDiagnosisKnowsProviders(t *testing.T) {
	t.Parallel()
	srv := diagnosed(t, refusing("-ERR [AUTH] Username and password not accepted."))
	q := question(srv, "pop.gmail.com", pop3client.ImplicitTLS)
	q.Resolver, q.DialContext = nameServer(t, map[string]string{"A pop.gmail.com": "127.0.0.1"}), toServer(srv)
	d := diagnose(t, q)
	if d.Cause != "password" || !strings.Contains(strings.Join(d.Advice, " "), "app password") {
		t.Errorf("cause %q, advice %q", d.Cause, d.Advice)
	}
	q = question(srv, "me@icloud.com")
	q.User, q.Security = "", nil
	q.Resolver, q.HTTP = nameServer(t, nil), noHTTP()
	if d := diagnose(t, q); d.Cause != "not-found" || !strings.Contains(strings.Join(d.Advice, " "), "iCloud has no POP3") {
		t.Errorf("cause %q, advice %q", d.Cause, d.Advice)
	}
}
