package web

import (
	"net"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"postfach/internal/explore"
	"postfach/internal/remotes"
	"postfach/pop3"
	"postfach/pop3test"
)

// strange is the way to a server that nobody vouches for.
func strange(t testing.TB, srv *pop3test.Server) explore.Account {
	t.Helper()
	host, port, err := net.SplitHostPort(srv.AddrTLS)
	if err != nil {
		t.Fatal(err)
	}
	u := &pop3.URL{TLS: true, User: pop3test.User, Host: host}
	if u.Port, err = strconv.Atoi(port); err != nil {
		t.Fatal(err)
	}
	return explore.Remote(remotes.Account{Name: "Strange", URL: u}, 0)
}

var pinField = regexp.MustCompile(`name="pin" value="([0-9a-f]{64})"`)

// pin is that of the certificate in the page.
func (b *browser) pin() string {
	b.t.Helper()
	b.wants(502, "could not prove who it is", "No password was sent", "Nobody whom this machine trusts", "Trust this certificate for now", "Go back")
	found := pinField.FindStringSubmatch(b.html)
	if found == nil || !strings.Contains(b.html, "<code>"+found[1]+"</code>") {
		b.t.Fatalf("no pin in\n%s", b.html)
	}
	return found[1]
}

func TestACertificateIsTrustedByAPerson(t *testing.T) {
	t.Parallel()
	srv := server(t, letter("Ada", "one"))
	a := strange(t, srv)
	b := visitor(t, explore.Picker{Accounts: []explore.Account{a}})
	b.post("/open", "account", "0")
	b.post("/a/1/login", "password", pop3test.Password)
	pin := b.pin()
	b.lacks(pop3test.Password+`"`, "--cafile", "--pin")
	b.post("/a/1/trust", "pin", strings.Repeat("0", 64))
	b.wants(409, "not the certificate that you were shown")
	b.post("/a/1/login", "password", pop3test.Password)
	b.post("/a/1/trust", "pin", pin)
	b.wants(200, ">one</a>", "encrypted")
	b.post("/a/1/release")
	b.post("/a/1/connect") // it is remembered
	b.wants(200, "This mailbox is held")
	b.post("/a/1/trust", "pin", pin)
	b.wants(409)
}

func TestGoingBackFromACertificateKeepsWhatWasTyped(t *testing.T) {
	t.Parallel()
	srv := server(t, letter("Ada", "one"))
	parse := func(string) (explore.Account, error) { return strange(t, srv), nil }
	b := visitor(t, explore.Picker{Parse: parse, ParseSTLS: parse})
	b.post("/typed", "server", "pop.example.org", "security", "stls", "user", "me@example.org", "password", "secret-typed")
	b.pin()
	b.lacks("secret-typed")
	b.post("/a/1/distrust")
	b.wants(200, `value="pop.example.org"`, `value="me@example.org"`, `value="stls" checked`)
	b.lacks("secret-typed", "Open now")
	b.post("/typed", "server", "pop.example.org", "security", "stls", "user", "me", "password", pop3test.Password)
	b.post("/a/2/trust", "pin", b.pin()) // the password was typed already
	b.wants(200, ">one</a>")
	for _, talk := range srv.Transcripts() {
		if strings.Contains(talk, "secret-typed") {
			t.Errorf("the password was sent:\n%s", talk)
		}
	}
}

func TestThePageAboutACertificateCanBeReadByEverybody(t *testing.T) {
	t.Parallel()
	a := strange(t, server(t))
	a.Password = accountOf(server(t)).Password
	b := newTab(t, explore.Picker{Start: &a})
	b.sees("No password was sent")
	for _, l := range looks() {
		b.do(l.set...)
		b.audit(l.name)
	}
	b.press("Trust this certificate for now")
	b.sees("This mailbox is held")
}
