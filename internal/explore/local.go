package explore

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"time"
	"unicode"

	"postfach/fetch"
	"postfach/internal/hint"
	"postfach/maildrop"
	"postfach/pop3"
	"postfach/pop3client"
	"postfach/pop3server"
)

// Local returns the account of a maildrop on this machine, for its operator. A
// POP3 server that nobody else can reach serves it, inside this process, so that
// it is explored like any other. where is the folder, for people. Without write
// nothing can be deleted, on either side of the connection.
func Local(store maildrop.Store, user, where string, write bool) Account {
	l := &local{store: store, user: user, write: write, secret: rand.Text()}
	return Account{
		Name: user, User: user, Host: where,
		Dial:       l.dial,
		Login:      l.login,
		NoPassword: true,
		ReadOnly:   !write,
		Local:      true,
	}
}

// A local is one maildrop of this machine, as the server's store and its
// authenticator: no other maildrop, and no other user.
type local struct {
	store  maildrop.Store
	user   string
	write  bool
	secret string // never leaves the process
}

// localIdle is the auto-logout timer: the Explorer has one of its own.
const localIdle = 365 * 24 * time.Hour

func (l *local) dial(ctx context.Context, trace func(pop3.TraceEvent)) (*pop3client.Client, error) {
	server := &pop3server.Server{
		Store: l, Auth: l, AllowCleartext: true,
		Limits: pop3server.Limits{Idle: localIdle, Write: localIdle},
		Log:    slog.New(slog.DiscardHandler), // its words reach the client
	}
	near, far := net.Pipe()
	over := make(chan struct{})
	go func() {
		defer close(over)
		server.ServeConn(far) // it says how it ended to the client
		server.Close()
	}()
	return pop3client.New(ctx, &localConn{Conn: near, over: over}, &pop3client.Options{AllowCleartext: true, Trace: trace})
}

// A localConn is a connection whose Close waits until the server has given the
// maildrop back, so that nobody finds it locked right after.
type localConn struct {
	net.Conn
	over chan struct{} // closed when the server is done
	once sync.Once
}

// localEnd bounds how long Close waits for a store that hangs.
const localEnd = 2 * time.Second

// Close implements net.Conn.
func (c *localConn) Close() error {
	err := c.Conn.Close()
	c.once.Do(func() {
		limit := time.NewTimer(localEnd)
		defer limit.Stop()
		select {
		case <-c.over:
		case <-limit.C:
		}
	})
	return err
}

func (l *local) login(ctx context.Context, c *pop3client.Client, _ string) error {
	err := fetch.Login(ctx, c, l.user, l.secret, "")
	switch {
	case err == nil:
		return nil
	case pop3.CodeOf(err).Is(pop3.CodeInUse):
		err = &plainError{fmt.Sprintf("somebody has the maildrop of %q open", l.user), err}
		return hint.Add(err, "its owner's mail program is connected, or another explorer; try again in a few minutes")
	}
	if no, ok := errors.AsType[*pop3.Error](err); ok { // there is no login that a person should hear of
		err = &plainError{no.Text, err}
	}
	return fmt.Errorf("open the maildrop of %q: %w", l.user, err)
}

// Authenticate implements pop3server.Authenticator.
func (l *local) Authenticate(_ context.Context, _ *pop3server.Peer, _, password string) (pop3server.Identity, error) {
	if subtle.ConstantTimeCompare([]byte(password), []byte(l.secret)) != 1 {
		return pop3server.Identity{}, pop3server.ErrCredentials
	}
	return pop3server.Identity{User: l.user}, nil
}

// Open implements maildrop.Store. There is no log for the operator: the client
// hears why a maildrop cannot be opened.
func (l *local) Open(ctx context.Context, user string) (maildrop.Maildrop, error) {
	drop, err := l.store.Open(ctx, user)
	switch {
	case errors.Is(err, maildrop.ErrLocked):
		return nil, &pop3.Error{Code: pop3.CodeInUse, Text: maildrop.ErrLocked.Error()}
	case errors.Is(err, maildrop.ErrNoUser):
		return nil, &pop3.Error{Code: pop3.CodeSysPerm, Text: maildrop.ErrNoUser.Error()}
	case err != nil:
		return nil, &pop3.Error{Code: pop3.CodeSysTemp, Text: replyText(err)}
	case !l.write:
		return readOnly{drop}, nil
	}
	return drop, nil
}

// replyText is an error fit for the first line of a reply, which has 512 octets.
func replyText(err error) string {
	text := strings.Map(func(r rune) rune {
		if r > unicode.MaxASCII || !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, err.Error())
	return text[:min(len(text), 400)]
}

// A readOnly is a maildrop from which nothing can be removed.
type readOnly struct{ maildrop.Maildrop }

// Update implements maildrop.Maildrop.
func (readOnly) Update(_ context.Context, deleted []pop3.UniqueID) error {
	if len(deleted) == 0 {
		return nil
	}
	return &maildrop.UpdateError{Remaining: deleted, Err: ErrReadOnly}
}
