package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"postfach/maildrop/memory"
	"postfach/pop3server"
)

// getKillSeed is what the moments of the kills come from, and the size of mail.
const getKillSeed = 20260301

// Promise 22: kill -9 of the real postfach get, at every step of the protocol
// and at random moments between two, in both modes and into each kind of
// target. What the server has no more is at home, whole; the next run completes
// the work, and then each message is at home once.
//
// kill -9 loses nothing that the kernel knows: for power failures see package
// fetch, where the disk at home is one that forgets.
func TestKilledGetLosesAndDoublesNothing(t *testing.T) {
	t.Setenv("POSTFACH_PASSWORD", "secret word")
	dice := rand.New(rand.NewPCG(getKillSeed, 0))
	for _, kind := range []string{"maildir", "mbox", "dir"} {
		for _, remove := range []bool{false, true} {
			for step := 1; ; step++ {
				at := fmt.Sprintf("seed %d, %s, delete %v, killed at command %d", getKillSeed, kind, remove, step)
				// On every second step the server has heard the command, and the
				// program goes on for a moment.
				late := time.Duration(0)
				if step%2 == 0 {
					late = time.Duration(1+dice.IntN(3000)) * time.Microsecond
				}
				if !killedGet(t, dice, kind, remove, step, late, at) {
					if step < 12 {
						t.Fatalf("%s: it was over already", at)
					}
					break
				}
				if t.Failed() {
					return
				}
			}
		}
	}
}

// killedGet is one run that is killed, and one that is not. It reports whether
// the first one was.
func killedGet(t *testing.T, dice *rand.Rand, kind string, remove bool, step int, late time.Duration, at string) bool {
	t.Helper()
	var mails []string
	for n := range 5 {
		mails = append(mails, fmt.Sprintf("Subject: number %d\r\n\r\n%s\r\n", n, strings.Repeat("..x\r\n", dice.IntN(10_000))))
	}
	mails = append(mails, mails[0]) // two that are the same are two
	store := memory.New()
	store.Create("u")
	for _, mail := range mails {
		if _, err := store.Deliver(t.Context(), "u", strings.NewReader(mail)); err != nil {
			t.Fatal(err)
		}
	}
	server := &pop3server.Server{Store: store, Auth: onePassword{}, Log: slog.New(slog.DiscardHandler)}
	defer server.Close()
	gate := &gate{Listener: listen(t), left: step}
	go server.Serve(gate)

	target := filepath.Join(t.TempDir(), "target")
	args := []string{"get", "pop3://u@" + port(gate.Listener), "--to", kind + ":" + target}
	if remove {
		args = append(args, "--delete")
	}
	first := tool(t, args...)
	var out bytes.Buffer
	first.Stdout, first.Stderr = &out, &out
	started := make(chan struct{})
	gate.arm(late, func() {
		<-started
		first.Process.Kill()
	})
	err := first.Start()
	close(started)
	if err != nil {
		t.Fatal(err)
	}
	err = first.Wait()
	gate.disarm()
	killed := gate.fired()
	if !killed && err != nil {
		t.Fatalf("%s: it was not killed, and failed: %v\n%s", at, err, &out)
	}

	onServer := remaining(t, store)
	have := atHome(t, kind, target)
	for _, mail := range have {
		if !slices.Contains(mails, mail) {
			t.Errorf("%s: at home is part of a message: %.60q", at, mail)
		}
	}
	for _, mail := range slices.Compact(slices.Sorted(slices.Values(mails))) {
		if got, want := count(onServer, mail)+count(have, mail), count(mails, mail); got < want {
			t.Errorf("%s: of %.25q %d are on the server or at home, want %d", at, mail, got, want)
		}
	}
	if !remove && len(onServer) != len(mails) {
		t.Errorf("%s: %d messages are left on the server", at, len(onServer))
	}

	again := runTool(t, "", args...)
	again.expect(t, 0, "", "")
	if got := slices.Sorted(slices.Values(atHome(t, kind, target))); !slices.Equal(got, slices.Sorted(slices.Values(mails))) {
		t.Errorf("%s: after the next run %d messages are at home, want each of %d once", at, len(got), len(mails))
	}
	if left := remaining(t, store); remove && len(left) > 0 {
		t.Errorf("%s: after the next run %d messages are on the server", at, len(left))
	}
	return killed
}

// Promise 22: many small messages share their syncs, so a kill -9 hits a batch of
// them at any stage. What was said to be fetched is at home, whole; nothing else is
// half there; the next run brings the rest, once.
func TestKilledGetHasWhatItSaid(t *testing.T) {
	t.Setenv("POSTFACH_PASSWORD", "secret word")
	dice := rand.New(rand.NewPCG(getKillSeed, 1))
	const many = 400
	store := memory.New()
	store.Create("u")
	var mails []string
	for n := range many {
		mails = append(mails, fmt.Sprintf("Subject: number %d\r\n\r\n%s\r\n", n, strings.Repeat("..x\r\n", dice.IntN(300))))
		if _, err := store.Deliver(t.Context(), "u", strings.NewReader(mails[n])); err != nil {
			t.Fatal(err)
		}
	}
	slices.Sort(mails)
	server := &pop3server.Server{Store: store, Auth: onePassword{}, Log: slog.New(slog.DiscardHandler)}
	defer server.Close()
	l := listen(t)
	go server.Serve(l)
	for _, kind := range []string{"maildir", "dir"} {
		for round := range 5 {
			last := dice.IntN(many)
			at := fmt.Sprintf("seed %d, %s, round %d, killed when %d were said", getKillSeed, kind, round, last)
			target := filepath.Join(t.TempDir(), "target")
			args := []string{"get", "pop3://u@" + port(l), "--to", kind + ":" + target}
			first := tool(t, args...)
			out, err := first.StdoutPipe()
			if err == nil {
				err = first.Start()
			}
			if err != nil {
				t.Fatal(err)
			}
			said := 0
			for lines := bufio.NewScanner(out); lines.Scan(); {
				if strings.HasPrefix(lines.Text(), "fetched message ") {
					said++
				}
				if said == last+1 {
					first.Process.Kill()
				}
			}
			first.Wait()
			have := atHome(t, kind, target)
			if len(have) < said {
				t.Errorf("%s: %d messages were said to be fetched, %d are at home", at, said, len(have))
			}
			for _, mail := range have {
				if _, found := slices.BinarySearch(mails, mail); !found {
					t.Errorf("%s: at home is part of a message: %.60q", at, mail)
				}
			}
			remaining(t, store) // waits until the session of who was killed is over
			again := runTool(t, "", args...)
			again.expect(t, 0, "", "")
			if got := slices.Sorted(slices.Values(atHome(t, kind, target))); !slices.Equal(got, mails) {
				t.Errorf("%s: after the next run %d messages are at home, want each of %d once", at, len(got), len(mails))
			}
		}
	}
}

func count(mails []string, mail string) (n int) {
	for _, m := range mails {
		if m == mail {
			n++
		}
	}
	return n
}

// remaining returns what is on the server, when the session of who was killed is
// over.
func remaining(t *testing.T, store *memory.Store) (mails []string) {
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
		octets, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		r.Close()
		mails = append(mails, string(octets))
	}
	return mails
}

// atHome returns what other programs would find in the target.
func atHome(t *testing.T, kind, target string) (mails []string) {
	t.Helper()
	pattern := map[string]string{"maildir": "new/*", "dir": "*.eml", "mbox": "../target"}[kind]
	files, err := filepath.Glob(filepath.Join(target, pattern))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		octets, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if kind != "mbox" {
			mails = append(mails, string(octets))
			continue
		}
		// An empty line is behind each message; where it is missing at the end,
		// the journal knows of the part, and the next run removes it.
		for i, m := range strings.Split("\n\n"+string(octets)+"From ", "\n\nFrom ") {
			if _, m, ok := strings.Cut(m, "\n"); i > 0 && ok && !strings.HasSuffix(m, "From ") {
				mails = append(mails, strings.ReplaceAll(m, "\n", "\r\n")+"\r\n")
			}
		}
	}
	return mails
}

// A gate is a listener that counts the commands that come in, and kills the
// client at one of them.
type gate struct {
	net.Listener

	mu   sync.Mutex // guards what follows
	left int
	late time.Duration
	kill func() // nil: nobody is killed any more
	done bool
}

func (g *gate) arm(late time.Duration, kill func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.late, g.kill = late, kill
}

func (g *gate) disarm() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.kill = nil
}

func (g *gate) fired() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.done
}

func (g *gate) Accept() (net.Conn, error) {
	conn, err := g.Listener.Accept()
	return &gatedConn{conn, g}, err
}

type gatedConn struct {
	net.Conn
	*gate
}

// Read passes on what the client said, or kills it before the server hears of
// it.
func (c *gatedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.mu.Lock()
	defer c.mu.Unlock()
	commands := bytes.Count(p[:n], []byte("\n"))
	before := c.left
	c.left -= commands
	if c.kill == nil || before <= 0 || c.left > 0 {
		return n, err
	}
	c.done = true
	if c.late > 0 { // the server goes on
		time.AfterFunc(c.late, c.kill)
		return n, err
	}
	c.kill()
	return 0, io.ErrUnexpectedEOF
}
