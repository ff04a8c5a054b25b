package playtest

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"testing"

	"postfach/internal/peer"
	"postfach/internal/transcript"
	"postfach/pop3"
	"postfach/pop3client"
	"postfach/sasl"
)

// Backwards: the script is the server, and our client's methods say its C:
// lines.
func TestTranscriptsAtOurClient(t *testing.T) {
	cert := peer.NewCertificate(t)
	for _, how := range []struct {
		name       string
		tls, octet bool
	}{
		{"plain", false, false},
		{"one octet at a time", false, true},
		{"TLS", true, false},
		{"TLS, one octet at a time", true, true},
	} {
		t.Run(how.name, func(t *testing.T) {
			each(t, "client", func(t *testing.T, s *transcript.Script) {
				if how.tls && s.Settings.STLS {
					return // it has its own handshake
				}
				for _, one := range conversations(s) {
					talk(t, one, cert, how.tls, transcript.Options{Octet: how.octet, TLS: cert.Server})
				}
			})
		})
	}
}

// conversations splits a script at its connections, and adds what our client
// says by itself: CAPA after the greeting, the handshake and the login.
func conversations(s *transcript.Script) []*transcript.Script {
	capa := func() []transcript.Line {
		return []transcript.Line{
			{Kind: transcript.Client, Parts: []transcript.Part{{Octets: "CAPA"}}},
			{Kind: transcript.Server, Parts: []transcript.Part{{Octets: "-ERR"}}},
		}
	}
	var all []*transcript.Script
	var now *transcript.Script
	begin := func() {
		now = &transcript.Script{Name: s.Name, Settings: s.Settings}
		all = append(all, now)
	}
	begin()
	login := false // the last thing said can be answered by a login
	for _, l := range s.Lines {
		switch l.Kind {
		case transcript.Connection:
			if len(now.Lines) > 0 {
				begin()
			}
			continue
		case transcript.Comment:
			continue
		case transcript.Client:
			keyword, _, _ := strings.Cut(text(s, l), " ")
			login = keyword == "PASS" || keyword == "APOP" || login && keyword != "USER"
			if keyword == "AUTH" {
				login = true
			}
		}
		now.Lines = append(now.Lines, l)
		first := len(now.Lines) == 1
		success := login && l.Kind == transcript.Server && strings.HasPrefix(text(s, l), "+OK")
		if first || success || l.Kind == transcript.TLS {
			now.Lines = append(now.Lines, capa()...)
			login = false
		}
	}
	return all
}

// text is what Serve sends for a line.
func text(s *transcript.Script, l transcript.Line) string {
	var b strings.Builder
	for _, p := range l.Parts {
		switch {
		case p.Var == "":
			b.WriteString(p.Octets)
		case s.Settings.Serve[p.Var] != "":
			b.WriteString(s.Settings.Serve[p.Var])
		default:
			b.WriteString(p.Var)
		}
	}
	return b.String()
}

// talk plays one conversation.
func talk(t *testing.T, s *transcript.Script, cert *peer.Certificate, implicitTLS bool, o transcript.Options) {
	t.Helper()
	ctx := limit(t)
	here, there := connection(t)
	if implicitTLS {
		here, there = tls.Client(here, cert.Client), tls.Server(there, cert.Server)
	}
	served := make(chan error, 1)
	go func() { served <- transcript.Serve(ctx, there, s, o) }()
	c, err := pop3client.New(ctx, here, &pop3client.Options{TLS: cert.Client, AllowCleartext: true})
	if err != nil {
		t.Errorf("%s: %v, %v", s.Name, err, <-served)
		return
	}
	d := &driver{t: t, ctx: ctx, s: s, c: c}
	for i, l := range s.Lines {
		switch l.Kind {
		case transcript.Client:
			if l.Number > 0 { // else the client says it by itself
				d.say(i, text(s, l))
			}
		case transcript.Hangup:
			c.Close()
		}
	}
	c.Close()
	if err := <-served; err != nil {
		t.Error(err)
	}
}

// connection returns the two ends of one. It is TCP: a pipe has no buffer, so
// that the end of TLS waits for its reader.
func connection(t *testing.T) (here, there net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if here, err = net.Dial("tcp", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if there, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	return here, there
}

// A driver turns lines into calls.
type driver struct {
	t   *testing.T
	ctx context.Context
	s   *transcript.Script
	c   *pop3client.Client
}

// say calls the method that says line i, and compares what it returns with the
// S: lines that follow.
func (d *driver) say(i int, line string) {
	d.t.Helper()
	var want []string // of the reply
	for _, l := range d.s.Lines[i+1:] {
		if l.Kind != transcript.Server && l.Kind != transcript.Skip {
			break
		}
		if l.Kind == transcript.Server {
			want = append(want, text(d.s, l))
		}
	}
	words := strings.Split(line, " ")
	got, err := d.call(words)
	var no *pop3.Error
	switch {
	case errors.Is(err, errSaidAlready):
	case len(want) > 0 && strings.HasPrefix(want[0], "-ERR"):
		if !errors.As(err, &no) {
			d.t.Errorf("%s: %s: %v, want a refusal", d.s.Name, line, err)
		}
	case err != nil:
		d.t.Errorf("%s: %s: %v", d.s.Name, line, err)
	case got != "" && got != reply(want):
		d.t.Errorf("%s: %s: got\n%s\nwant\n%s", d.s.Name, line, got, reply(want))
	}
}

// reply is what a method should return for these lines: the text of the first
// or, when there are more, those without stuffing.
func reply(lines []string) string {
	if len(lines) == 1 {
		return strings.TrimPrefix(lines[0], "+OK ") + "\n"
	}
	var b strings.Builder
	for _, l := range lines[1 : len(lines)-1] {
		b.WriteString(strings.TrimPrefix(l, ".") + "\n")
	}
	return b.String()
}

// errSaidAlready: the line is no command of its own; the client has said it.
var errSaidAlready = errors.New("said already")

// call says one command. got is what it returns, as lines; empty: nothing that
// the protocol defines.
func (d *driver) call(words []string) (got string, err error) {
	n, k := 0, 0
	if len(words) > 1 {
		n, _ = strconv.Atoi(words[1])
	}
	if len(words) > 2 {
		k, _ = strconv.Atoi(words[2])
	}
	c, ctx, set := d.c, d.ctx, d.s.Settings
	switch words[0] {
	case "USER":
		return "", c.User(ctx, words[1])
	case "PASS":
		return "", c.Pass(ctx, strings.Join(words[1:], " "))
	case "APOP":
		return "", c.APOP(ctx, words[1], set.Secret)
	case "AUTH":
		return "", c.Auth(ctx, sasl.NewPlainClient("", set.User, set.Password))
	case "STLS":
		return "", c.STLS(ctx)
	case "CAPA":
		caps, err := c.Capa(ctx)
		for _, capability := range caps {
			got += capability.String() + "\n"
		}
		return got, err
	case "STAT":
		l, err := c.Stat(ctx)
		return fmt.Sprintln(l.Count, l.Size), err
	case "LIST":
		return d.list(n)
	case "UIDL":
		return d.uidl(n)
	case "RETR":
		m, err := c.Retr(ctx, n)
		return read(m, err)
	case "TOP":
		m, err := c.Top(ctx, n, k)
		return read(m, err)
	case "DELE":
		return "", c.Dele(ctx, n)
	case "NOOP":
		return "", c.Noop(ctx)
	case "RSET":
		return "", c.Rset(ctx)
	case "UTF8":
		return "", c.UTF8(ctx)
	case "QUIT":
		return "", c.Quit(ctx)
	}
	return "", errSaidAlready // a response in an exchange
}

func (d *driver) list(n int) (got string, err error) {
	if n > 0 {
		l, err := d.c.ListOne(d.ctx, n)
		return fmt.Sprintln(l.Number, l.Size), err
	}
	all, err := d.c.List(d.ctx)
	for _, l := range all {
		got += fmt.Sprintln(l.Number, l.Size)
	}
	return got, err
}

func (d *driver) uidl(n int) (got string, err error) {
	if n > 0 {
		l, err := d.c.UIDLOne(d.ctx, n)
		return fmt.Sprintln(l.Number, l.ID), err
	}
	all, err := d.c.UIDL(d.ctx)
	for _, l := range all {
		got += fmt.Sprintln(l.Number, l.ID)
	}
	return got, err
}

// read returns a message with LF.
func read(m *pop3client.Message, err error) (string, error) {
	if err != nil {
		return "", err
	}
	octets, err := io.ReadAll(m)
	return string(bytes.ReplaceAll(octets, []byte("\r\n"), []byte("\n"))), errors.Join(err, m.Close())
}
