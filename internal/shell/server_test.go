package shell

import (
	"bytes"
	"context"
	"crypto/subtle"
	"io"
	"log/slog"
	"net"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"postfach/internal/awkward"
	"postfach/internal/explain"
	"postfach/internal/peer"
	"postfach/internal/transcript"
	"postfach/maildrop"
	"postfach/maildrop/memory"
	"postfach/pop3server"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The account of most servers here.
const secretPassword = "geheim und lang"

func simple() transcript.Settings {
	return transcript.Settings{User: "u", Password: secretPassword, Secret: "apop secret"}
}

// account is the one account of a server.
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

// A testServer is the project's server with a maildrop in memory.
type testServer struct {
	*pop3server.Server
	store *memory.Store
	who   account
	cert  *peer.Certificate
	addr  string // in clear, with STLS
}

// serve starts a server whose maildrop has the messages, set up as the script
// wants it.
func serve(t *testing.T, set transcript.Settings, messages []awkward.Message) *testServer {
	t.Helper()
	s := &testServer{store: memory.New(), cert: peer.NewCertificate(t)}
	s.who = account{set.User, set.Password, set.Secret}
	s.store.Create(set.User)
	for _, m := range messages {
		if _, err := s.store.Deliver(t.Context(), set.User, bytes.NewReader(m.Octets)); err != nil {
			t.Fatal(err)
		}
	}
	s.Server = &pop3server.Server{
		Store: s.store, Auth: s.who, TLS: s.cert.Server, Greeting: set.Greeting, SignOff: set.SignOff,
		Last: set.Last, AnnounceHistoric: set.AnnounceHistoric,
		Limits: pop3server.Limits{FailureDelay: time.Nanosecond, FailedLogins: 100},
		Log:    slog.New(slog.NewTextHandler(io.Discard, nil)),
	}
	if set.Secret != "" {
		s.APOP = s.who
	}
	s.addr = listen(t, s.Server)
	return s
}

func listen(t *testing.T, srv *pop3server.Server) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(l) }()
	t.Cleanup(func() {
		srv.Close()
		<-served
	})
	return l.Addr().String()
}

// left returns how many messages the maildrop has.
func (s *testServer) left(t *testing.T) int {
	t.Helper()
	var drop maildrop.Maildrop
	drop, err := s.store.Open(t.Context(), s.who.user)
	if err != nil {
		t.Fatal(err)
	}
	defer drop.Close()
	return len(drop.Messages())
}

// target returns a server's address as the shell takes it.
func target(t *testing.T, addr string) Target {
	t.Helper()
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	return Target{Host: host, Port: n, Security: Cleartext}
}

// A session that a test leads.
type played struct {
	out string // what was shown
	log string // the protocol log
	err error
}

// play lets a script speak with the server at addr.
func play(t *testing.T, addr, script string, change func(*Options)) played {
	t.Helper()
	var out, log bytes.Buffer
	recorder := transcript.NewRecorder(&log)
	o := Options{
		Target: target(t, addr), In: strings.NewReader(script), Out: &out, Timeout: 10 * time.Second,
		Look: Look{Lang: explain.English, Width: 120, NoTimes: true}, Trace: recorder.Record,
	}
	if change != nil {
		change(&o)
	}
	err := Run(t.Context(), o)
	if cerr := recorder.Close(); cerr != nil {
		t.Fatal(cerr)
	}
	return played{out.String(), log.String(), err}
}

// fake is a server that says what a transcript says.
func fake(t *testing.T, script string, o transcript.Options) (addr string) {
	t.Helper()
	s, err := transcript.Parse(t.Name(), script)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.Lines = slices.DeleteFunc(s.Lines, func(l transcript.Line) bool { return l.Kind == transcript.Connection })
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	served := make(chan error, 1)
	go func() {
		conn, err := l.Accept()
		if err != nil {
			served <- nil // nobody came
			return
		}
		served <- transcript.Serve(ctx, conn, s, o)
	}()
	t.Cleanup(func() {
		l.Close()
		if err := <-served; err != nil {
			t.Error(err)
		}
		cancel()
	})
	return l.Addr().String()
}
