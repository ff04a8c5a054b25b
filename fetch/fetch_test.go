package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"path"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"go.uber.org/goleak"

	"postfach/fetch/deliver"
	"postfach/internal/transcript"
	"postfach/internal/vfs"
	"postfach/maildrop/memory"
	"postfach/pop3"
	"postfach/pop3client"
	"postfach/pop3server"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// anybody lets everybody in.
type anybody struct{}

func (anybody) Authenticate(_ context.Context, _ *pop3server.Peer, name, _ string) (pop3server.Identity, error) {
	return pop3server.Identity{User: name}, nil
}

// serve is get against a server, whose session is over when it returns.
func serve(t *testing.T, store *memory.Store, steps *atomic.Int64, fsys vfs.FS, o Options, ctxs ...context.Context) (Result, error) {
	client, server := net.Pipe()
	s := &pop3server.Server{Store: store, Auth: anybody{}, AllowCleartext: true, Log: slog.New(slog.DiscardHandler)}
	over := make(chan bool)
	go func() { s.ServeConn(server); close(over) }()
	conn := client
	if steps != nil {
		conn = &cutConn{client, steps}
	}
	r, err := get(t, conn, fsys, o, ctxs...)
	client.Close()
	<-over
	s.Close()
	return r, err
}

// get is a whole run on a connection.
func get(t *testing.T, conn net.Conn, fsys vfs.FS, o Options, ctxs ...context.Context) (Result, error) {
	return getTo(t, conn, fsys, "dir:/mail", o, ctxs...)
}

// getTo is get into a target.
func getTo(t *testing.T, conn net.Conn, fsys vfs.FS, spec string, o Options, ctxs ...context.Context) (Result, error) {
	ctx := append(ctxs, t.Context())[0]
	c, err := pop3client.New(ctx, conn, nil)
	if err != nil {
		return Result{}, err
	}
	defer c.Close()
	if err := Login(ctx, c, "u", "p", ""); err != nil {
		return Result{}, err
	}
	target, err := deliver.Open(fsys, spec)
	if err != nil {
		return Result{}, err
	}
	defer target.Close()
	o.Host, o.User = "h", "u"
	return Get(ctx, c, target, o)
}

// stored returns the messages in the target.
func stored(t *testing.T, fsys vfs.FS) (found []string) {
	t.Helper()
	names, err := fsys.ReadDir("/mail")
	if err != nil {
		return nil
	}
	for _, name := range names {
		if !strings.HasSuffix(name, ".eml") {
			continue
		}
		f, err := fsys.Open(path.Join("/mail", name))
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(f)
		if err != nil {
			t.Fatal(err)
		}
		f.Close()
		found = append(found, string(b))
	}
	slices.Sort(found)
	return found
}

func fill(t *testing.T, mails ...string) *memory.Store {
	store := memory.New()
	store.LockWait = -1
	store.Create("u")
	for _, mail := range mails {
		if _, err := store.Deliver(t.Context(), "u", strings.NewReader(mail)); err != nil {
			t.Fatal(err)
		}
	}
	return store
}

func left(t *testing.T, store *memory.Store) (found []string) {
	t.Helper()
	drop, err := store.Open(t.Context(), "u")
	if err != nil {
		t.Fatal(err)
	}
	defer drop.Close()
	for _, m := range drop.Messages() {
		r, err := drop.Content(t.Context(), m.ID)
		if err != nil {
			t.Fatal(err)
		}
		b, _ := io.ReadAll(r)
		r.Close()
		found = append(found, string(b))
	}
	slices.Sort(found)
	return found
}

var mails = []string{
	"Subject: 1\r\n\r\n.\r\n..dots\r\n",
	"Subject: 2\r\n\r\nsame\r\n",
	"Subject: 2\r\n\r\nsame\r\n", // two messages that are the same
	"Subject: 4\r\n\r\n" + strings.Repeat("long ", 2000) + "\r\n",
}

// TestKeep: a second run brings what is new, and nothing else.
func TestKeep(t *testing.T) {
	store := fill(t, mails...)
	fsys := vfs.NewStrict()
	r, err := serve(t, store, nil, fsys, Options{})
	if err != nil || r.Fetched != 4 || r.Listed != 4 {
		t.Fatal(r, err)
	}
	store.Deliver(t.Context(), "u", strings.NewReader("new\r\n"))
	r, err = serve(t, store, nil, fsys, Options{})
	if err != nil || r.Fetched != 1 || r.Known != 4 {
		t.Fatal(r, err)
	}
	want := append([]string{"new\r\n"}, mails...)
	slices.Sort(want)
	if got := stored(t, fsys); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	if got := left(t, store); len(got) != 5 {
		t.Errorf("%q", got)
	}
}

// TestDelete: also what an earlier run fetched.
func TestDelete(t *testing.T) {
	store := fill(t, mails...)
	fsys := vfs.NewStrict()
	if _, err := serve(t, store, nil, fsys, Options{}); err != nil {
		t.Fatal(err)
	}
	r, err := serve(t, store, nil, fsys, Options{Delete: true})
	if err != nil || r.Fetched != 0 || r.Deleted != 4 || r.Quit != nil {
		t.Fatal(r, err)
	}
	if got := left(t, store); len(got) != 0 {
		t.Errorf("%q", got)
	}
	if got := stored(t, fsys); len(got) != 4 {
		t.Errorf("%q", got)
	}
}

// A cutConn ends after so many calls of Read and Write.
type cutConn struct {
	net.Conn
	left *atomic.Int64
}

func (c *cutConn) Read(p []byte) (int, error) {
	if err := c.count(); err != nil {
		return 0, err
	}
	return c.Conn.Read(p)
}

func (c *cutConn) Write(p []byte) (int, error) {
	if err := c.count(); err != nil {
		return 0, err
	}
	return c.Conn.Write(p)
}

var errCut = errors.New("cut")

func (c *cutConn) count() error {
	if c.left.Add(-1) < 0 {
		c.Conn.Close()
		return errCut
	}
	return nil
}

// TestCutEverywhere loses the connection at every step, and the power at home
// right after it. No message is ever lost, and when a run comes through, each
// is here once (promise 22).
func TestCutEverywhere(t *testing.T) {
	for _, remove := range []bool{false, true} {
		for n := 0; ; n++ {
			store := fill(t, mails...)
			fsys := vfs.NewStrict()
			var steps atomic.Int64
			steps.Store(int64(n))
			_, err := serve(t, store, &steps, fsys, Options{Delete: remove})
			done := steps.Load() >= 0
			if !done && err == nil && !remove {
				done = true // cut at QUIT, where nothing depends on it
			}
			fsys.Crash(uint64(n))
			nothingLost(t, store, fsys)
			r, err2 := serve(t, store, nil, fsys, Options{Delete: remove})
			if err2 != nil || r.Quit != nil {
				t.Fatalf("step %d: %v %v", n, r, err2)
			}
			once(t, fsys)
			if got := left(t, store); remove && len(got) > 0 {
				t.Fatalf("step %d: left on the server: %q", n, got)
			}
			if done {
				if n < 10 {
					t.Fatalf("over after %d steps: %v", n, err)
				}
				break
			}
		}
	}
}

// TestFailEverywhere is the same for each operation of the file system.
func TestFailEverywhere(t *testing.T) {
	for _, remove := range []bool{false, true} {
		for _, dead := range []bool{false, true} {
			for n := 1; ; n++ {
				store := fill(t, mails...)
				disk := vfs.NewStrict()
				fail := &vfs.Fail{FS: disk}
				fail.Arm(n, dead)
				serve(t, store, nil, fail, Options{Delete: remove})
				if !fail.Fired() {
					break
				}
				disk.Crash(uint64(n))
				nothingLost(t, store, disk)
				if r, err := serve(t, store, nil, disk, Options{Delete: remove}); err != nil || r.Failed != 0 {
					t.Fatalf("operation %d: %v %v", n, r, err)
				}
				once(t, disk)
			}
		}
	}
}

// nothingLost: what the server has no more is at home, durably.
func nothingLost(t *testing.T, store *memory.Store, fsys vfs.FS) {
	t.Helper()
	have := append(left(t, store), stored(t, fsys)...)
	for _, mail := range mails {
		if !slices.Contains(have, mail) {
			t.Fatalf("lost: %.40q", mail)
		}
	}
	if len(have) < len(mails) {
		t.Fatalf("lost one of two: %d messages", len(have))
	}
}

func once(t *testing.T, fsys vfs.FS) {
	t.Helper()
	want := slices.Sorted(slices.Values(mails))
	if got := stored(t, fsys); !slices.Equal(got, want) {
		t.Fatalf("%.300q", got)
	}
}

// play runs a scripted server; see package transcript.
func play(t *testing.T, script string) net.Conn {
	t.Helper()
	s, err := transcript.Parse(t.Name(), "S: +OK\nC: CAPA\nS: -ERR\nC: USER u\nS: +OK\nC: PASS p\nS: +OK\nC: CAPA\nS: -ERR\n"+script)
	if err != nil {
		t.Fatal(err)
	}
	client, server := net.Pipe()
	played := make(chan error, 1)
	go func() { played <- transcript.Serve(t.Context(), server, s, transcript.Options{}) }()
	t.Cleanup(func() {
		client.Close()
		if err := <-played; err != nil {
			t.Errorf("script: %v", err)
		}
	})
	return client
}

// TestOddServers: a script for each run on the same target, and what the target
// has after it.
func TestOddServers(t *testing.T) {
	const a, b = "S: +OK\nS: a\nS: .\n", "S: +OK\nS: bb\nS: .\n"
	for name, test := range map[string]struct {
		remove bool
		runs   []string
		want   []string
	}{
		"two messages, one unique-id": { // P3-UIDL-10
			remove: true,
			runs:   []string{"C: LIST\nS: +OK\nS: 1 3\nS: 2 4\nS: .\nC: UIDL\nS: +OK\nS: 1 x\nS: 2 x\nS: .\nC: RETR 1\n" + a + "C: RETR 2\n" + b + "C: DELE 1\nS: +OK\nC: DELE 2\nS: +OK\nC: QUIT\nS: +OK\n(close)\n"},
			want:   []string{"a\r\n", "bb\r\n"},
		},
		"the same twice, and again": {
			runs: slices.Repeat([]string{"C: LIST\nS: +OK\nS: 1 3\nS: 2 3\nS: .\nC: UIDL\nS: +OK\nS: 1 x\nS: 2 x\nS: .\nC: RETR 1\n" + a + "C: RETR 2\n" + a + "C: QUIT\nS: +OK\n(close)\n"}, 2),
			want: []string{"a\r\n", "a\r\n"},
		},
		"a unique-id used again": {
			remove: true,
			runs: []string{
				"C: LIST\nS: +OK\nS: 1 3\nS: .\nC: UIDL\nS: +OK\nS: 1 x\nS: .\nC: RETR 1\n" + a + "C: DELE 1\nS: +OK\nC: QUIT\nS: +OK\n(close)\n",
				"C: LIST\nS: +OK\nS: 1 4\nS: .\nC: UIDL\nS: +OK\nS: 1 x\nS: .\nC: RETR 1\n" + b + "C: DELE 1\nS: +OK\nC: QUIT\nS: +OK\n(close)\n",
			},
			want: []string{"a\r\n", "bb\r\n"},
		},
		"no UIDL": { // P3-UIDL-12
			runs: []string{
				"C: LIST\nS: +OK\nS: 1 3\nS: .\nC: UIDL\nS: -ERR what\nC: RETR 1\n" + a + "C: QUIT\nS: +OK\n(close)\n",
				"C: LIST\nS: +OK\nS: 1 3\nS: 2 4\nS: .\nC: UIDL\nS: -ERR what\nC: RETR 1\n" + a + "C: RETR 2\n" + b + "C: QUIT\nS: +OK\n(close)\n",
			},
			want: []string{"a\r\n", "bb\r\n"},
		},
		"listings that disagree": {
			runs: slices.Repeat([]string{"C: LIST\nS: +OK\nS: 1 3\nS: .\nC: UIDL\nS: +OK\nS: 2 y\nS: .\nC: RETR 1\n" + a + "C: RETR 2\n" + b + "C: QUIT\nS: +OK\n(close)\n"}, 1),
			want: []string{"a\r\n", "bb\r\n"},
		},
		"a wrong size, and the same size later": { // P3-MSG-10
			runs: []string{
				"C: LIST\nS: +OK\nS: 1 9999\nS: .\nC: UIDL\nS: +OK\nS: 1 x\nS: .\nC: RETR 1\n" + a + "C: QUIT\nS: +OK\n(close)\n",
				"C: LIST\nS: +OK\nS: 1 9999\nS: .\nC: UIDL\nS: +OK\nS: 1 x\nS: .\nC: QUIT\nS: +OK\n(close)\n",
				"C: LIST\nS: +OK\nS: 1 3\nS: .\nC: UIDL\nS: +OK\nS: 1 x\nS: .\nC: RETR 1\n" + a + "C: QUIT\nS: +OK\n(close)\n",
			},
			want: []string{"a\r\n"},
		},
		"a message that is refused": {
			remove: true,
			runs:   []string{"C: LIST\nS: +OK\nS: 1 3\nS: 2 4\nS: .\nC: UIDL\nS: +OK\nS: 1 x\nS: 2 y\nS: .\nC: RETR 1\nS: -ERR [UTF8] no\nC: RETR 2\n" + b + "C: DELE 2\nS: +OK\nC: QUIT\nS: +OK\n(close)\n"},
			want:   []string{"bb\r\n"},
		},
		"a message that is cut": { // P3-MLT-09
			remove: true,
			runs:   []string{"C: LIST\nS: +OK\nS: 1 3\nS: .\nC: UIDL\nS: +OK\nS: 1 x\nS: .\nC: RETR 1\nS: +OK\nS: a\n(close)\n"},
		},
		"a path for a unique-id": {
			runs: []string{"C: LIST\nS: +OK\nS: 1 3\nS: .\nC: UIDL\nS: +OK\nS: 1 ../../x\nS: .\nC: RETR 1\n" + a + "C: QUIT\nS: +OK\n(close)\n"},
			want: []string{"a\r\n"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			fsys := vfs.NewStrict()
			for i, script := range test.runs {
				_, err := get(t, play(t, script), fsys, Options{Delete: test.remove})
				if (err != nil) != (name == "a message that is cut") {
					t.Errorf("run %d: %v", i, err)
				}
			}
			if got := stored(t, fsys); !slices.Equal(got, test.want) {
				t.Errorf("%q", got)
			}
		})
	}
}

// TestDeleteWaits: also with PIPELINING, no DELE before all messages are stored
// (P3-PIPE-07).
func TestDeleteWaits(t *testing.T) {
	s, err := transcript.Parse("pipelined", `S: +OK
C: CAPA
S: +OK
S: PIPELINING
S: .
C: USER u
C: PASS p
S: +OK
S: +OK
C: CAPA
S: -ERR
C: LIST
S: +OK
S: 1 3
S: 2 3
S: .
C: UIDL
S: +OK
S: 1 x
S: 2 y
S: .
C: RETR 1
C: RETR 2
S: +OK
S: a
S: .
S: +OK
S: b
S: .
C: DELE 1
C: DELE 2
S: +OK
S: +OK
C: QUIT
S: +OK
(close)
`)
	if err != nil {
		t.Fatal(err)
	}
	client, server := net.Pipe()
	played := make(chan error, 1)
	go func() { played <- transcript.Serve(t.Context(), server, s, transcript.Options{}) }()
	fsys := vfs.NewStrict()
	r, err := get(t, client, fsys, Options{Delete: true, Report: func(e Event) {
		if e.Kind == Deleted && len(stored(t, fsys)) != 2 {
			t.Error("deleted before it was stored")
		}
	}})
	if err != nil || r.Deleted != 2 {
		t.Error(r, err)
	}
	if err := <-played; err != nil {
		t.Error(err)
	}
}

// TestTemporaryUIDL: a server that announces UIDL but fails now has ids
// (P3-SYN-17).
func TestTemporaryUIDL(t *testing.T) {
	conn := play(t, "C: LIST\nS: +OK\nS: 1 3\nS: .\nC: UIDL\nS: -ERR [SYS/TEMP] later\n(hangup)\n")
	if _, err := get(t, conn, vfs.NewStrict(), Options{}); err == nil {
		t.Error("no error")
	}
}

// TestQuit: deletions that nobody confirmed are reported; without deletions
// nothing is wrong (P3-UPD-07).
func TestQuit(t *testing.T) {
	const before = "C: LIST\nS: +OK\nS: 1 3\nS: .\nC: UIDL\nS: +OK\nS: 1 x\nS: .\nC: RETR 1\nS: +OK\nS: a\nS: .\n"
	for end, want := range map[string]bool{
		"C: DELE 1\nS: +OK\nC: QUIT\n(close)\n":                  true,
		"C: DELE 1\nS: +OK\nC: QUIT\nS: -ERR not all\n(close)\n": true,
		"C: DELE 1\nS: -ERR no\nC: QUIT\n(close)\n":              false,
		"C: DELE 1\nS: +OK\nC: QUIT\nS: +OK\n(close)\n":          false,
	} {
		r, err := get(t, play(t, before+end), vfs.NewStrict(), Options{Delete: true})
		if err != nil || (r.Quit != nil) != want {
			t.Errorf("%q: %v %v", end, r, err)
		}
	}
	r, err := get(t, play(t, before+"C: QUIT\n(close)\n"), vfs.NewStrict(), Options{})
	if err != nil || r.Quit != nil {
		t.Error(r, err)
	}
}

// TestCancel: a person stops the run; the next one goes on.
func TestCancel(t *testing.T) {
	store := fill(t, mails...)
	fsys := vfs.NewStrict()
	reason := errors.New("stopped")
	ctx, cancel := context.WithCancelCause(t.Context())
	r, err := serve(t, store, nil, fsys, Options{Delete: true, Report: func(e Event) {
		if e.Kind == Fetched {
			cancel(reason)
		}
	}}, ctx)
	if !errors.Is(err, reason) || r.Fetched == 0 || r.Deleted != 0 {
		t.Error(r, err)
	}
	nothingLost(t, store, fsys)
	if _, err := serve(t, store, nil, fsys, Options{}); err != nil {
		t.Error(err)
	}
	once(t, fsys)
}

// TestLogin: UTF-8 mode first, where it is announced (P3-UTF-13), and only the
// mechanism that was asked for (P3-URL-03).
func TestLogin(t *testing.T) {
	const utf8 = "S: +OK <1.2@x>\nC: CAPA\nS: +OK\nS: UTF8\nS: SASL PLAIN SCRAM-SHA-256\nS: .\n"
	const after = "C: CAPA\nS: -ERR\n(hangup)\n"
	for auth, script := range map[string]string{
		"+APOP": utf8 + "C: UTF8\nS: +OK\nC: APOP u " + pop3.APOPDigest("<1.2@x>", "p") + "\nS: +OK\n" + after,
		"PLAIN": utf8 + "C: UTF8\nS: -ERR not now\nC: AUTH PLAIN AHUAcA==\nS: +OK\n" + after,
		"NTLM":  utf8 + "(hangup)\n",
	} {
		client, server := net.Pipe()
		s, err := transcript.Parse(auth, script)
		if err != nil {
			t.Fatal(err)
		}
		played := make(chan error, 1)
		go func() { played <- transcript.Serve(t.Context(), server, s, transcript.Options{}) }()
		c, err := pop3client.New(t.Context(), client, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := Login(t.Context(), c, "u", "p", auth); errors.Is(err, ErrMechanism) != (auth == "NTLM") || err != nil && auth != "NTLM" {
			t.Errorf("%s: %v", auth, err)
		}
		c.Close()
		if err := <-played; err != nil {
			t.Error(err)
		}
	}
}

// TestFullDisk: the run ends after a few, and tells.
func TestFullDisk(t *testing.T) {
	store := fill(t, "1\r\n", "2\r\n", "3\r\n", "4\r\n", "5\r\n")
	disk := vfs.NewStrict()
	full := &fullDisk{FS: disk}
	failed := 0
	r, err := serve(t, store, nil, full, Options{Delete: true, Report: func(e Event) {
		if e.Kind == Failed {
			failed++
		}
	}})
	if err == nil || failed != maxFailures || r.Failed != 5 || r.Deleted != 0 {
		t.Error(r, err, failed)
	}
	if got := left(t, store); len(got) != 5 {
		t.Errorf("%q", got)
	}
}

// A fullDisk makes no files.
type fullDisk struct{ vfs.FS }

func (fullDisk) Create(string, fs.FileMode) (vfs.File, error) { return nil, fmt.Errorf("disk full") }

func (d fullDisk) OpenFolder(dir string) (vfs.Folder, error) { return vfs.OpenThrough(d, d.FS, dir) }

func (d fullDisk) Lock(dir string) (vfs.Lock, error) { return vfs.LockThrough(d, d.FS, dir) }
