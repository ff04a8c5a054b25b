//go:build mines

package main

import (
	"context"
	"io"
	"strings"
	"syscall"

	"postfach/maildrop"
	"postfach/pop3"
	"postfach/pop3server"
)

// mine makes the server panic at what has "mine" in its name: a login as such a
// user, a message that is sent, a message that is removed; and hang when it opens the
// maildrop of a user who has "stalled" in the name. For the tests of promises 17 and
// 18, which build the program with the tag mines; no other build has this file.
func mine(s *pop3server.Server) {
	s.Store = minedStore{s.Store}
	s.Auth = minedAuth{s.Auth}
}

func step(on string) {
	if strings.Contains(on, "mine") {
		panic("mine at " + on)
	}
}

// stall is a system call that does not come back, as one to a dead disk: it holds a
// thread.
func stall(on string) {
	var ends [2]int
	if !strings.Contains(on, "stalled") || syscall.Pipe(ends[:]) != nil {
		return
	}
	for {
		syscall.Read(ends[0], make([]byte, 1))
	}
}

type minedAuth struct{ pop3server.Authenticator }

func (a minedAuth) Authenticate(ctx context.Context, p *pop3server.Peer, name, password string) (pop3server.Identity, error) {
	step(name)
	return a.Authenticator.Authenticate(ctx, p, name, password)
}

type minedStore struct{ maildrop.Store }

func (s minedStore) Open(ctx context.Context, user string) (maildrop.Maildrop, error) {
	stall(user)
	drop, err := s.Store.Open(ctx, user)
	if err != nil {
		return nil, err
	}
	return minedDrop{drop}, nil
}

type minedDrop struct{ maildrop.Maildrop }

func (d minedDrop) Content(ctx context.Context, id pop3.UniqueID) (io.ReadCloser, error) {
	content, err := d.Maildrop.Content(ctx, id)
	if err != nil {
		return nil, err
	}
	return minedContent{content, id}, nil
}

func (d minedDrop) Update(ctx context.Context, deleted []pop3.UniqueID) error {
	for _, id := range deleted {
		step(string(id))
	}
	return d.Maildrop.Update(ctx, deleted)
}

type minedContent struct {
	io.ReadCloser
	id pop3.UniqueID
}

func (c minedContent) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	if err != nil { // most of it is on its way by now
		step(string(c.id))
	}
	return n, err
}
