package main

import (
	"context"
	"fmt"
	"io"
)

// The servers and clients that take part, by id.
const (
	shipped   = "dovecot"       // Dovecot as Debian ships it
	tuned     = "dovecot-tuned" // as a knowing administrator runs it for POP3
	popa3d    = "popa3d"
	mpop      = "mpop"          // a client, which syncs each file
	unsynced  = "mpop-unsynced" // the same without
	floor     = "floor"         // answers from memory
	lateFloor = "floor-late"    // the same, whose timers may be late as those of Postfach
	pieces    = "floor-pieces"  // the same, a large message in pieces of pieceSize
	fromLF    = "floor-from-lf" // the same, from a file with LF that is in memory
	postfach  = "postfach"
)

// A peer is a server, or a client, that is measured.
type peer struct {
	id, name string
	version  string
	root     string // "": it runs in the system; else in a chroot there
	// fill makes a site's mail. Nil: it has none.
	fill func(ctx context.Context, s *site) error
	// start starts it as a server. Nil: it is a client.
	start func(ctx context.Context, s *site) (*server, error)
	// forget removes what it knows of the mail, while it does not run.
	forget func(s *site) error
	// fetch fetches, as a client, a maildrop into a new folder.
	fetch func(ctx context.Context, f fetching) error
}

// A server is one that runs. It is stopped by its process.
type server struct {
	*process
	plain, tls string // addresses
	site       *site
}

// peers returns all that can be had, by id, and why the others cannot.
func (l *lab) peers(ctx context.Context, progress io.Writer) (all map[string]*peer, missing []string) {
	all = make(map[string]*peer)
	for _, prepare := range []func(context.Context) ([]*peer, error){l.dovecots, l.popa3d, l.mpops, l.floors, l.own} {
		some, err := prepare(ctx)
		for _, p := range some {
			all[p.id] = p
		}
		if err != nil {
			missing = append(missing, err.Error())
			say(progress, "left out: %v", err)
		}
	}
	return all, missing
}

// serve starts a server program, and waits until it answers.
func serve(ctx context.Context, s *site, start func(ports []string) (*process, error)) (*server, error) {
	ports, err := freePorts(2)
	if err != nil {
		return nil, err
	}
	p, err := start(ports)
	if err != nil {
		return nil, err
	}
	srv := &server{process: p, plain: "127.0.0.1:" + ports[0], tls: "127.0.0.1:" + ports[1], site: s}
	if err := p.answers(ctx, srv.plain); err != nil {
		p.stop()
		return nil, err
	}
	return srv, nil
}

// without says why somebody does not take part.
func without(who string, err error) error { return fmt.Errorf("%s: %w", who, err) }
