package web

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"postfach/internal/explore"
	"postfach/pop3"
	"postfach/pop3client"
	"postfach/pop3test"
)

func TestMain(m *testing.M) {
	status := m.Run()
	closeChromium()
	if status == 0 {
		if err := goleak.Find(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			status = 1
		}
	}
	os.Exit(status)
}

// letter is a message with this subject, from somebody at example.org.
func letter(from, subject string) string {
	return "Date: Tue, 3 Mar 2026 12:00:00 +0100\r\nFrom: " + from + " <" + strings.ToLower(from) + "@example.org>\r\nTo: me@example.org\r\nSubject: " + subject + "\r\n\r\nThe first line.\r\n.\r\nThe last one.\r\n"
}

// server starts a server with these messages.
func server(t testing.TB, messages ...string) *pop3test.Server {
	t.Helper()
	srv := pop3test.NewServer(t)
	for _, m := range messages {
		if _, err := srv.Put(pop3test.User, m); err != nil {
			t.Fatal(err)
		}
	}
	return srv
}

// accountOf is the way to the server's maildrop, in TLS.
func accountOf(srv *pop3test.Server) explore.Account {
	return explore.Account{
		Name: "Test mailbox", User: pop3test.User, Host: "localhost",
		Dial: func(ctx context.Context, trace func(pop3.TraceEvent)) (*pop3client.Client, error) {
			return pop3client.Dial(ctx, srv.AddrTLS, &pop3client.Options{TLS: srv.ClientTLS(), Trace: trace})
		},
		Login: func(ctx context.Context, c *pop3client.Client, password string) error {
			return c.Login(ctx, pop3test.User, password)
		},
		Password: func(context.Context) (string, error) { return pop3test.Password, nil },
	}
}

// asking is accountOf, without a password.
func asking(srv *pop3test.Server) explore.Account {
	a := accountOf(srv)
	a.Password = nil
	return a
}

// serve runs a face until the test ends.
func serve(t testing.TB, p explore.Picker) (*Face, net.Addr) {
	t.Helper()
	f, err := New(p)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- f.Serve(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return f, l.Addr()
}

// A browser is a client without script.
type browser struct {
	t      testing.TB
	client *http.Client
	base   string
	home   string // in base; pages are seen without it
	html   string // the last page
	status int
	header http.Header
	at     *url.URL
}

// visitor is a browser that has come in.
func visitor(t testing.TB, p explore.Picker) *browser {
	t.Helper()
	f, addr := serve(t, p)
	b := stranger(t, f, addr)
	b.get(strings.TrimPrefix(f.Address(addr), b.base))
	return b
}

// stranger is a browser without a cookie.
func stranger(t testing.TB, f *Face, addr net.Addr) *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &browser{t: t, client: &http.Client{Jar: jar, Transport: transport}, base: "http://" + addr.String() + f.home, home: f.home}
}

// opened is a browser at the list of an open maildrop.
func opened(t testing.TB, srv *pop3test.Server) *browser {
	t.Helper()
	a := accountOf(srv)
	b := visitor(t, explore.Picker{Start: &a})
	b.wants(200, "This mailbox is held")
	return b
}

func (b *browser) do(r *http.Request) {
	b.t.Helper()
	answer, err := b.client.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	b.html, b.status, b.header, b.at = strings.ReplaceAll(string(body), b.home, ""), answer.StatusCode, answer.Header, new(*answer.Request.URL)
	b.at.Path = strings.TrimPrefix(b.at.Path, b.home)
}

func (b *browser) request(method, path string, form url.Values) *http.Request {
	b.t.Helper()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	r, err := http.NewRequestWithContext(b.t.Context(), method, b.base+path, body)
	if err != nil {
		b.t.Fatal(err)
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return r
}

func (b *browser) get(path string) {
	b.t.Helper()
	b.do(b.request("GET", path, nil))
}

// post sends a form with the token that the last page has.
func (b *browser) post(path string, pairs ...string) {
	b.t.Helper()
	form := url.Values{"form": {b.token()}}
	for pair := range slices.Chunk(pairs, 2) {
		form.Add(pair[0], pair[1])
	}
	b.do(b.request("POST", path, form))
}

var tokenField = regexp.MustCompile(`name="form" value="([^"]+)"`)

func (b *browser) token() string {
	b.t.Helper()
	found := tokenField.FindStringSubmatch(b.html)
	if found == nil {
		b.get("/")
		if found = tokenField.FindStringSubmatch(b.html); found == nil {
			b.t.Fatalf("no form token in\n%s", b.html)
		}
	}
	return found[1]
}

// wants fails the test unless the last page has this status and these texts.
func (b *browser) wants(status int, texts ...string) {
	b.t.Helper()
	if b.status != status {
		b.t.Fatalf("%s: status %d, want %d\n%s", b.at, b.status, status, b.html)
	}
	for _, text := range texts {
		if !strings.Contains(b.html, text) {
			b.t.Errorf("%s lacks %q:\n%s", b.at, text, b.html)
		}
	}
}

func (b *browser) lacks(texts ...string) {
	b.t.Helper()
	for _, text := range texts {
		if strings.Contains(b.html, text) {
			b.t.Errorf("%s has %q:\n%s", b.at, text, b.html)
		}
	}
}

// until loads a page until it is as it should be. Each load waits for the
// server's headers.
func (b *browser) until(path string, done func() bool) {
	b.t.Helper()
	end := time.Now().Add(20 * time.Second)
	for b.get(path); !done(); b.get(path) {
		if time.Now().After(end) {
			b.t.Fatalf("%s stays\n%s", path, b.html)
		}
	}
}

var rowID = regexp.MustCompile(`<tr role="row" id="m-([^"]+)"`)

// keys are those of the messages in the last page, in their order.
func (b *browser) keys() []string {
	var all []string
	for _, found := range rowID.FindAllStringSubmatch(b.html, -1) {
		all = append(all, found[1])
	}
	return all
}

// message returns the address of the n-th message, from 0.
func (b *browser) message(n int) string {
	b.t.Helper()
	b.get("/a/1/")
	keys := b.keys()
	if n >= len(keys) {
		b.t.Fatalf("no message %d in\n%s", n, b.html)
	}
	return "/a/1/m/" + keys[n]
}

// subjects are those that the store still has.
func subjects(t testing.TB, srv *pop3test.Server) []string {
	t.Helper()
	all, err := srv.Messages(pop3test.User)
	if err != nil {
		t.Fatal(err)
	}
	var subjects []string
	for _, m := range all {
		_, rest, _ := strings.Cut(m.Octets, "Subject: ")
		subject, _, _ := strings.Cut(rest, "\n")
		subjects = append(subjects, strings.TrimSpace(subject))
	}
	return subjects
}

// setCookies are the cookies that an answer sets, by name.
func setCookies(h http.Header) map[string]*http.Cookie {
	return maps.Collect(func(yield func(string, *http.Cookie) bool) {
		for _, c := range (&http.Response{Header: h}).Cookies() {
			if !yield(c.Name, c) {
				return
			}
		}
	})
}
