//go:build unix

package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"postfach/internal/accounts"
	"postfach/internal/awkward"
	"postfach/internal/datafolder"
	"postfach/internal/unprivileged"
	"postfach/maildrop/maildir"
)

// killRounds is how often the server is killed, and killSeed what everybody's
// dice come from: all do the same in each run, though not in the same order.
const (
	killRounds = 200
	killSeed   = 20260214
)

// Promises 1 to 4 and 8, as a history: clients that read, mark, take marks back,
// QUIT and hang up, programs that deliver and others that set flags, and a
// server that is killed in the middle of it, over and over, on one data folder.
// What was acknowledged is so: removed messages stay away, all others are there
// once, whole, under the unique-id that they always had; deliveries that
// succeeded are there; and each login after a kill works, so no lock is left.
//
// kill -9 loses nothing that the kernel knows. What a power failure loses is
// the business of the crash clones in maildrop/maildroptest.
func TestKilledAgainAndAgain(t *testing.T) {
	if mail := os.Getenv(deliverEnv); mail != "" {
		deliverUntilKilled(t, mail)
		return
	}
	if !unprivileged.Run(t) { // so that one user owns what everybody writes
		return
	}
	w := newKillWorld(t)
	for round := range killRounds {
		// A round of its own, so that only those that fail show their logs.
		if !t.Run(fmt.Sprint(round), w.round) {
			break
		}
	}
	t.Run("in the end", w.last)
	var total [3]int
	for _, h := range w.histories {
		for i, n := range h.counts() {
			total[i] += n
		}
	}
	t.Logf("seed %d, %d rounds: %d messages are there, %d removed, %d deliveries came to nothing or nobody knows; %d QUITs were acknowledged, %d not",
		killSeed, killRounds, total[there], total[gone], total[unsure], w.acknowledged, w.unacknowledged)
	if total[gone] < killRounds || total[there] < 10 || w.unacknowledged < 10 {
		t.Error("too little happened: the test shows nothing")
	}
}

// deliverEnv tells the test binary to be the program that delivers; it says
// where the maildrops are.
const deliverEnv = "POSTFACHD_TEST_DELIVER"

// deliverUntilKilled obeys lines "user octets", each followed by so many octets
// of a message, and answers with the unique-id.
func deliverUntilKilled(t *testing.T, mail string) {
	store := &maildir.Store{Path: func(user string) (string, error) { return filepath.Join(mail, user), nil }, Hostname: "kill"}
	for in := bufio.NewReader(os.Stdin); ; {
		var user string
		var octets int64
		if _, err := fmt.Fscanf(in, "%s %d\n", &user, &octets); err != nil {
			return
		}
		id, err := store.Deliver(t.Context(), user, io.LimitReader(in, octets))
		if err != nil {
			fmt.Println("error", err)
			return
		}
		fmt.Println("id", id)
	}
}

// A killWorld is a data folder with three accounts, and what is known of it.
type killWorld struct {
	*rand.Rand // of the test itself; others have their own from it
	data       string
	histories  []*history

	mu                           sync.Mutex // guards both
	acknowledged, unacknowledged int
}

const killPassword = "kein Geheimnis"

func newKillWorld(t *testing.T) *killWorld {
	w := &killWorld{Rand: rand.New(rand.NewPCG(killSeed, 0)), data: newData(t)}
	serveIn(t, w.data).end()
	folder := datafolder.Folder(w.data)
	edit := accounts.Editor{Path: folder.Accounts(), Key: folder.APOPKey()}
	store := &maildir.Store{}
	for _, user := range []string{"anna", "berta", "clara"} {
		must(t, edit.Add(accounts.NewAccount{User: user, Password: killPassword}))
		must(t, store.Create(filepath.Join(folder.Mail(), user)))
		w.histories = append(w.histories, &history{user: user, letters: map[string]*letter{}, owners: map[string]string{}})
	}
	return w
}

func (w *killWorld) dice() *rand.Rand { return rand.New(rand.NewPCG(w.Uint64(), w.Uint64())) }

// start starts the server, in clear on loopback only: TLS needs its time.
func (w *killWorld) start(t *testing.T) (p *program, address string) {
	p = launch(t, "--data", w.data, "--pop3", "127.0.0.1:0", "--pop3s", "")
	return p, p.address("pop3")
}

// round lets everybody work, kills the server and, now and then, who delivers.
func (w *killWorld) round(t *testing.T) {
	p, address := w.start(t)
	events := newEvents(1 + w.IntN(100))
	for _, h := range w.histories {
		h.mu.Lock()
		h.note("-- %s: a server starts", t.Name())
		h.events = events
		h.mu.Unlock()
	}
	post := w.startPost(t)
	killed := make(chan struct{})
	wrong := make(chan error, 2*len(w.histories)+1)
	var everybody sync.WaitGroup
	for _, h := range w.histories {
		sessions, letters := w.dice(), w.dice()
		turns := make(chan struct{}, 8) // of deliveries: a few for each session
		turns <- struct{}{}
		everybody.Go(func() {
			for {
				for range sessions.IntN(6) {
					select {
					case turns <- struct{}{}:
					default:
					}
				}
				err := w.session(h, sessions, address)
				if err == nil {
					continue
				}
				select {
				case <-killed:
					var broken *brokenPromise
					if !errors.As(err, &broken) {
						return // the server is dead, that is all
					}
				default:
				}
				wrong <- fmt.Errorf("%w\n%s", err, h.story())
				return
			}
		})
		everybody.Go(func() {
			for {
				select {
				case <-turns:
				case <-killed:
					return
				}
				over, err := post.send(h, letters)
				if err != nil {
					wrong <- fmt.Errorf("%w\n%s", err, h.story())
				}
				if over || err != nil {
					return
				}
			}
		})
	}
	everybody.Go(func() { setFlags(w.data, w.histories[0].user, killed) })
	select {
	case <-events.enough:
	case err := <-wrong:
		t.Error(err)
	case <-time.After(patience):
		t.Error("nothing happens any more")
	}
	<-time.After(time.Duration(w.IntN(1000)) * time.Microsecond) // somewhere inside an operation
	close(killed)
	must(t, p.cmd.Process.Kill())
	if w.IntN(2) == 0 {
		post.cmd.Process.Kill()
	}
	<-p.exited
	everybody.Wait()
	post.end()
	close(wrong)
	for err := range wrong {
		t.Errorf("seed %d: %v", killSeed, err)
	}
}

// last is a server that nobody kills: all that must be there is read.
func (w *killWorld) last(t *testing.T) {
	p, address := w.start(t)
	for _, h := range w.histories {
		if err := w.readAll(h, address); err != nil {
			t.Errorf("seed %d: %v\n%s", killSeed, err, h.story())
		}
	}
	p.end()
}

// setFlags is another mail program in one of the maildrops: it moves what is new
// to cur/ until the server is killed.
func setFlags(data, user string, until <-chan struct{}) {
	dir := filepath.Join(datafolder.Folder(data).Mail(), user)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-until:
			return
		case <-tick.C:
		}
		names, _ := os.ReadDir(filepath.Join(dir, "new"))
		for i, name := range names {
			if i%4 == 0 {
				os.Rename(filepath.Join(dir, "new", name.Name()), filepath.Join(dir, "cur", name.Name()+":2,S"))
			}
		}
	}
}

// A post is the program that delivers. It takes one message after the other.
type post struct {
	cmd  *exec.Cmd
	mu   sync.Mutex // guards what follows
	in   io.WriteCloser
	out  *bufio.Reader
	made int
	mark string
}

func (w *killWorld) startPost(t *testing.T) *post {
	exe, err := os.Executable()
	must(t, err)
	p := &post{cmd: exec.Command(exe, "-test.run=^TestKilledAgainAndAgain$"), mark: strings.TrimPrefix(t.Name(), "TestKilledAgainAndAgain/")}
	p.cmd.Env = append(os.Environ(), deliverEnv+"="+datafolder.Folder(w.data).Mail())
	p.in, err = p.cmd.StdinPipe()
	must(t, err)
	out, err := p.cmd.StdoutPipe()
	must(t, err)
	p.out = bufio.NewReader(out)
	must(t, p.cmd.Start())
	return p
}

// send delivers one message. over: the program has been killed.
func (p *post) send(h *history, dice *rand.Rand) (over bool, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.made++
	subject := fmt.Sprintf("%s-%d", p.mark, p.made)
	octets := text(subject, dice)
	h.deliveryBegins(subject, awkward.Message{Octets: octets}.Wire())
	fmt.Fprintf(p.in, "%s %d\n%s", h.user, len(octets), octets)
	line, err := p.out.ReadString('\n')
	if err != nil {
		h.do("deliver %s: killed", subject)
		return true, nil
	}
	id, ok := strings.CutPrefix(strings.TrimSpace(line), "id ")
	if !ok {
		return false, fmt.Errorf("deliver %s: %s", subject, line)
	}
	return false, h.deliveryEnds(subject, id)
}

func (p *post) end() {
	p.in.Close()
	io.Copy(io.Discard, p.out)
	p.cmd.Wait() // killed, or not
}

// text makes a message that is like no other, with lines of all kinds.
func text(subject string, dice *rand.Rand) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "Subject: %s\n\n", subject)
	for range dice.IntN(60) {
		b.WriteString([]string{".", "..", "", "a line", "\r", "\x00\xff", strings.Repeat("long ", dice.IntN(400))}[dice.IntN(7)])
		b.WriteString([]string{"\n", "\r\n"}[dice.IntN(2)])
	}
	if dice.IntN(2) == 0 {
		b.WriteString("no line end")
	}
	return b.Bytes()
}

// A brokenPromise is what no death of the server explains.
type brokenPromise struct{ error }

func (b *brokenPromise) Unwrap() error { return b.error }

func broken(format string, args ...any) error { return &brokenPromise{fmt.Errorf(format, args...)} }

// A caller is a client that takes a dead server as it is.
type caller struct {
	conn net.Conn
	r    *bufio.Reader
}

// call logs in.
func call(address, user string) (*caller, error) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	conn.SetDeadline(time.Now().Add(patience))
	c := &caller{conn, bufio.NewReader(conn)}
	_, err = c.line()
	for _, command := range []string{"USER " + user, "PASS " + killPassword} {
		if err == nil {
			_, err = c.ask(command)
		}
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	return c, nil
}

func (c *caller) line() (string, error) {
	line, err := c.r.ReadString('\n')
	return strings.TrimSuffix(line, "\r\n"), err
}

// ask sends a command. Each that is used here must succeed.
func (c *caller) ask(command string) (string, error) {
	if _, err := fmt.Fprintf(c.conn, "%s\r\n", command); err != nil {
		return "", err
	}
	line, err := c.line()
	if err == nil && !strings.HasPrefix(line, "+OK") {
		err = broken("%.20s: %s", command, line)
	}
	return line, err
}

// lines is ask for what has many lines.
func (c *caller) lines(command string) ([]string, error) {
	if _, err := c.ask(command); err != nil {
		return nil, err
	}
	var lines []string
	for {
		line, err := c.line()
		if err != nil || line == "." {
			return lines, err
		}
		lines = append(lines, strings.TrimPrefix(line, "."))
	}
}

// ids returns the unique-ids in the order of the message numbers.
func (c *caller) ids() (ids []string, err error) {
	lines, err := c.lines("UIDL")
	for _, line := range lines {
		_, id, _ := strings.Cut(line, " ")
		ids = append(ids, id)
	}
	return ids, err
}

// retr reads a message and compares it with what was delivered and announced.
func (c *caller) retr(h *history, n int, id, size string) error {
	lines, err := c.lines(fmt.Sprint("RETR ", n))
	if err != nil {
		return err
	}
	wire := []byte(strings.Join(lines, "\r\n") + "\r\n")
	if size != fmt.Sprint(n, " ", len(wire)) {
		return broken("message %d has %d octets, LIST says %q", n, len(wire), size)
	}
	if err := h.retrieved(id, wire); err != nil {
		return &brokenPromise{err}
	}
	return nil
}

// open logs in and compares what is there with the history.
func (h *history) open(address string) (c *caller, ids, sizes []string, err error) {
	certain := h.certain()
	if c, err = call(address, h.user); err != nil {
		return nil, nil, nil, err
	}
	ids, err = c.ids()
	if err == nil {
		sizes, err = c.lines("LIST")
	}
	if err == nil && len(sizes) != len(ids) {
		err = broken("LIST has %d messages, UIDL %d", len(sizes), len(ids))
	}
	if err == nil {
		var unknown []int
		if unknown, err = h.listed(certain, ids); err != nil {
			err = &brokenPromise{err}
		}
		for _, n := range unknown {
			if err == nil {
				err = c.retr(h, n, ids[n-1], sizes[n-1])
			}
		}
	}
	if err != nil {
		c.conn.Close()
	}
	return c, ids, sizes, err
}

// session is one session of a client that does what it likes.
func (w *killWorld) session(h *history, dice *rand.Rand, address string) error {
	c, ids, sizes, err := h.open(address)
	if err != nil {
		return err
	}
	defer c.conn.Close()
	marked := map[int]bool{}
	for range dice.IntN(12) {
		if len(ids) == 0 {
			break
		}
		n := 1 + dice.IntN(len(ids))
		switch what := dice.IntN(8); {
		case what == 0:
			_, err = c.ask("RSET")
			clear(marked)
		case marked[n]:
			_, err = c.ask("NOOP")
		case what < 5:
			err = c.retr(h, n, ids[n-1], sizes[n-1])
		default:
			_, err = c.ask(fmt.Sprint("DELE ", n))
			marked[n] = true
		}
		if err != nil {
			return err
		}
	}
	return w.hangUp(c, h, dice, ids, marked)
}

// hangUp ends a session in one of many ways.
func (w *killWorld) hangUp(c *caller, h *history, dice *rand.Rand, ids []string, marked map[int]bool) error {
	var gone []string
	for n := range marked {
		gone = append(gone, ids[n-1])
	}
	gone = sorted(gone)
	switch dice.IntN(10) {
	case 0:
		h.do("hangs up with %d marked", len(gone))
		return nil
	case 1:
		h.do("resets the connection with %d marked", len(gone))
		return c.conn.(*net.TCPConn).SetLinger(0)
	case 2:
		h.do("QUIT without a line end, %d marked", len(gone))
		_, err := io.WriteString(c.conn, "QUIT")
		return err
	case 3:
		h.do("closes its half with %d marked", len(gone))
		if err := c.conn.(*net.TCPConn).CloseWrite(); err != nil {
			return err
		}
		_, err := io.Copy(io.Discard, c.r)
		return err
	}
	h.quitBegins(gone)
	if _, err := io.WriteString(c.conn, "QUIT\r\n"); err != nil {
		return err
	}
	if dice.IntN(6) == 0 {
		h.do("does not wait for the answer")
		return nil
	}
	line, err := c.line()
	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil {
		w.unacknowledged++
		return err
	}
	if !strings.HasPrefix(line, "+OK") {
		return broken("QUIT: %s", line)
	}
	w.acknowledged++
	h.quitEnds(gone)
	return nil
}

// readAll is a session that reads everything.
func (w *killWorld) readAll(h *history, address string) error {
	c, ids, sizes, err := h.open(address)
	if err != nil {
		return err
	}
	defer c.conn.Close()
	for i, id := range ids {
		if err := c.retr(h, i+1, id, sizes[i]); err != nil {
			return err
		}
	}
	_, err = c.ask("QUIT")
	return err
}
