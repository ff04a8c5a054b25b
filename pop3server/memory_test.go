// The race detector has memory of its own for each goroutine.
//go:build !race

package pop3server_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"testing"
	"time"

	"postfach/maildrop"
	"postfach/pop3"
	"postfach/pop3server"
)

// What promise 15 allows, in octets.
const (
	beforeLogin = 64 << 10
	afterLogin  = 256 << 10
	perMessage  = 200
)

// A hold is a state of connections that costs memory.
type hold struct {
	name  string
	tls   bool // TLS is needed for it
	many  int  // connections
	limit int  // for each
	// reach takes connection i there. A pipe has no buffer, so what has been
	// written has been read by the server.
	reach func(h *holder, i int)
}

// A holder is the client's side of a connection; after reach, only the pipe is
// kept.
type holder struct {
	*client
	pipe    net.Conn
	version uint16        // of TLS; 0: none
	asked   chan struct{} // one for each token that is looked up
}

// start does what a client does before it can say something.
func (h *holder) start() *holder {
	if h.version != 0 {
		config := trusting(h.version)
		config.DynamicRecordSizingDisabled = true // a record for each write
		h.handshake(config)
	}
	h.answer()
	return h
}

func (h *holder) login(i int) *holder {
	h.start()
	h.line(fmt.Sprintf("USER u%d", i))
	h.line("PASS right")
	return h
}

// hello sends a TLS record, or a piece of a handshake that promises 64 KiB.
func (h *holder) hello(total, piece int) {
	body := append([]byte{1, 0, 0xff, 0xff}, make([]byte, total)...)
	for body := body[:total]; len(body) > 0; {
		n := min(piece, len(body))
		record := append([]byte{22, 3, 1, byte(n >> 8), byte(n)}, body[:n]...)
		if _, err := h.pipe.Write(record); err != nil {
			return
		}
		body = body[n:]
	}
}

func holds() []hold {
	say := func(octets string) func(*holder, int) {
		return func(h *holder, _ int) { h.start().send(octets) }
	}
	sayAfter := func(octets string) func(*holder, int) {
		return func(h *holder, i int) { h.login(i).send(octets) }
	}
	stall := func(command string) func(*holder, int) {
		return func(h *holder, i int) {
			h.login(i).send(command + "\r\n")
			io.CopyN(io.Discard, h.r, 40<<10) // and no more
		}
	}
	const bearer = "AUTH OAUTHBEARER "
	return []hold{
		{"idle", false, 200, beforeLogin, say("")},
		{"silent", false, 200, beforeLogin, func(*holder, int) {}},
		{"part of a handshake", true, 200, beforeLogin, func(h *holder, _ int) { h.hello(4_500, 4_500) }},
		{"small parts of a handshake", true, 200, beforeLogin, func(h *holder, _ int) { h.hello(3_500, 16) }},
		{"handshake that does not end", true, 200, beforeLogin, func(h *holder, _ int) { h.hello(65_000, 16_000) }},
		{"half a command", false, 200, beforeLogin, say("USER " + strings.Repeat("x", 2000))},
		{"long line", false, 200, beforeLogin, say(strings.Repeat("x", 1<<17))},
		{"after a long line", false, 200, beforeLogin, func(h *holder, _ int) { h.start().line(strings.Repeat("x", 1<<17)) }},
		{"part of AUTH", false, 200, beforeLogin, say("AUTH PLAIN " + strings.Repeat("x", 12_000))},
		{"AUTH too long", false, 200, beforeLogin, say("AUTH PLAIN " + strings.Repeat("x", 1<<17))},
		{"part of a response", false, 200, beforeLogin, func(h *holder, _ int) {
			h.start().line("AUTH PLAIN")
			h.send(strings.Repeat("x", 12_000))
		}},
		{"token that is looked up", true, 200, beforeLogin, func(h *holder, _ int) {
			token := "n,,\x01auth=Bearer " + strings.Repeat("x", 8_800) + "\x01\x01"
			h.start().send(bearer + encode(token) + "\r\n")
			<-h.asked
		}},
		{"second token that is looked up", true, 200, beforeLogin, func(h *holder, _ int) {
			token := "n,,\x01auth=Bearer " + strings.Repeat("x", 8_800) + "\x01\x01"
			h.start().line(strings.TrimSpace(bearer))
			h.send(encode(token) + "\r\n")
			<-h.asked
		}},
		{"replies that nobody reads", false, 200, beforeLogin, func(h *holder, _ int) {
			h.start().send(strings.Repeat("CAPA\r\n", 100))
		}},

		{"words that almost fit, then a response", true, 200, beforeLogin, tuner{words: []int{9_400, 16_300}, line: 12_200, last: 16_640}.reach},
		{"words that grow, then a response", true, 200, beforeLogin, tuner{words: []int{7_300, 15_300}, line: 12_200, last: 16_600}.reach},
		{"large hello, then a response", true, 200, beforeLogin, tuner{hello: 2_900, split: 2_500, words: []int{7_500}, line: 12_200}.reach},
		{"larger hello, then a response", true, 200, beforeLogin, tuner{hello: 4_500, split: 4_000, words: []int{9_400}, line: 12_200}.reach},
		{"too large hello, then a response", true, 200, beforeLogin, tuner{hello: 17_500, split: 8_000, words: []int{7_300, 15_300}, line: 12_200, last: 16_600}.reach},
		{"hello with a long name, then a response", true, 200, beforeLogin, tuner{host: 5_000, split: 4_000, words: []int{7_300}, line: 12_200}.reach},
		{"hello, then words that grow and a response", true, 200, beforeLogin, tuner{hello: 2_900, split: 2_500, words: []int{7_300, 15_300}, line: 12_200, last: 16_600}.reach},
		{"more hello, then words that grow and a response", true, 200, beforeLogin, tuner{hello: 3_800, split: 2_500, words: []int{7_300, 15_300}, line: 12_200, last: 16_600}.reach},
		{"chain of certificates", true, 200, beforeLogin, tuner{chain: 15_500}.reach},
		{"large hello, then a chain of certificates", true, 200, beforeLogin, tuner{hello: 1_500, chain: 9_000}.reach},
		{"larger hello, then a chain of certificates", true, 200, beforeLogin, tuner{hello: 3_000, chain: 6_500}.reach},
		{"too large hello, then a chain of certificates", true, 200, beforeLogin, tuner{hello: 6_300, chain: 15_500}.reach},
		{"long chain of certificates", true, 200, beforeLogin, tuner{chain: 60_000}.reach},

		{"logged in", false, 200, afterLogin, sayAfter("")},
		{"long line after login", false, 200, afterLogin, sayAfter(strings.Repeat("x", 1<<17))},
		{"RETR that nobody reads", false, 200, afterLogin, stall("RETR 1")},
		{"list that nobody reads", false, 4, afterLogin + 100_000*perMessage, stall("LIST")},
		{"after a long list", false, 4, afterLogin + 100_000*perMessage, func(h *holder, i int) {
			h.login(i).send("UIDL\r\n")
			for h.answer() != "." {
			}
		}},
	}
}

// Promise 15: memory for each connection, whatever lines and messages do.
func TestMemoryIsBounded(t *testing.T) {
	// Garbage leaves holes between what is in use, and they are counted: less of it
	// gives a number that is the same each time.
	defer debug.SetGCPercent(debug.SetGCPercent(20))
	stacks := 0
	for _, h := range holds() {
		for name, version := range map[string]uint16{"": 0, " TLS 1.2": tls.VersionTLS12, " TLS 1.3": tls.VersionTLS13} {
			if h.tls && version == 0 {
				continue
			}
			t.Run(h.name+name, func(t *testing.T) {
				each := h.measure(t, version, &stacks)
				t.Logf("%s%s: %d KiB for a connection", h.name, name, each>>10)
				if each > h.limit {
					t.Errorf("%d octets for a connection, and %d are allowed", each, h.limit)
				}
			})
		}
	}
}

// measure returns what a connection takes in heap and stack. stacks is what all
// stacks took at the very beginning: those of goroutines that have ended are kept
// for others, and must not hide what these take.
func (h *hold) measure(t *testing.T, version uint16, stacks *int) int {
	asked := make(chan struct{}, h.many)
	srv, _ := newServer(nil)
	srv.Store, srv.Auth, srv.Tokens = library(max(0, h.limit-afterLogin)/perMessage+1), newBook(), waitingTokens{asked: asked}
	srv.Limits.Login = time.Hour
	cert, _ := certificate()
	srv.TLS = &tls.Config{Certificates: []tls.Certificate{cert}, ClientAuth: tls.RequestClientCert}
	l := &listener{conns: make(chan net.Conn), closed: make(chan struct{})}
	served := make(chan error, 1)
	serve := srv.Serve
	if version != 0 {
		serve = srv.ServeTLS
	}
	go func() { served <- serve(l) }()

	heap, stack := inUse()
	if *stacks == 0 {
		*stacks = stack
	}
	pipes := make([]net.Conn, h.many)
	var all sync.WaitGroup
	for i := range pipes {
		ours, theirs := net.Pipe()
		pipes[i] = ours
		l.conns <- theirs
		all.Go(func() {
			h.reach(&holder{&client{t: t, conn: ours, r: bufio.NewReader(ours)}, ours, version, asked}, i)
		})
	}
	all.Wait()
	heapNow, stackNow := inUse()
	for _, p := range pipes {
		p.Close()
	}
	srv.Close()
	<-served
	return (heapNow - heap + stackNow - *stacks) / h.many
}

// inUse is what heap and stacks take, without garbage.
func inUse() (heap, stack int) {
	for range 3 { // what pools hold goes at the second collection
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapInuse), int(m.StackInuse)
}

// waitingTokens takes its time.
type waitingTokens struct {
	tokens
	asked chan struct{}
}

func (w waitingTokens) Token(ctx context.Context, _ *pop3server.Peer, _, _ string) (pop3server.Identity, error) {
	w.asked <- struct{}{}
	<-ctx.Done()
	return pop3server.Identity{}, ctx.Err()
}

// A library has maildrops with so many messages of 50 MB.
type library int

func (l library) Open(context.Context, string) (maildrop.Maildrop, error) { return l, nil }

func (l library) Messages() []maildrop.Message {
	all := make([]maildrop.Message, l)
	for i := range all {
		all[i] = maildrop.Message{ID: pop3.UniqueID(fmt.Sprintf("1795416000.M%06dP12345Q%d.mail.example.org", i, i)), Size: 50_000_000}
	}
	return all
}

func (library) Content(context.Context, pop3.UniqueID) (io.ReadCloser, error) {
	return io.NopCloser(io.LimitReader(lines{}, 50_000_000)), nil
}

func (library) Update(context.Context, []pop3.UniqueID) error { return nil }
func (library) Close() error                                  { return nil }

// lines is an endless message.
type lines struct{}

func (lines) Read(p []byte) (int, error) {
	const line = "I waited at the letter box until the postman had gone by, twice.\r\n"
	return copy(p, line), nil
}

func encode(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
