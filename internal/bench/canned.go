package bench

import (
	"bytes"
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"sync"

	"postfach/internal/popwire"
	"postfach/pop3"
)

// Canned is a server with nothing behind it: the same dialogue, answered from memory,
// one maildrop for whoever logs in with whatever password. It keeps no state beside what
// has not been answered yet, and nothing is ever deleted. What a server costs beyond
// this is its own.
//
// It is as fast as a plain loop over a net.Conn gets: replies are prepared, commands
// that came together are answered in one write, a large message in a write of its own.
type Canned struct {
	// TLS is for STLS; nil: there is none, or one with a certificate that Start makes.
	TLS *tls.Config
	// Piece, if not 0, is how many octets of a large message go out in one write: a
	// server that streams messages cannot write a large one at once. Of NewCannedLF it
	// is for all messages; 0 is 64 KiB there.
	Piece int
	// Addr is in clear, AddrTLS begins with TLS: set by Start.
	Addr, AddrTLS string

	greeting, ok, refused []byte
	capabilities, stat    []byte
	sizes, ids            []byte // LIST and UIDL
	mail, tops            [][]byte
	files                 [][]byte // as they lie in files, where mail is only how replies begin; nil: mail is all
	messages              int
	listeners             []net.Listener
	asked                 func(keyword string) // for tests: hears of each command first
	pieces                sync.Pool            // *[]byte, for files

	mu    sync.Mutex // guards what follows
	open  map[net.Conn]bool
	ended bool
	all   sync.WaitGroup
}

// cannedMemory bounds what prepared messages take. Where they do not fit, several
// numbers have the same content.
const cannedMemory = 256 << 20

// NewCanned prepares a maildrop of so many messages of so many octets.
func NewCanned(messages, size int) *Canned { return newCanned(messages, size, false) }

// NewCannedLF prepares the same maildrop, with messages as they lie in files: LF, and no
// byte-stuffing. They become what is sent while they are sent, in pieces: what nobody is
// spared who has files with LF.
func NewCannedLF(messages, size int) *Canned { return newCanned(messages, size, true) }

func newCanned(messages, size int, lf bool) *Canned {
	c := &Canned{
		greeting: yes("canned server ready"), ok: yes(""), refused: popwire.AppendReply(nil, popwire.Reply{Text: "not that"}),
		messages: messages, open: make(map[net.Conn]bool),
	}
	different := min(messages, max(1, cannedMemory/max(size, 1)))
	var mail Messages
	var octets []int64
	var all int64
	for n := range different {
		wire := mail.Append(nil, n+1, size)
		c.addMessage(wire, lf)
		octets = append(octets, int64(len(wire)))
	}
	c.sizes, c.ids = yes("scan listing follows"), yes("unique-id listing follows")
	for n := 1; n <= messages; n++ {
		s := octets[(n-1)%different]
		all += s
		c.sizes = popwire.EndLine(popwire.AppendScanListing(c.sizes, pop3.ScanListing{Number: n, Size: s}))
		c.ids = popwire.EndLine(popwire.AppendIDListing(c.ids, pop3.IDListing{Number: n, ID: pop3.UniqueID(strconv.Itoa(firstSecond+n) + ".M" + strconv.Itoa(n) + "P1.canned")}))
	}
	c.sizes, c.ids = popwire.AppendTerminator(c.sizes), popwire.AppendTerminator(c.ids)
	c.stat = yes(string(popwire.AppendDropListing(nil, pop3.DropListing{Count: messages, Size: all})))
	c.capabilities = yes("capability list follows")
	for _, line := range []string{"USER", "TOP", "UIDL", "PIPELINING", "STLS"} {
		c.capabilities = popwire.AppendDataLine(c.capabilities, line)
	}
	c.capabilities = popwire.AppendTerminator(c.capabilities)
	return c
}

// Start listens on two addresses of this machine, and serves until Close. An address
// that is empty is not listened on.
func (c *Canned) Start(inClear, implicit string) (err error) {
	if c.TLS == nil {
		c.TLS, err = SelfSigned()
	}
	if err != nil {
		return err
	}
	plain, err := c.listen(inClear)
	if err != nil {
		return err
	}
	secure, err := c.listen(implicit)
	if err != nil {
		c.Close()
		return err
	}
	if plain != nil {
		c.Addr = plain.Addr().String()
		go c.Serve(plain)
	}
	if secure != nil {
		c.AddrTLS = secure.Addr().String()
		go c.Serve(tls.NewListener(secure, c.TLS))
	}
	return nil
}

// listen opens an address, which Close closes; nil for "".
func (c *Canned) listen(addr string) (net.Listener, error) {
	if addr == "" {
		return nil, nil
	}
	if !loopback(addr) {
		return nil, fmt.Errorf("%s: %w", addr, ErrNotLoopback)
	}
	l, err := net.Listen("tcp", addr)
	if err == nil {
		c.listeners = append(c.listeners, l)
	}
	return l, err
}

// yes is a positive first line.
func yes(text string) []byte { return popwire.AppendReply(nil, popwire.Reply{OK: true, Text: text}) }

// addMessage prepares the replies to RETR and to TOP n 0.
func (c *Canned) addMessage(wire []byte, lf bool) {
	reply := yes(strconv.Itoa(len(wire)) + " octets")
	if lf {
		c.files = append(c.files, asFile(wire))
	} else {
		reply = popwire.AppendTerminator(stuffed(reply, wire))
	}
	c.mail = append(c.mail, reply)
	header := wire
	for i := 0; i < len(wire); {
		end := i + bytes.IndexByte(wire[i:], '\n') + 1
		if len(popwire.TrimLine(wire[i:end])) == 0 {
			header = wire[:end]
			break
		}
		i = end
	}
	c.tops = append(c.tops, popwire.AppendTerminator(stuffed(yes("top of message follows"), header)))
}

// stuffed adds a message whose line ends are CRLF.
func stuffed(dst, wire []byte) []byte {
	for len(wire) > 0 {
		end := bytes.IndexByte(wire, '\n') + 1
		if wire[0] == '.' {
			dst = append(dst, '.')
		}
		dst = append(dst, wire[:end]...)
		wire = wire[end:]
	}
	return dst
}

// Serve answers connections until the listener or the server is closed.
func (c *Canned) Serve(l net.Listener) error {
	for {
		conn, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return err
		}
		if !c.enter(conn) {
			conn.Close()
			return nil
		}
		go func() {
			defer c.leave(conn)
			c.session(conn)
		}()
	}
}

func (c *Canned) enter(conn net.Conn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		return false
	}
	c.open[conn] = true
	c.all.Add(1)
	return true
}

func (c *Canned) leave(conn net.Conn) {
	conn.Close()
	c.mu.Lock()
	delete(c.open, conn)
	c.mu.Unlock()
	c.all.Done()
}

// Close cuts all sessions off, and waits for them. Listeners given to Serve are closed
// by whoever opened them.
func (c *Canned) Close() {
	for _, l := range c.listeners {
		l.Close()
	}
	c.mu.Lock()
	c.ended = true
	for conn := range c.open {
		conn.Close()
	}
	c.mu.Unlock()
	c.all.Wait()
}

const (
	cannedLine   = 512      // room for commands that came together
	cannedAnswer = 64 << 10 // room for their replies
	cannedDirect = 32 << 10 // a reply of this size is written from where it is
)

// answers are buffers for replies: a session that waits holds none.
var answers = sync.Pool{New: func() any { b := make([]byte, 0, cannedAnswer); return &b }}

// session answers until QUIT or the end of the connection.
func (c *Canned) session(conn net.Conn) {
	conn.Write(c.greeting)
	in := make([]byte, cannedLine)
	for n := 0; ; {
		k, err := conn.Read(in[n:])
		if err != nil {
			return
		}
		n += k
		rest, after := c.together(conn, in[:n])
		switch after {
		case hangUp:
			return
		case startTLS:
			conn = tls.Server(conn, c.TLS)
			rest = nil
		}
		if n = copy(in, rest); n == len(in) {
			return
		}
	}
}

// What is to be done after a command.
type next uint8

const (
	goOn next = iota
	hangUp
	startTLS
)

// together answers all complete commands in one write, if they fit, and returns what
// is left.
func (c *Canned) together(conn net.Conn, in []byte) (rest []byte, after next) {
	pooled := answers.Get().(*[]byte)
	out := (*pooled)[:0]
	flush := func() {
		if len(out) > 0 {
			if _, err := conn.Write(out); err != nil {
				after = hangUp
			}
			out = out[:0]
		}
	}
	for after == goOn {
		end := bytes.IndexByte(in, '\n') + 1
		if end == 0 {
			break
		}
		var reply, file []byte
		reply, file, after = c.answer(popwire.TrimLine(in[:end]))
		in = in[end:]
		if file != nil {
			flush()
			if c.sendFile(conn, reply, file) != nil {
				after = hangUp
			}
			continue
		}
		if len(out)+len(reply) > cannedAnswer {
			flush()
		}
		if len(reply) < cannedDirect {
			out = append(out, reply...)
			continue
		}
		flush()
		for piece := range slices.Chunk(reply, cmp.Or(c.Piece, len(reply))) {
			if _, err := conn.Write(piece); err != nil {
				after = hangUp
				break
			}
		}
	}
	flush()
	answers.Put(pooled)
	return in, after
}

// answer returns the reply to a command. With a file, it goes on with that.
func (c *Canned) answer(line []byte) (reply, file []byte, after next) {
	keyword, args, hasArgs := bytes.Cut(line, []byte{' '})
	if c.asked != nil {
		c.asked(string(keyword))
	}
	switch string(keyword) {
	case "RETR":
		if i, ok := c.index(args); ok {
			return c.mail[i], c.file(i), goOn
		}
	case "TOP":
		if i, ok := c.index(args); ok {
			return c.tops[i], nil, goOn // no line of the body, whatever is asked for
		}
	case "USER", "PASS", "NOOP", "RSET", "DELE":
		return c.ok, nil, goOn
	case "STAT":
		return c.stat, nil, goOn
	case "CAPA":
		return c.capabilities, nil, goOn
	case "LIST":
		if !hasArgs {
			return c.sizes, nil, goOn
		}
	case "UIDL":
		if !hasArgs {
			return c.ids, nil, goOn
		}
	case "QUIT":
		return c.ok, nil, hangUp
	case "STLS":
		if c.TLS != nil {
			return c.ok, nil, startTLS
		}
	}
	return c.refused, nil, goOn
}

// index returns which of the prepared messages has the number that args begin with.
func (c *Canned) index(args []byte) (i int, ok bool) {
	n, _, ok := leadingNumber(args)
	if !ok || n < 1 || n > int64(c.messages) {
		return 0, false
	}
	return int(n-1) % len(c.mail), true
}

// file returns how a message lies in a file; nil: it is prepared as it is sent.
func (c *Canned) file(i int) []byte {
	if c.files == nil {
		return nil
	}
	return c.files[i]
}
