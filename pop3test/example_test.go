package pop3test_test

import (
	"context"
	"fmt"
	"net/textproto"

	"postfach/pop3test"
)

// stat is the client under test.
func stat(addr string) (reply string) {
	c, err := textproto.Dial("tcp", addr)
	if err != nil {
		return err.Error()
	}
	defer c.Close()
	c.ReadLine() // the greeting
	for _, command := range []string{"USER user", "PASS p w", "STAT"} {
		c.PrintfLine("%s", command)
		reply, _ = c.ReadLine()
	}
	return reply
}

func Example() {
	srv, err := pop3test.Start() // in a test: srv := pop3test.NewServer(t)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer srv.Close()
	srv.Put(pop3test.User, "Subject: hello\r\n\r\nworld\r\n")
	fmt.Println(stat(srv.Addr))

	srv.Be("no-text")
	fmt.Println(stat(srv.Addr))

	srv.WaitSessions(context.Background(), 2) // in a test: srv.Assert(t, pop3test.QuitAtEnd)
	fmt.Println(pop3test.QuitAtEnd(srv.Recordings()[1]))
	// Output:
	// +OK 1 25
	// +OK 1 25
	// P3-UPD-07: the client hung up without QUIT and its reply
}
