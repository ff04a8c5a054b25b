package explore

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"postfach/internal/hint"
	"postfach/internal/peer"
	"postfach/internal/remotes"
	"postfach/pop3"
	"postfach/pop3client"
	"postfach/pop3test"
)

// A person who knows the certificate can trust it, and no other.
func TestCertificateCanBeTrusted(t *testing.T) {
	srv := mailServer(t, "Subject: x\r\n\r\n")
	for url, more := range map[string]remotes.Account{
		"pop3s://user@" + srv.AddrTLS: {},
		"pop3://user@" + srv.Addr:     {STLS: true},
	} {
		a := remote(t, url, more)
		e := New(a, Options{NoHeaders: true})
		err := e.Connect(t.Context(), pop3test.Password)
		e.Close()
		unknown, ok := errors.AsType[*UntrustedError](err)
		if !ok || len(unknown.Pin) != 64 || unknown.Certificate == nil || !errors.As(err, new(x509.UnknownAuthorityError)) || strings.Contains(err.Error(), "x509") {
			t.Fatalf("%s: %v", url, err)
		}
		e, keys := opened(t, a.Trust(strings.ToUpper(unknown.Pin)))
		if len(keys) != 1 || !e.Status().TLS {
			t.Errorf("%s: %+v", url, e.Status())
		}
		e.Close()
		e = New(a.Trust(strings.Repeat("ab", 32)), Options{})
		err = e.Connect(t.Context(), pop3test.Password)
		e.Close()
		if _, ok := errors.AsType[*UntrustedError](err); ok || !errors.As(err, new(*remotes.PinError)) || !strings.Contains(err.Error(), "somebody else's server") || hint.Of(err) == "" {
			t.Errorf("%s: %v, hint %q", url, err, hint.Of(err))
		}
		e = New(a, Options{}) // the first account trusts as much as before
		if err := e.Connect(t.Context(), pop3test.Password); !errors.As(err, new(*UntrustedError)) {
			t.Errorf("%s: %v", url, err)
		}
		e.Close()
	}
}

// A pin is for TLS: without it, not even this machine hears the password.
func TestPinWantsTLS(t *testing.T) {
	srv := mailServer(t)
	a := remote(t, "pop3://user@"+srv.Addr, remotes.Account{Pin: strings.Repeat("ab", 32)})
	e := New(a, Options{})
	defer e.Close()
	if err := e.Connect(t.Context(), pop3test.Password); !errors.As(err, new(*remotes.PinError)) {
		t.Errorf("%v", err)
	}
}

// listen calls serve with each connection to the address that it returns.
func listen(t *testing.T, serve func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			serve(c)
			c.Close()
		}
	}()
	return l.Addr().String()
}

// The port and the URL must be of the same kind, and the hint says the other one.
func TestWrongKindOfPortHasAHint(t *testing.T) {
	silentEnd := listen(t, func(net.Conn) {})
	alert := listen(t, func(c net.Conn) { c.Write([]byte{0x15, 3, 1, 0, 2, 2, 10, '\n'}) })
	srv := mailServer(t)
	for url, want := range map[string]string{
		"pop3://user@" + silentEnd: "pop3s://user@" + silentEnd,
		"pop3://user@" + alert:     "pop3s://user@" + alert,
		"pop3s://user@" + srv.Addr: "pop3://user@" + srv.Addr,
	} {
		e := New(remote(t, url, remotes.Account{}), Options{})
		err := e.Connect(t.Context(), pop3test.Password)
		if err == nil || !strings.Contains(hint.Of(err), want) || strings.Contains(err.Error(), "EOF") {
			t.Errorf("%s: %v, hint %q", url, err, hint.Of(err))
		}
		e.Close()
	}
}

// A port that waits for TLS says nothing.
func TestGreetingBehindTLSIsNotWaitedForLong(t *testing.T) {
	cert := peer.NewCertificate(t)
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		defer far.Close()
		silent := tls.Server(far, cert.Server)
		go func() {
			silent.Handshake()           //nolint:errcheck // the client says what is wrong
			silent.Read(make([]byte, 1)) //nolint:errcheck // until the client goes
		}()
		o := &pop3client.Options{Security: pop3client.ImplicitTLS, Timeout: time.Hour, TLS: &tls.Config{InsecureSkipVerify: true}} //nolint:gosec // the clock is another one here
		dial := func(context.Context, string, string) (net.Conn, error) { return near, nil }
		began, secure := time.Now(), false
		_, err := dialGreeted(t.Context(), "localhost:1", o, dial, func(ev pop3.TraceEvent) { secure = secure || ev.TLS })
		if took := time.Since(began); !secure || !errors.Is(err, os.ErrDeadlineExceeded) || took != greetingPatience {
			t.Errorf("%v after %v, TLS %t", err, took, secure)
		}
	})
}

// The same without TLS.
func TestGreetingIsNotWaitedForLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		defer far.Close()
		o := &pop3client.Options{Security: pop3client.Cleartext, Timeout: time.Hour}
		dial := func(context.Context, string, string) (net.Conn, error) { return near, nil }
		began := time.Now()
		_, err := dialGreeted(t.Context(), "localhost:1", o, dial, nil)
		if took := time.Since(began); !errors.Is(err, os.ErrDeadlineExceeded) || took != greetingPatience {
			t.Errorf("%v after %v", err, took)
		}
	})
}
