package pop3client_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"

	"postfach/pop3client"
)

// Print the mail of an account, and leave it on the server.
func Example() {
	ctx := context.Background()
	c, err := pop3client.Dial(ctx, "mail.example.org", nil) // TLS, port 995
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	if err := c.Login(ctx, "user", os.Getenv("PASSWORD")); err != nil {
		log.Fatal(err)
	}
	list, err := c.List(ctx)
	if err != nil {
		log.Fatal(err)
	}
	for _, l := range list {
		m, err := c.Retr(ctx, l.Number)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println("message", m.Number)
		if _, err := io.Copy(os.Stdout, m); err != nil {
			log.Fatal(err)
		}
	}
	if err := c.Quit(ctx); err != nil {
		log.Fatal(err)
	}
}
