package ldap

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"github.com/go-ldap/ldap/v3"
)

// maxAnswer bounds what a server can make us hold for one question, in octets.
const maxAnswer = 1 << 20

// A connection is one to the server, and what bounds it.
type connection struct {
	*ldap.Conn
	raw *boundedConn
}

// A boundedConn reads no more than it may.
type boundedConn struct {
	net.Conn
	left atomic.Int64
}

var errAnswer = errors.New("the answer is too long")

func (c *boundedConn) Read(p []byte) (int, error) {
	left := c.left.Load()
	if left <= 0 {
		return 0, errAnswer
	}
	n, err := c.Conn.Read(p[:min(int64(len(p)), left)])
	c.left.Add(int64(-n))
	return n, err
}

// A dialer connects to the server, and binds.
type dialer struct {
	network, address string
	tls              *tls.Config // nil: in clear
	startTLS         bool
	dn, password     string // empty: none
}

// dial connects. It ends with ctx.
func (d *dialer) dial(ctx context.Context) (*connection, error) {
	var nd net.Dialer
	socket, err := nd.DialContext(ctx, d.network, d.address)
	if err != nil {
		return nil, err
	}
	raw := &boundedConn{Conn: socket}
	raw.left.Store(maxAnswer)
	under := net.Conn(raw)
	implicit := d.tls != nil && !d.startTLS
	if implicit {
		t := tls.Client(raw, d.tls)
		if err := t.HandshakeContext(ctx); err != nil {
			socket.Close()
			return nil, err
		}
		under = t
	}
	c := &connection{ldap.NewConn(under, implicit), raw}
	c.Start()
	if err := c.during(ctx, func() error { return d.begin(c) }); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// begin is what comes before the first question.
func (d *dialer) begin(c *connection) error {
	if d.startTLS {
		if err := c.StartTLS(d.tls); err != nil {
			return err
		}
	}
	if d.dn == "" {
		return nil
	}
	if err := c.Bind(d.dn, d.password); err != nil {
		return fmt.Errorf("bind as %q: %w", d.dn, err)
	}
	return nil
}

// during asks the server something, until ctx ends. An error that is not the
// server's answer costs the connection.
func (c *connection) during(ctx context.Context, ask func() error) error {
	c.raw.left.Store(maxAnswer)
	stop := context.AfterFunc(ctx, func() { c.raw.SetDeadline(time.Unix(1, 0)) })
	err := ask()
	if !stop() {
		return context.Cause(ctx)
	}
	c.raw.SetDeadline(time.Time{})
	return err
}

// broken reports whether an error says that the connection is of no more use.
func broken(err error) bool {
	var answer *ldap.Error
	if errors.As(err, &answer) {
		// The library's own errors have higher numbers than the protocol's.
		return answer.ResultCode >= ldap.ErrorNetwork || answer.ResultCode == ldap.LDAPResultUnavailable
	}
	return err != nil
}
