package pop3test

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"postfach/pop3check"
	"postfach/pop3server"
)

// A front stands between a client and the real server: it passes on what no
// fault touches, octet for octet, and records all of it.
type front struct {
	s      *Server
	sess   *Session
	rec    *recorder
	faults []Fault // those that were there when the connection came

	client   net.Conn
	br       *bufio.Reader // from the client
	below    *endConn      // what TLS with the client goes over, if there is TLS
	inner    net.Conn      // to the real server
	waits    chan struct{} // has an item while the real server waits for octets
	ir       *bufio.Reader // from it
	exchange bool          // the next line is a SASL response
	// overheard counts the octets in br that are recorded already.
	overheard int
	left      bool // the client has gone, and that is recorded
}

// patience bounds every wait for the real server, and for a client that does
// not read.
const patience = time.Minute

// maxLine bounds a line of the client, in octets.
const maxLine = 16 << 20

// accept serves connections until the listener closes.
func (s *Server) accept(l net.Listener, implicitTLS bool) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		f := s.newFront(c, implicitTLS)
		if f == nil {
			c.Close()
			return
		}
		s.fronts.Go(func() {
			defer s.forget(c, f.rec)
			f.serve(implicitTLS)
		})
	}
}

// newFront returns nil when the server is closed.
func (s *Server) newFront(c net.Conn, implicitTLS bool) *front {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.conns[c] = struct{}{}
	f := &front{s: s, client: c, br: bufio.NewReader(c), rec: new(recorder), faults: s.faults}
	s.recordings = append(s.recordings, f.rec)
	f.rec.rec = pop3check.Recording{Number: len(s.recordings), ImplicitTLS: implicitTLS, Scenario: names(f.faults)}
	f.sess = &Session{Server: s, Number: len(s.recordings), ImplicitTLS: implicitTLS, Values: make(map[string]any), front: f}
	return f
}

func names(faults []Fault) string {
	var all []string
	for _, f := range faults {
		all = append(all, f.Name)
	}
	return strings.Join(all, " ")
}

func (s *Server) forget(c net.Conn, r *recorder) {
	c.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
	r.end()
	s.news()
}

// serve is the life of a connection.
func (f *front) serve(implicitTLS bool) {
	for _, fault := range f.faults {
		if fault.Accept != nil {
			fault.Accept(f.sess)
		}
	}
	if implicitTLS && !f.sess.Unprotected && !f.handshake() {
		return
	}
	if !f.dial(implicitTLS) {
		return
	}
	defer f.hangUp()
	if !f.greet() {
		f.end(pop3check.ServerClosed)
		return
	}
	for {
		f.client.SetReadDeadline(time.Now().Add(pop3server.MinIdle)) // as the real server has it
		line, err := f.readLine()
		if errors.Is(err, os.ErrDeadlineExceeded) {
			f.end(pop3check.ServerClosed)
			return
		}
		if err != nil {
			f.gone(line, err)
			return
		}
		if !f.obey(line) {
			f.end(pop3check.ServerClosed)
			return
		}
	}
}

func (f *front) greet() bool {
	f.inner.SetDeadline(time.Now().Add(patience))
	greeting, err := f.ir.ReadString('\n')
	if err != nil {
		return false
	}
	for _, fault := range f.faults {
		if fault.Greet != nil {
			greeting = fault.Greet(f.sess, greeting)
		}
	}
	f.send(greeting)
	return greeting != ""
}

// readLine reads a line with its line end. At the end of the connection it
// returns what came before, with an error.
func (f *front) readLine() (string, error) {
	if f.sess.Packets {
		return f.readPacket()
	}
	var line []byte
	for {
		part, err := f.br.ReadSlice('\n')
		line = append(line, part...)
		if len(line) > maxLine {
			err = errors.New("line too long")
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		f.heard(string(line))
		return string(line), err
	}
}

// readPacket reads a line, or the beginning of one that has come alone.
func (f *front) readPacket() (string, error) {
	if _, err := f.br.Peek(1); err != nil {
		return "", err
	}
	packet, _ := f.br.Peek(f.br.Buffered())
	line, _, whole := strings.Cut(string(packet), "\n")
	if whole {
		line += "\n"
	}
	f.br.Discard(len(line))
	f.heard(line)
	return line, nil
}

// heard records what the client said, unless it was overheard.
func (f *front) heard(line string) {
	switch {
	case line == "":
	case f.overheard > 0:
		f.overheard = max(0, f.overheard-len(line))
	default:
		f.rec.add(pop3check.Event{Kind: pop3check.ClientSaid, Octets: line})
	}
}

// outlast says nothing until the client goes.
func (f *front) outlast() {
	for {
		if rest, err := f.readLine(); err != nil {
			f.gone(rest, err)
			return
		}
	}
}

// listen takes in what the client has sent already.
func (f *front) listen() {
	if f.br.Buffered() == f.br.Size() {
		return
	}
	f.client.SetReadDeadline(time.Now().Add(time.Millisecond))
	f.br.Peek(f.br.Buffered() + 1)
	f.client.SetReadDeadline(time.Time{})
}

// overhear records the lines that came before the reply to an earlier one: a
// recording shows who spoke first.
func (f *front) overhear() {
	early, _ := f.br.Peek(f.br.Buffered())
	for line := range bytes.Lines(early[f.overheard:]) {
		if line[0] == clientHello || !bytes.HasSuffix(line, []byte("\n")) {
			return
		}
		f.rec.add(pop3check.Event{Kind: pop3check.ClientSaid, Octets: string(line)})
		f.overheard += len(line)
	}
}

// obey handles one line and reports whether the connection goes on.
func (f *front) obey(line string) bool {
	for _, fault := range f.faults {
		if fault.Line != nil {
			line = fault.Line(f.sess, line)
		}
	}
	e := newExchange(f.sess, line)
	if f.exchange {
		e.Keyword, e.Args, e.Response = "", "", true
	}
	if !f.handled(e) {
		e.Reply = e.Forward()
		if e.Reply == "" {
			return false // the real server has closed the connection
		}
	}
	f.follow(e)
	f.edit(e)
	f.send(e.Reply)
	switch {
	case e.Stall:
		f.outlast()
		return false
	case e.Hangup:
		return false
	case e.Is("STLS") && positive(e.Reply) && !f.sess.TLS:
		return f.stls(e.forwarded)
	case e.Is("QUIT") && positive(e.Reply) && !e.Open:
		return false
	case e.forwarded && !positive(e.Reply) && !f.exchange && f.innerGone(): // only a refusal ends a session
		return e.Open
	}
	return true
}

func (f *front) handled(e *Exchange) bool {
	for _, fault := range f.faults {
		if fault.Command != nil && fault.Command(e) {
			return true
		}
	}
	return false
}

// follow keeps up with the state that a reply makes.
func (f *front) follow(e *Exchange) {
	switch e.Keyword {
	case "USER":
		f.sess.Name = e.Args
	case "PASS", "APOP", "AUTH":
		f.sess.LoggedIn = f.sess.LoggedIn || positive(e.Reply)
	case "":
		f.sess.LoggedIn = f.sess.LoggedIn || positive(e.Reply) && f.exchange
	}
	f.exchange = challenge(e.Reply)
}

// edit lets the faults change a reply. A challenge that the client does not
// get ends the exchange with the real server.
func (f *front) edit(e *Exchange) {
	for _, fault := range f.faults {
		if fault.Edit != nil {
			fault.Edit(e)
		}
	}
	if f.exchange && e.forwarded && !challenge(e.Reply) {
		f.ask("*\r\n")
	}
	f.exchange = challenge(e.Reply)
}

// positive reports whether a client takes a reply for a positive one, in
// whatever case it is written.
func positive(reply string) bool { return len(reply) >= 3 && strings.EqualFold(reply[:3], "+OK") }

func challenge(reply string) bool {
	return strings.HasPrefix(reply, "+ ") || reply == "+\r\n" || reply == "+\n"
}

// send sends a reply to the client, by the first fault that wants to.
func (f *front) send(octets string) {
	if octets == "" {
		return
	}
	f.overhear()
	if send := f.sess.SendNext; send != nil {
		f.sess.SendNext = nil
		send(octets)
		return
	}
	for _, fault := range f.faults {
		if fault.Send != nil {
			fault.Send(f.sess, octets)
			return
		}
	}
	f.write(octets)
}

func (f *front) write(octets string) {
	f.client.SetWriteDeadline(time.Now().Add(patience))
	// Recorded before it is sent: who has a reply finds it in the recording.
	at := f.rec.add(pop3check.Event{Kind: pop3check.ServerSaid, Octets: octets})
	if _, err := io.WriteString(f.client, octets); err != nil {
		f.rec.remove(at, octets)
	}
}

// gone ends a session whose client has gone. rest is the beginning of a line.
func (f *front) gone(rest string, why error) {
	closed := pop3check.Event{Kind: pop3check.ClientClosed}
	switch {
	case !errors.Is(why, io.EOF):
		closed.Err = why.Error()
	case f.below != nil && f.below.ended:
		closed.Err = "no close_notify"
	}
	f.rec.add(closed)
	f.left = true
	f.sess.Rest = rest
	for _, fault := range f.faults {
		if fault.Hangup != nil {
			fault.Hangup(f.sess)
		}
	}
	if rest != "" {
		f.inner.SetDeadline(time.Now().Add(patience))
		io.WriteString(f.inner, rest)
	}
}

func (f *front) end(kind pop3check.EventKind) {
	if !f.left {
		f.rec.add(pop3check.Event{Kind: kind})
	}
	f.client.Close()
}
