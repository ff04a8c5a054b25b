// Package web is the face of package explore in a browser: pages that work
// without script, from this process, for one person on this machine.
//
// Everything that came from a server or a message is hostile: texts pass
// message.Printable and html/template, HTML mail is taken apart, put together
// anew and shown in a frame that can reach nothing, and parts of messages leave
// as downloads only.
package web

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"postfach/internal/explore"
	"postfach/internal/hint"
)

// ErrNotLoopback: the pages are for this machine only.
var ErrNotLoopback = errors.New("not a loopback address")

// A Face is the explorer as web pages. One person uses it.
type Face struct {
	picker explore.Picker
	doors  *doors
	home   string // path of all pages, without "/" at its end
	pages  *pages
	limits limits

	ending chan struct{} // closed when Serve ends, so that live views end
	end    func()        // closes ending once

	mu       sync.Mutex // guards what follows
	accounts []*account // in the order in which they were opened
	made     int        // accounts so far: ids are not used again
	started  bool       // Picker.Start was opened
	closed   bool
}

// New returns a Face for pages at this host and port. Close it.
func New(p explore.Picker) (*Face, error) {
	all, err := readPages()
	if err != nil {
		return nil, err
	}
	f := &Face{picker: p, doors: &doors{}, home: newHome(), pages: all, limits: defaultLimits(), ending: make(chan struct{})}
	f.end = sync.OnceFunc(func() { close(f.ending) })
	return f, nil
}

// limits bound what a request may cost.
type limits struct {
	header  time.Duration // reading a request's header
	body    time.Duration // reading a request's body
	write   time.Duration // writing one piece of an answer: a slow disk is not dead
	idle    time.Duration // a connection without requests
	connect time.Duration // taking a maildrop: servers delay logins
	headers time.Duration // waiting for the headers of a list: a page is wanted soon
	load    time.Duration // loading one message, over a slow line
	// commit ends even if the person has gone: half a deletion helps nobody.
	commit   time.Duration
	diagnose time.Duration
	shutdown time.Duration // answers that have begun, when Serve ends

	headerOctets int
	bodyOctets   int64
	// commitOctets: the staged list comes back whole, up to 95 octets a message.
	commitOctets int64
}

func defaultLimits() limits {
	return limits{
		header: 10 * time.Second, body: time.Minute, write: time.Minute, idle: 2 * time.Minute,
		connect: 3 * time.Minute, headers: 500 * time.Millisecond, load: 30 * time.Minute, commit: 30 * time.Minute, diagnose: 5 * time.Minute, shutdown: 10 * time.Second,
		headerOctets: 32 << 10, bodyOctets: 1 << 20, commitOctets: 16 << 20,
	}
}

// Address returns what a person types into the browser for a server that listens
// at addr. The token in it works once; each call makes a new one.
func (f *Face) Address(addr net.Addr) string {
	return "http://" + addr.String() + f.home + "/?token=" + f.doors.newToken()
}

// Serve serves until ctx ends, and closes l and the Face. Requests that have
// begun are given a moment to end.
func (f *Face) Serve(ctx context.Context, l net.Listener) error {
	if !loopback(l.Addr()) {
		l.Close()
		err := fmt.Errorf("listen at %s: %w", l.Addr(), ErrNotLoopback)
		return hint.Add(err, "listen at 127.0.0.1; from another machine, use ssh -L")
	}
	srv := &http.Server{
		Handler:           f.handler(l.Addr()),
		ReadHeaderTimeout: f.limits.header,
		IdleTimeout:       f.limits.idle,
		MaxHeaderBytes:    f.limits.headerOctets,
	}
	failed := make(chan error, 1)
	go func() { failed <- srv.Serve(l) }()
	var err error
	select {
	case err = <-failed:
	case <-ctx.Done():
		err = f.shutdown(context.WithoutCancel(ctx), srv)
		<-failed
	}
	return errors.Join(err, f.Close())
}

// shutdown lets answers end that have begun: a deletion above all.
func (f *Face) shutdown(ctx context.Context, srv *http.Server) error {
	f.end()
	ctx, cancel := context.WithTimeout(ctx, f.limits.shutdown)
	defer cancel()
	if err := srv.Shutdown(ctx); err != nil {
		return srv.Close() // a download that takes longer is cut off
	}
	return nil
}

func loopback(addr net.Addr) bool {
	tcp, ok := addr.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}

// Close lets go of all maildrops.
func (f *Face) Close() error {
	f.end()
	f.mu.Lock()
	all := f.accounts
	f.accounts, f.closed = nil, true
	f.mu.Unlock()
	var errs []error
	for _, a := range all {
		errs = append(errs, a.e.Close())
	}
	return errors.Join(errs...)
}
