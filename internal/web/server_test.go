package web

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"postfach/internal/explore"
	"postfach/internal/hint"
	"postfach/pop3"
	"postfach/pop3check"
	"postfach/pop3test"
)

func TestServerPage(t *testing.T) {
	t.Parallel()
	srv := server(t, letter("Ada", "one"))
	a := accountOf(srv)
	b := visitor(t, explore.Picker{Start: &a})
	b.get("/a/1/server")
	b.wants(200, "TLS 1.3", "The server’s certificate", "localhost", "SHA-256", "<code>UIDL</code>", "There is no network connection to check.")
	b.post("/a/1/diagnose")
	b.wants(400)
}

func TestServerPageBeforeTheFirstConnection(t *testing.T) {
	t.Parallel()
	b := visitor(t, explore.Picker{Accounts: []explore.Account{asking(server(t))}})
	b.post("/open", "account", "0")
	b.get("/a/1/server")
	b.wants(200, "There was no connection yet")
}

func TestDiagnosis(t *testing.T) {
	t.Parallel()
	srv := server(t, letter("Ada", "one"))
	a := accountOf(srv)
	a.Question = &pop3check.Question{Host: srv.AddrTLS, TLS: srv.ClientTLS()}
	b := visitor(t, explore.Picker{Start: &a})
	b.get("/a/1/server")
	b.post("/a/1/diagnose")
	b.wants(200, "Servers tried", "The server at", "checks,", "Capabilities", "Times", "Check again")
	if b.at.Fragment != "diagnosis" {
		t.Errorf("leads to %s", b.at)
	}
	b.lacks(pop3test.Password)
}

func TestADiagnosisSaysWhoseFaultItIs(t *testing.T) {
	t.Parallel()
	srv := server(t)
	a := accountOf(srv)
	a.Question = &pop3check.Question{Host: srv.AddrTLS} // nobody trusts its certificate
	b := visitor(t, explore.Picker{Start: &a})
	b.post("/a/1/diagnose")
	b.wants(200, "Whose fault", "certificate")
}

func TestErrorsArePagesInPlainWords(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err    error
		status int
		text   string
	}{
		{explore.ErrGone, 410, "not there any more"},
		{explore.ErrAway, 409, "not open"},
		{explore.ErrReadOnly, 403, "for reading only"},
		{explore.ErrOtherMarks, 409, "Other messages are marked"},
		{explore.ErrPassword, 403, "password is missing"},
		{&pop3.Error{Code: pop3.CodeInUse, Text: "locked"}, 409, "Another program has this mailbox open"},
		{&pop3.Error{Code: pop3.CodeAuth, Text: "\x1b[31mno"}, 403, "does not accept"},
		{&pop3.Error{Code: pop3.CodeLoginDelay, Text: "wait"}, 429, "wait"},
		{&pop3.Error{Text: "no"}, 502, "said no"},
		{&pop3.ProtocolError{Want: "+OK", Got: "\x1b]0;x"}, 502, "makes no sense"},
		{&tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}, 502, "could not prove"},
		{context.DeadlineExceeded, 504, "too long"},
		{os.ErrDeadlineExceeded, 504, "too long"},
		{fs.ErrPermission, 500, "file or folder"},
		{errors.New("\x1b[2Jx"), 502, "did not work"},
	} {
		f := failureOf(hint.Add(fmt.Errorf("open: %w", c.err), "do this"), "en")
		if c.status == 403 && strings.Contains(f.Text, "app password") && f.Hint == "" {
			f.Hint = "do this" // the text says it
		}
		if f.Status != c.status || !strings.Contains(f.Title, c.text) || f.Hint != "do this" || strings.Contains(f.Detail, "\x1b") {
			t.Errorf("%v: %+v", c.err, f)
		}
	}
}

func TestBusyMailboxesAreExplained(t *testing.T) {
	t.Parallel()
	srv := server(t)
	srv.Use(pop3test.Refuse("-ERR [IN-USE] locked by <b>another</b> session\r\n"))
	a := accountOf(srv)
	b := visitor(t, explore.Picker{Start: &a})
	b.wants(409, "Another program has this mailbox open", "&lt;b&gt;another")
	b.get("/a/1/")
	b.wants(200, "The mailbox is not open")
}

func TestARefusedPasswordCanBeTypedAnew(t *testing.T) {
	t.Parallel()
	for _, reply := range []string{"-ERR [AUTH] no \x1b]0;x\a\r\n", "-ERR no\r\n"} {
		srv := server(t, letter("Ada", "one"))
		srv.Use(pop3test.Refuse(reply))
		a := accountOf(srv) // has a password of its own, which is wrong
		b := visitor(t, explore.Picker{Start: &a})
		b.lacks("\x1b", "\a")
		if !strings.Contains(b.html, `id="password"`) {
			b.wants(502, "The mail server said no", `<a href="/a/1/login">Type another password</a>`)
			continue
		}
		b.wants(403, "does not accept this name and password", `action="/a/1/login"`)
		srv.Reset()
		b.post("/a/1/login", "password", pop3test.Password)
		b.wants(200, "This mailbox is held")
	}
}

func TestAPanicCostsOnePage(t *testing.T) {
	t.Parallel()
	f, addr := serve(t, explore.Picker{})
	g := f.handler(addr).(*guard)
	g.mux.HandleFunc("GET /panic", page(func(*visit) error { panic("test") }))
	g.mux.HandleFunc("GET /late", page(func(v *visit) error {
		v.w.Write([]byte("half"))
		return errors.New("broken")
	}))
	cookie, _ := f.doors.enter(strings.Split(f.Address(addr), "token=")[1])
	for path, wants := range map[string]any{"/panic": nil, "/late": http.ErrAbortHandler} {
		w := httptest.NewRecorder()
		r, err := http.NewRequestWithContext(t.Context(), "GET", "http://"+addr.String()+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.AddCookie(newCookie(g.cookie, cookie, f.home))
		got := func() (p any) {
			defer func() { p = recover() }()
			g.ServeHTTP(w, r)
			return nil
		}()
		if got != wants {
			t.Errorf("%s: panic %v", path, got)
		}
		if path == "/panic" && (w.Code != 500 || !strings.Contains(w.Body.String(), "has made a mistake")) {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	}
}

func TestNoticesAreShownUntilTheyAreSeen(t *testing.T) {
	t.Parallel()
	a := accountOf(server(t, letter("Ada", "one")))
	b := visitor(t, explore.Picker{Start: &a, Options: explore.Options{Idle: time.Millisecond}}) // it is let go at once
	b.until("/a/1/", func() bool { return strings.Contains(b.html, "I have seen it") })
	b.wants(200, "was let go")
	b.post("/a/1/seen")
	b.wants(200, "was let go")
	b.lacks("I have seen it")
}
