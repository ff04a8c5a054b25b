package explore

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"time"

	"postfach/pop3"
	"postfach/pop3client"
)

// greetingPatience is how long a server may take to say its first word, behind
// TLS or without: a person waits, and a port that waits for TLS says nothing to
// who waits for a greeting.
const greetingPatience = 10 * time.Second

var (
	errNoGreeting error = &plainError{"the server says nothing", os.ErrDeadlineExceeded}
	errHungUp     error = &plainError{"the server closed the connection before it said a word", io.ErrUnexpectedEOF}
)

// A dialer makes network connections.
type dialer func(ctx context.Context, network, addr string) (net.Conn, error)

// dialGreeted is pop3client.Dial by way of dial, with a limit for the greeting.
func dialGreeted(ctx context.Context, addr string, o *pop3client.Options, dial dialer, trace func(pop3.TraceEvent)) (*pop3client.Client, error) {
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	patience := time.AfterFunc(time.Hour, func() { end(errNoGreeting) })
	patience.Stop()
	defer patience.Stop()
	spoken := false
	o.Trace = func(ev pop3.TraceEvent) {
		if !ev.Client && !ev.TLS { // that TLS has begun is no word yet
			spoken = true
			patience.Stop()
		}
		trace(ev)
	}
	o.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := dial(ctx, network, addr)
		if err == nil {
			spoken = false
			patience.Reset(greetingPatience)
		}
		return conn, err
	}
	c, err := pop3client.Dial(ctx, addr, o)
	switch {
	case err == nil:
		return c, nil
	case errors.Is(context.Cause(ctx), errNoGreeting):
		return nil, errNoGreeting
	case !spoken && o.Security != pop3client.ImplicitTLS && errors.Is(err, io.ErrUnexpectedEOF):
		return nil, errHungUp
	}
	return nil, err
}
