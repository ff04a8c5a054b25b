package pop3test_test

import (
	"context"
	"crypto/x509"
	"errors"
	"net"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"postfach/pop3test"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestTranscriptHasNoSecrets(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	srv.AllowAPOP(pop3test.User, "secret")
	play(t, srv, `
S: +OK
C: STLS
S: +OK
(tls)
C: AUTH PLAIN
S: + 
C: AHVzZXIAcCB4
S: -ERR
C: AUTH PLAIN AHVzZXIAcCB3
S: +OK
C: RETR 2
S: +OK
S: ...
S: .
C: QUIT
S: +OK
(close)
`)
	if err := srv.WaitSessions(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	want := `# connection 1
S: +OK {*}
C: STLS
S: +OK {*}
(tls)
C: AUTH PLAIN
S: +\x20
C: <secret>
S: -ERR {*}
C: AUTH PLAIN <secret>
S: +OK {*}
C: RETR 2
S: +OK 22 octets
S: Subject: two
S:
S: body
S: .
C: QUIT
S: +OK {*}
(close)
`
	got := strings.Split(srv.Transcripts()[0], "\n")
	for i, w := range strings.Split(want, "\n") {
		if start, free := strings.CutSuffix(w, "{*}"); i >= len(got) || got[i] != w && !(free && strings.HasPrefix(got[i], start)) {
			t.Fatalf("line %d, want %q\n%s", i+1, w, strings.Join(got, "\n"))
		}
	}
}

func TestTranscriptShowsWhoEnded(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	srv.Use(pop3test.Fault{Name: "odd", Greet: func(*pop3test.Session, string) string { return "+OK a\x00\n" }})
	conn, err := net.Dial("tcp", srv.Addr)
	if err != nil {
		t.Fatal(err)
	}
	conn.Read(make([]byte, 10))
	conn.Write([]byte("NOO"))
	conn.Close()
	if err := srv.WaitSessions(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	want := "# connection 1, server with: odd\nS: +OK a\\x00\\x0a\\\nC: NOO\\\n(hangup)\n"
	if got := srv.Transcripts()[0]; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestResetBeginsAgain(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	srv.AddUser("other", "x")
	if err := srv.Be("no-capa"); err != nil {
		t.Fatal(err)
	}
	open, err := net.Dial("tcp", srv.Addr)
	if err != nil {
		t.Fatal(err)
	}
	defer open.Close()
	open.Read(make([]byte, 3))

	srv.Reset()
	for err = nil; err == nil; { // the connection is cut
		_, err = open.Read(make([]byte, 100))
	}
	if len(srv.Recordings()) != 0 {
		t.Error("recordings are left")
	}
	if _, err := srv.Messages("other"); err == nil {
		t.Error("an account is left")
	}
	if id, err := srv.Put(pop3test.User, second); err != nil || id != "1" {
		t.Errorf("put: %q, %v", id, err)
	}
	play(t, srv, login+"C: CAPA\nS: +OK\nS: ...\nS: .\nC: STAT\nS: +OK 1 22\nC: QUIT\nS: +OK\n(close)\n")
	if err := srv.WaitSessions(t.Context(), 1); err != nil {
		t.Error(err)
	}
	if got := srv.Recordings()[0].Number; got != 1 {
		t.Errorf("the first connection is number %d", got)
	}
}

func TestAccounts(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	srv.AddUser("ada", "first")
	srv.AddUser("ada", "second")
	srv.AllowAPOP("ada", "tanstaaf")
	play(t, srv, "S: +OK {*}\nC: APOP ada {apop:tanstaaf}\nS: +OK\nC: STAT\nS: +OK 0 0\n")
	play(t, srv, "S: +OK\nC: USER ada\nS: +OK\nC: PASS first\nS: -ERR\nC: USER ada\nS: +OK\nC: PASS second\nS: +OK\n")
}

func TestWaitSessionsEndsWithItsContext(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := srv.WaitSessions(ctx, 1); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	srv.Close()
	if err := srv.WaitSessions(t.Context(), 1); err == nil {
		t.Error("a session of a closed server was waited for")
	}
}

func TestRootPEMIsTheRoot(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(srv.RootPEM()) || !pool.Equal(srv.Roots) {
		t.Error("another root")
	}
}

func BenchmarkNewServer(b *testing.B) {
	for b.Loop() {
		srv, err := pop3test.Start()
		if err != nil {
			b.Fatal(err)
		}
		srv.Close()
	}
}
