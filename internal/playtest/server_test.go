package playtest

import (
	"bytes"
	"context"
	"crypto/subtle"
	"crypto/tls"
	"io"
	"log/slog"
	"net"
	"testing"
	"time"

	"postfach/internal/peer"
	"postfach/internal/transcript"
	"postfach/maildrop/memory"
	"postfach/pop3server"
)

// account is the one account of a script: an Authenticator and a SecretSource.
type account struct{ user, password, secret string }

func (a account) Authenticate(_ context.Context, _ *pop3server.Peer, name, password string) (pop3server.Identity, error) {
	if name != a.user || subtle.ConstantTimeCompare([]byte(password), []byte(a.password)) != 1 {
		return pop3server.Identity{}, pop3server.ErrCredentials
	}
	return pop3server.Identity{User: a.user}, nil
}

func (a account) Available() bool { return true }

func (a account) Secret(_ context.Context, _ *pop3server.Peer, name string) (who pop3server.Identity, secret string, err error) {
	if name != a.user {
		return pop3server.Identity{}, "", pop3server.ErrCredentials
	}
	return pop3server.Identity{User: a.user}, a.secret, nil
}

// serve starts our server as the script wants it and returns what dials it.
func serve(t *testing.T, s *transcript.Script, cert *peer.Certificate, implicitTLS bool) func(context.Context) (net.Conn, error) {
	t.Helper()
	store := memory.New()
	store.Create(s.Settings.User)
	store.LockWait = 50 * time.Millisecond
	for _, m := range messages(t, s) {
		if _, err := store.Deliver(t.Context(), s.Settings.User, bytes.NewReader(m.Octets)); err != nil {
			t.Fatal(err)
		}
	}
	who := account{s.Settings.User, s.Settings.Password, s.Settings.Secret}
	srv := &pop3server.Server{
		Store: store, Auth: who, TLS: cert.Server,
		Greeting: s.Settings.Greeting, SignOff: s.Settings.SignOff,
		Last: s.Settings.Last, AnnounceHistoric: s.Settings.AnnounceHistoric,
		Limits: pop3server.Limits{FailureDelay: time.Nanosecond, FailedLogins: 100},
		Log:    slog.New(slog.NewTextHandler(io.Discard, nil)),
	}
	if who.secret != "" {
		srv.APOP = who
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() {
		if implicitTLS {
			served <- srv.ServeTLS(l)
			return
		}
		served <- srv.Serve(l)
	}()
	t.Cleanup(func() {
		srv.Close()
		<-served
	})
	return func(ctx context.Context) (net.Conn, error) {
		if implicitTLS {
			return (&tls.Dialer{Config: cert.Client}).DialContext(ctx, "tcp", l.Addr().String())
		}
		return new(net.Dialer).DialContext(ctx, "tcp", l.Addr().String())
	}
}

func TestTranscriptsAtOurServer(t *testing.T) {
	cert := peer.NewCertificate(t)
	for _, how := range []struct {
		name, place string
		tls         bool
		options     transcript.Options
	}{
		{name: "plain"},
		{name: "one octet at a time", place: "octets", options: transcript.Options{Octet: true}},
		{name: "in one segment", options: transcript.Options{OneSegment: true}},
		{name: "TLS", tls: true},
		{name: "TLS, one octet at a time", place: "octets", tls: true, options: transcript.Options{Octet: true}},
		{name: "TLS, in one segment", tls: true, options: transcript.Options{OneSegment: true}},
	} {
		t.Run(how.name, func(t *testing.T) {
			each(t, how.place, func(t *testing.T, s *transcript.Script) {
				if how.tls && s.Settings.STLS {
					return // it has its own handshake
				}
				ctx := limit(t)
				dial := serve(t, s, cert, how.tls)
				conn, err := dial(ctx)
				if err != nil {
					t.Fatal(err)
				}
				how.options.Dial, how.options.TLS = dial, cert.Client
				if err := transcript.Play(ctx, conn, s, how.options); err != nil {
					t.Error(err)
				}
			})
		})
	}
}
