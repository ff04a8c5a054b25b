package pop3client_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"

	"postfach/maildrop/memory"
	"postfach/pop3client"
	"postfach/pop3server"
)

// printFirst prints the first message of a maildrop. With nil options addr may
// be a host name alone: TLS, port 995.
func printFirst(ctx context.Context, addr, user, password string, opts *pop3client.Options) error {
	c, err := pop3client.Dial(ctx, addr, opts)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.Login(ctx, user, password); err != nil {
		return err
	}
	m, err := c.Retr(ctx, 1)
	if err != nil {
		return err
	}
	if _, err := io.Copy(os.Stdout, m); err != nil {
		return err
	}
	return c.Quit(ctx)
}

func Example() {
	addr, stop := exampleServer()
	defer stop()
	// This server is on this machine; others need TLS.
	opts := &pop3client.Options{Security: pop3client.Cleartext}
	if err := printFirst(context.Background(), addr, "user", "password", opts); err != nil {
		fmt.Println(err)
	}
	// Output: Subject: hello
}

// exampleServer serves one message to everybody.
func exampleServer() (addr string, stop func() error) {
	store := memory.New()
	store.Create("user")
	if _, err := store.Deliver(context.Background(), "user", strings.NewReader("Subject: hello\r\n")); err != nil {
		panic(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	s := &pop3server.Server{Store: store, Auth: everybody{}, Log: slog.New(slog.DiscardHandler)}
	go s.Serve(l)
	return l.Addr().String(), s.Close
}

type everybody struct{}

func (everybody) Authenticate(_ context.Context, _ *pop3server.Peer, name, _ string) (pop3server.Identity, error) {
	return pop3server.Identity{User: name}, nil
}
