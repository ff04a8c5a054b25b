package transcript

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
)

// Serve plays the script as the server on conn, which it closes: it sends the
// S: lines and expects the C: lines. A placeholder without a value stands for
// its own name, {*} and "S: ..." for nothing; Settings.Serve and Options.Vars
// give others. Scripts with several connections are an error.
func Serve(ctx context.Context, conn net.Conn, s *Script, o Options) error {
	v := newVars(s.Settings.Serve)
	for name, value := range o.Vars {
		v.values[name] = value
	}
	stop := watch(ctx, conn)
	defer stop()
	p := &server{ctx: ctx, script: s, o: o, vars: v, w: newWire(conn, o.Octet)}
	defer func() { p.w.close() }()
	for _, l := range s.Lines {
		if err := p.line(l); err != nil {
			var m *Mismatch
			if errors.As(err, &m) {
				return err
			}
			return cause(ctx, fmt.Errorf("%s:%d: %s: %w", s.Name, l.Number, l, err))
		}
	}
	return p.w.wait()
}

type server struct {
	ctx    context.Context
	script *Script
	o      Options
	vars   *vars
	w      *wire
}

func (p *server) line(l Line) error {
	switch l.Kind {
	case Server:
		return p.say(l)
	case Client:
		return p.expect(l)
	case TLS:
		if p.o.TLS == nil {
			return errors.New("no TLS configuration")
		}
		return p.w.starttls(p.ctx, func(c net.Conn) *tls.Conn { return tls.Server(c, p.o.TLS) })
	case Close:
		err := p.w.wait()
		p.w.conn.Close()
		return err
	case Hangup:
		line, noEnd, err := p.w.readLine()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		return &Mismatch{p.script.Name, l.Number, l.String(), formatLine(true, Escape(line), noEnd)}
	case Connection:
		return errors.New("a script for a client has one connection")
	}
	return nil
}

func (p *server) say(l Line) error {
	parts := make([]Part, 0, len(l.Parts))
	for _, part := range l.Parts {
		if part.Var != "" && p.vars.values[part.Var] == "" {
			p.vars.values[part.Var] = part.Var
		}
		if part.Var != "" || !part.Rest {
			parts = append(parts, part)
		}
	}
	l.Parts = parts
	octets, missing := p.vars.fill(l)
	if missing != "" {
		return errors.New("no value for " + missing)
	}
	p.vars.heard(string(octets[:len(octets)-min(2, len(octets))]))
	return p.w.write(octets)
}

func (p *server) expect(l Line) error {
	line, noEnd, err := p.w.readLine()
	switch {
	case errors.Is(err, io.EOF):
		return &Mismatch{p.script.Name, l.Number, l.String(), "the connection's end"}
	case err != nil:
		return err
	}
	if noEnd == l.NoEnd && p.vars.match(l.Parts, line) {
		return nil
	}
	return &Mismatch{p.script.Name, l.Number, l.String(), formatLine(true, Escape(line), noEnd)}
}
