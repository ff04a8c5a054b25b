package transcript

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
)

// Options say how a script is played. The zero value is the plain way.
type Options struct {
	// Octet sends one octet at a time (P3-SYN-01).
	Octet bool
	// OneSegment sends in one write what may be pipelined (P3-PIPE-01).
	OneSegment bool
	// TLS is the configuration for (tls). nil: such a script is an error.
	TLS *tls.Config
	// Dial opens the second and further connections.
	Dial func(ctx context.Context) (net.Conn, error)
	// Vars are values for placeholders that are known beforehand.
	Vars map[string]string
}

// Play plays the script as the client on conn, which it closes. The error is a
// *Mismatch when the server said something else. ctx bounds the time.
func Play(ctx context.Context, conn net.Conn, s *Script, o Options) error {
	p := &player{ctx: ctx, script: s, o: o, vars: newVars(o.Vars), wires: make(map[string]*wire)}
	defer p.close()
	p.use("", conn)
	if err := p.run(); err != nil {
		return cause(ctx, err)
	}
	return nil
}

type player struct {
	ctx    context.Context
	script *Script
	o      Options
	vars   *vars
	wires  map[string]*wire // by the connection's name
	w      *wire            // the present one
	named  bool             // the first connection has its name
	sent   int              // lines of the script before this one are sent
	stops  []func() bool
}

func (p *player) close() {
	for _, w := range p.wires {
		w.close()
	}
	for _, stop := range p.stops {
		stop()
	}
}

func (p *player) use(name string, conn net.Conn) {
	p.stops = append(p.stops, watch(p.ctx, conn))
	p.w = newWire(conn, p.o.Octet)
	p.wires[name] = p.w
}

func (p *player) run() error {
	for i, l := range p.script.Lines {
		if err := p.line(i, l); err != nil {
			var m *Mismatch
			if errors.As(err, &m) {
				return err
			}
			return fmt.Errorf("%s:%d: %s: %w", p.script.Name, l.Number, l, err)
		}
	}
	return p.nothingLeft()
}

func (p *player) line(i int, l Line) error {
	switch l.Kind {
	case Client:
		return p.say(i)
	case Server:
		return p.expect(l, i > 0 && p.skipBefore(i))
	case TLS:
		if p.o.TLS == nil {
			return errors.New("no TLS configuration")
		}
		return p.w.starttls(p.ctx, func(c net.Conn) *tls.Conn { return tls.Client(c, p.o.TLS) })
	case Close:
		return p.expectClose(l)
	case Hangup:
		err := p.w.wait()
		p.w.conn.Close()
		return err
	case Connection:
		return p.connection(l.Text)
	}
	return nil
}

// connection changes to the connection of that name.
func (p *player) connection(name string) error {
	if w := p.wires[name]; w != nil {
		p.w = w
		return nil
	}
	if !p.named && !p.w.spoke {
		p.named = true
		p.wires[name] = p.w
		return nil
	}
	if p.o.Dial == nil {
		return errors.New("Options.Dial is nil")
	}
	conn, err := p.o.Dial(p.ctx)
	if err != nil {
		return err
	}
	p.vars.timestamp = "" // this connection's greeting has its own
	p.use(name, conn)
	return nil
}

// say sends the line, and with OneSegment those behind it that need not wait.
func (p *player) say(i int) error {
	if i < p.sent {
		return nil
	}
	octets, missing := p.vars.fill(p.script.Lines[i])
	if missing != "" {
		return errors.New("no value for " + missing)
	}
	p.sent = i + 1
	for p.o.OneSegment {
		j := p.next(p.sent - 1)
		if j < 0 {
			break
		}
		more, missing := p.vars.fill(p.script.Lines[j])
		if missing != "" {
			break
		}
		octets = append(octets, more...)
		p.sent = j + 1
	}
	return p.w.write(octets)
}

// next returns the C: line that may follow line i without waiting, or -1:
// nothing follows STLS, AUTH and QUIT (P3-PIPE-06, P3-PIPE-07), and a
// challenge must be seen first.
func (p *player) next(i int) int {
	first := ""
	if parts := p.script.Lines[i].Parts; len(parts) > 0 {
		first, _, _ = strings.Cut(parts[0].Octets, " ")
	}
	switch strings.ToUpper(first) {
	case "STLS", "AUTH", "QUIT":
		return -1
	}
	if p.script.Lines[i].NoEnd {
		return -1
	}
	for j := i + 1; j < len(p.script.Lines); j++ {
		switch l := p.script.Lines[j]; l.Kind {
		case Client:
			return j
		case Server:
			if len(l.Parts) > 0 && strings.HasPrefix(l.Parts[0].Octets, "+ ") {
				return -1
			}
		case Skip, Comment:
		default:
			return -1
		}
	}
	return -1
}

// skipBefore says whether "S: ..." stands before line i.
func (p *player) skipBefore(i int) bool {
	for i--; i >= 0; i-- {
		if k := p.script.Lines[i].Kind; k != Comment {
			return k == Skip
		}
	}
	return false
}

// expect reads what the server says and compares. skip: lines that differ are
// passed over.
func (p *player) expect(l Line, skip bool) error {
	last := ""
	for {
		line, noEnd, err := p.w.readLine()
		switch {
		case errors.Is(err, io.EOF) && skip && last != "":
			return p.mismatch(l, "the connection's end; before it "+last)
		case errors.Is(err, io.EOF):
			return p.mismatch(l, "the connection's end")
		case err != nil:
			return err
		}
		if !p.w.spoke {
			p.w.spoke = true
			p.vars.heard(line)
		}
		if noEnd == l.NoEnd && p.vars.match(l.Parts, line) {
			return nil
		}
		got := formatLine(false, Escape(line), noEnd)
		if !skip {
			return p.mismatch(l, got)
		}
		last = got
	}
}

func (p *player) expectClose(l Line) error {
	line, noEnd, err := p.w.readLine()
	switch {
	case errors.Is(err, io.EOF):
		return p.w.wait()
	case err != nil:
		return err
	}
	return p.mismatch(l, formatLine(false, Escape(line), noEnd))
}

// nothingLeft refuses what the server said beyond the script, as far as it has
// arrived.
func (p *player) nothingLeft() error {
	for _, w := range p.wires {
		if err := w.wait(); err != nil {
			return err
		}
		n := min(w.br.Buffered(), 200)
		if more, _ := w.br.Peek(n); n > 0 {
			return &Mismatch{p.script.Name, len(p.script.Lines), "nothing more", formatLine(false, Escape(string(more)), true)}
		}
	}
	return nil
}

func (p *player) mismatch(l Line, got string) error {
	want := l
	want.Parts = nil
	for _, part := range l.Parts { // show what is known
		if v, ok := p.vars.value(part, nil); ok && part.Secret == "" {
			part = Part{Octets: v}
		}
		want.Parts = append(want.Parts, part)
	}
	return &Mismatch{p.script.Name, l.Number, want.String(), got}
}
