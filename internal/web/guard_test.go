package web

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"postfach/internal/explore"
	"postfach/internal/hint"
)

// once is a browser that follows no redirects.
func once(b *browser) *browser {
	b.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return b
}

func TestTheTokenWorksOnce(t *testing.T) {
	t.Parallel()
	f, addr := serve(t, explore.Picker{})
	path := strings.TrimPrefix(f.Address(addr), "http://"+addr.String()+f.home)
	first := once(stranger(t, f, addr))
	first.get(path)
	first.wants(303)
	if to := first.header.Get("Location"); to != f.home+"/" {
		t.Errorf("leads to %q", to)
	}
	_, port, _ := net.SplitHostPort(addr.String())
	c := setCookies(first.header)["postfach-"+port]
	if c == nil {
		t.Fatalf("no cookie for this port: %v", first.header)
	}
	if !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Path != f.home || len(c.Value) < 43 || c.MaxAge != 0 || c.Domain != "" {
		t.Errorf("cookie %+v", c)
	}
	first.get("/")
	first.wants(200)
	first.get(path) // a reload
	first.wants(303)

	second := once(stranger(t, f, addr))
	second.get(path)
	second.wants(403, "This address was used already")
	if len(second.header["Set-Cookie"]) > 0 {
		t.Error("a used token gave a cookie")
	}
	second.get("/")
	second.wants(403)
}

func TestEachAddressHasATokenOfItsOwn(t *testing.T) {
	t.Parallel()
	f, addr := serve(t, explore.Picker{})
	for range 2 {
		b := stranger(t, f, addr)
		b.get(strings.TrimPrefix(f.Address(addr), b.base))
		b.wants(200)
	}
	if one, two := f.Address(addr), f.Address(addr); one == two {
		t.Error("two addresses are the same")
	}
}

func TestWithoutTheCookieNothingIsShown(t *testing.T) {
	t.Parallel()
	a := accountOf(server(t))
	f, addr := serve(t, explore.Picker{Accounts: []explore.Account{a}})
	for _, path := range []string{"/", "/style.css", "/script.js", "/a/1/", "/a/1/changes", "/nowhere", "/?token=wrong", "/?token="} {
		b := stranger(t, f, addr)
		b.get(path)
		b.wants(403, "printed")
		b.lacks("Test mailbox", `name="form"`)
	}
	b := stranger(t, f, addr)
	b.do(b.request("POST", "/open", url.Values{"account": {"0"}}))
	b.wants(403)
}

func TestACookieOfAnotherSessionDoesNotHelp(t *testing.T) {
	t.Parallel()
	f, addr := serve(t, explore.Picker{})
	b := stranger(t, f, addr)
	r := b.request("GET", "/", nil)
	r.AddCookie(&http.Cookie{Name: cookieName(addr), Value: secret()})
	b.do(r)
	b.wants(403)
}

func TestTwoExplorersDoNotLogEachOtherOut(t *testing.T) {
	t.Parallel()
	one, at := serve(t, explore.Picker{})
	two, there := serve(t, explore.Picker{})
	b := stranger(t, one, at) // one browser: cookies know no ports
	for _, f := range []struct {
		face *Face
		addr net.Addr
	}{{one, at}, {two, there}} {
		b.base = "http://" + f.addr.String() + f.face.home
		b.get(strings.TrimPrefix(f.face.Address(f.addr), b.base))
		b.wants(200)
	}
	b.base = "http://" + at.String() + one.home
	b.get("/")
	b.wants(200)
}

// Browsers send the cookies of a host to all its ports, and on this machine
// others may listen.
func TestOtherPortsGetNoCookie(t *testing.T) {
	t.Parallel()
	b := visitor(t, explore.Picker{})
	var got []string
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = append(got, r.Header["Cookie"]...) }))
	defer other.Close()
	for _, path := range []string{"/", "/a/1/", "/style.css"} {
		r, err := http.NewRequestWithContext(t.Context(), "GET", other.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		b.do(r)
	}
	if len(got) > 0 {
		t.Errorf("another port got %q", got)
	}
}

// Against DNS rebinding: a name of somebody else's that leads to this machine.
func TestOtherHostsAreRefused(t *testing.T) {
	t.Parallel()
	b := visitor(t, explore.Picker{})
	_, port, _ := net.SplitHostPort(strings.TrimSuffix(strings.TrimPrefix(b.base, "http://"), b.home))
	ask := func(host string) {
		r := b.request("GET", "/", nil)
		r.Host = host
		b.do(r)
	}
	for _, host := range []string{"evil.example", "evil.example:" + port, "127.0.0.1", "127.0.0.1:1", "127.0.0.1.evil.example:" + port, "localhost", "0.0.0.0:" + port} {
		ask(host)
		b.wants(403, "This is not the address of the explorer")
	}
	for _, host := range []string{"localhost:" + port, "LOCALHOST:" + port, "[::1]:" + port, "127.0.0.1:" + port} {
		ask(host)
		b.lacks("This is not the address of the explorer")
	}
	b.wants(200)
}

func TestFormsNeedTheSessionsOwnToken(t *testing.T) {
	t.Parallel()
	srv := server(t, letter("Ada", "one"))
	b := opened(t, srv)
	key := b.keys()[0]
	for _, token := range []string{"", "x", secret()} {
		b.do(b.request("POST", "/a/1/mark", url.Values{"form": {token}, "mark": {key}}))
		b.wants(403, "another session")
	}
	b.get("/a/1/")
	b.lacks("marked for deletion")
	// In the address it does not count.
	r := b.request("POST", "/a/1/mark?form="+b.token(), url.Values{"mark": {key}})
	b.do(r)
	b.wants(403)
}

func TestFormsOfOtherPagesAreRefused(t *testing.T) {
	t.Parallel()
	b := opened(t, server(t, letter("Ada", "one")))
	key, token := b.keys()[0], b.token()
	for name, value := range map[string]string{"Origin": "http://evil.example", "Sec-Fetch-Site": "cross-site", "sec-fetch-site": "same-site"} {
		r := b.request("POST", "/a/1/mark", url.Values{"form": {token}, "mark": {key}})
		r.Header.Set(name, value)
		b.do(r)
		b.wants(403, "Another page")
	}
	r := b.request("GET", "/a/1/", nil)
	r.Header.Set("Sec-Fetch-Site", "same-site") // another port of this machine
	b.do(r)
	b.wants(403)
}

func TestWhatChangesSomethingIsNoGET(t *testing.T) {
	t.Parallel()
	srv := server(t, letter("Ada", "one"))
	b := opened(t, srv)
	key := b.keys()[0]
	for _, path := range []string{"mark?mark=" + key, "commit?keys=" + key, "release", "close", "undo", "export/file"} {
		b.get("/a/1/" + path)
		b.wants(404)
	}
	b.get("/a/1/")
	b.wants(200, "This mailbox is held")
	b.lacks("marked for deletion")
}

func TestEveryAnswerHasTheHeaders(t *testing.T) {
	t.Parallel()
	b := opened(t, server(t, letter("Ada", "one")))
	for _, path := range []string{"/", "/a/1/", "/style.css", "/nowhere", "/a/99/", b.message(0)} {
		b.get(path)
		for name, want := range map[string]string{
			"Content-Security-Policy":      policy,
			"X-Content-Type-Options":       "nosniff",
			"X-Frame-Options":              "DENY",
			"Referrer-Policy":              "no-referrer",
			"Cross-Origin-Opener-Policy":   "same-origin",
			"Cross-Origin-Resource-Policy": "same-origin",
			"Cache-Control":                "no-store",
		} {
			if got := b.header.Get(name); got != want {
				t.Errorf("%s: %s is %q", path, name, got)
			}
		}
	}
	for _, part := range []string{
		"default-src 'none'", "style-src 'self'", "script-src 'self'", "connect-src 'self'", "img-src 'self' data:", "frame-src 'self'", "form-action 'self'",
		"frame-ancestors 'none'", "base-uri 'none'",
	} {
		if !strings.Contains(policy, part) {
			t.Errorf("the policy lacks %s", part)
		}
	}
}

func TestListensOnLoopbackOnly(t *testing.T) {
	t.Parallel()
	f, err := New(explore.Picker{})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	l, err := net.Listen("tcp", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	err = f.Serve(t.Context(), l)
	if !errors.Is(err, ErrNotLoopback) || hint.Of(err) == "" {
		t.Errorf("%v", err)
	}
	if _, err := l.Accept(); err == nil {
		t.Error("the listener is open")
	}
}

func TestLargeFormsAreRefused(t *testing.T) {
	t.Parallel()
	b := opened(t, server(t))
	b.post("/a/1/mark", "key", strings.Repeat("x", 2<<20))
	b.wants(413)
	r := b.request("GET", "/", nil)
	r.Header.Set("X-Large", strings.Repeat("x", 64<<10))
	b.do(r)
	if b.status != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("a large header: %d", b.status)
	}
}

// A password goes to the mail server and nowhere else.
func TestPasswordsAreNotShownAgain(t *testing.T) {
	t.Parallel()
	srv := server(t, letter("Ada", "one"))
	b := visitor(t, explore.Picker{Accounts: []explore.Account{asking(srv)}})
	b.post("/open", "account", "0")
	b.wants(200, "Password for Test mailbox")
	const wrong = "hunter2-wrong"
	b.post("/a/1/login", "password", wrong)
	b.wants(403, "does not accept")
	b.lacks(wrong)
	if strings.Contains(b.at.String(), wrong) {
		t.Error("the password is in an address")
	}
	b.get("/a/1/protocol")
	b.lacks(wrong)
	b.get("/a/1/login?password=p+w") // an address is no place for one
	b.get("/a/1/")
	b.wants(200, "not open")
}

func TestServeEndsLiveViewsAndLetsGo(t *testing.T) {
	t.Parallel()
	srv := server(t, letter("Ada", "one"))
	a := accountOf(srv)
	f, err := New(explore.Picker{Start: &a})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- f.Serve(ctx, l) }()
	b := stranger(t, f, l.Addr())
	b.get(strings.TrimPrefix(f.Address(l.Addr()), b.base))
	b.wants(200, "This mailbox is held")
	answer, err := b.client.Do(b.request("GET", "/a/1/changes", nil))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var event [7]byte
	if _, err := io.ReadFull(answer.Body, event[:]); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if _, err := io.ReadAll(answer.Body); err != nil {
		t.Errorf("the live view was cut off: %v", err)
	}
	if err := srv.WaitSessions(t.Context(), 1); err != nil {
		t.Errorf("the maildrop is still held: %v", err)
	}
}
