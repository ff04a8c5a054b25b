package pop3server_test

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"net"

	"postfach/pop3server"
)

// A server over a store of messages in memory: here, one in which all is
// public.
func Example() {
	srv := &pop3server.Server{
		Store: newDrop("Subject: hello\r\n\r\nHello.\r\n"), // any maildrop.Store
		Auth:  passwords{},                                 // any Authenticator
		Log:   slog.New(slog.DiscardHandler),
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	go srv.Serve(l)
	defer srv.Shutdown(context.Background())

	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		panic(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "USER u\r\nPASS p w\r\nLIST 1\r\nQUIT\r\n")
	for lines := bufio.NewScanner(conn); lines.Scan(); {
		fmt.Println(lines.Text())
	}
	// Output:
	// +OK POP3 server ready
	// +OK send PASS
	// +OK maildrop has 1 message (26 octets)
	// +OK 1 26
	// +OK POP3 server signing off
}
