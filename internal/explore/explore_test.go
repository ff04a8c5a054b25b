package explore

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"postfach/maildrop/memory"
	"postfach/pop3"
	"postfach/pop3client"
	"postfach/pop3server"
	"postfach/pop3test"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// letter is a message with this subject, from somebody at example.org.
func letter(from, subject string) string {
	return "Date: Tue, 3 Mar 2026 12:00:00 +0100\r\nFrom: " + from + " <" + strings.ToLower(from) + "@example.org>\r\nTo: me@example.org\r\nSubject: " + subject + "\r\n\r\nThe first line.\r\nThe second one.\r\n"
}

// serverWith starts a server whose maildrop has so many letters: number 3 has
// the subject "letter 3".
func serverWith(t testing.TB, letters int, faults ...string) *pop3test.Server {
	t.Helper()
	srv := pop3test.NewServer(t)
	if err := srv.Be(faults...); err != nil {
		t.Fatal(err)
	}
	for n := range letters {
		put(t, srv, letter("Ada", fmt.Sprintf("letter %d", n+1)))
	}
	return srv
}

func put(t testing.TB, srv *pop3test.Server, message string) {
	t.Helper()
	if _, err := srv.Put(pop3test.User, message); err != nil {
		t.Fatal(err)
	}
}

// rule makes the server do what a rule says.
func rule(t testing.TB, srv *pop3test.Server, r pop3test.Rule) {
	t.Helper()
	f, err := r.Fault()
	if err != nil {
		t.Fatal(err)
	}
	srv.Use(f)
}

func clearDial(addr string) func(context.Context, func(pop3.TraceEvent)) (*pop3client.Client, error) {
	return func(ctx context.Context, trace func(pop3.TraceEvent)) (*pop3client.Client, error) {
		return pop3client.Dial(ctx, addr, &pop3client.Options{Security: pop3client.Cleartext, Trace: trace})
	}
}

func login(ctx context.Context, c *pop3client.Client, password string) error {
	return c.Login(ctx, pop3test.User, password)
}

// explorer is one for the server's maildrop, not connected.
func explorer(t testing.TB, srv *pop3test.Server, o Options) *Explorer {
	return explorerOf(t, Account{Name: "test", User: pop3test.User, Host: "localhost", Dial: clearDial(srv.Addr), Login: login}, o)
}

func explorerOf(t testing.TB, a Account, o Options) *Explorer {
	e := New(a, o)
	t.Cleanup(func() { e.Close() })
	return e
}

// held is an explorer that holds the maildrop.
func held(t testing.TB, srv *pop3test.Server, o Options) *Explorer {
	t.Helper()
	e := explorer(t, srv, o)
	connect(t, e)
	return e
}

func connect(t testing.TB, e *Explorer) {
	t.Helper()
	if err := e.Connect(t.Context(), pop3test.Password); err != nil {
		t.Fatal(err)
	}
}

// until waits for a change after which this is so.
func until(t testing.TB, e *Explorer, what string, is func() bool) {
	t.Helper()
	timeout := time.NewTimer(20 * time.Second)
	defer timeout.Stop()
	for {
		changed := e.Changed()
		if is() {
			return
		}
		select {
		case <-changed:
		case <-timeout.C:
			t.Fatalf("waited for %s: %+v", what, e.Status())
		}
	}
}

// known waits until so many headers have been read.
func known(t testing.TB, e *Explorer, n int) {
	t.Helper()
	until(t, e, fmt.Sprintf("%d headers", n), func() bool { return e.Status().Known == n })
}

// keys returns the keys of the list, by number.
func keys(e *Explorer) (all []Key) {
	for _, entry := range e.Page(Query{}).Entries {
		all = append(all, entry.Key)
	}
	return all
}

func markAll(t testing.TB, e *Explorer, keys ...Key) {
	t.Helper()
	if err := e.Mark(keys...); err != nil {
		t.Fatal(err)
	}
}

func release(t testing.TB, e *Explorer) {
	t.Helper()
	if err := e.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// left are the subjects' numbers of the letters on the server.
func left(t testing.TB, srv *pop3test.Server) (numbers []string) {
	t.Helper()
	all, err := srv.Messages(pop3test.User)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range all {
		_, subject, _ := strings.Cut(m.Octets, "Subject: letter ")
		number, _, _ := strings.Cut(subject, "\r\n")
		numbers = append(numbers, number)
	}
	return numbers
}

func wantLeft(t testing.TB, srv *pop3test.Server, want ...string) {
	t.Helper()
	if got := left(t, srv); !slices.Equal(got, want) {
		t.Errorf("on the server are %q, not %q", got, want)
	}
}

func wantNotice(t testing.TB, e *Explorer, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if n := e.Status().Notice; !strings.Contains(n, part) {
			t.Errorf("the notice is %q, without %q", n, part)
		}
	}
}

// clientSaid are the lines that the client of a connection (from 0) has said.
func clientSaid(t testing.TB, srv *pop3test.Server, connection int) (lines []string) {
	t.Helper()
	if err := srv.WaitSessions(t.Context(), connection+1); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(srv.Transcripts()[connection]) {
		if line, ok := strings.CutPrefix(line, "C: "); ok {
			lines = append(lines, strings.TrimRight(line, "\n"))
		}
	}
	return lines
}

// A pipeServer serves a store in this process, so that time may be fake.
type pipeServer struct {
	server *pop3server.Server
	store  *memory.Store
	wrap   func(net.Conn) net.Conn // the client's end; nil: as it is
	wg     sync.WaitGroup
}

type anybody struct{}

func (anybody) Authenticate(_ context.Context, _ *pop3server.Peer, name, _ string) (pop3server.Identity, error) {
	return pop3server.Identity{User: name}, nil
}

func newPipeServer(t testing.TB) *pipeServer {
	p := &pipeServer{store: memory.New()}
	p.server = &pop3server.Server{Store: p.store, Auth: anybody{}, AllowCleartext: true, Log: slog.New(slog.DiscardHandler)}
	p.store.Create(pop3test.User)
	t.Cleanup(func() {
		p.server.Close()
		p.wg.Wait()
	})
	return p
}

func (p *pipeServer) account() Account {
	return Account{User: pop3test.User, Host: "localhost", Login: login, Dial: func(ctx context.Context, trace func(pop3.TraceEvent)) (*pop3client.Client, error) {
		client, server := net.Pipe()
		p.wg.Go(func() { p.server.ServeConn(server) })
		if p.wrap != nil {
			client = p.wrap(client)
		}
		return pop3client.New(ctx, client, &pop3client.Options{Trace: trace})
	}}
}

func (p *pipeServer) put(t testing.TB, message string) {
	t.Helper()
	if _, err := p.store.Deliver(t.Context(), pop3test.User, strings.NewReader(message)); err != nil {
		t.Fatal(err)
	}
}
