package pop3check_test

import (
	"context"
	"fmt"
	"time"

	"postfach/pop3check"
	"postfach/pop3client"
	"postfach/pop3test"
)

// Judging a server: here one that counts wrong, on purpose.
func ExampleTarget_Run() {
	ctx := context.Background()
	srv, err := pop3test.Start()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer srv.Close()
	if err := srv.Break("P3-NOOP-01"); err != nil {
		fmt.Println(err)
	}
	target := &pop3check.Target{
		Addr: srv.Addr, Security: pop3client.RequireSTLS, TLS: srv.ClientTLS(),
		User: pop3test.User, Password: pop3test.Password, Timeout: 5 * time.Second,
	}
	if err := target.Reach(ctx); err != nil {
		fmt.Println(err)
		return
	}
	checks, _ := pop3check.Select("P3-NOOP", "P3-STAT-03")
	for r := range target.Run(ctx, checks) {
		fmt.Println(r.ID, r.Status)
	}
	// Output:
	// P3-STAT-03 pass
	// P3-NOOP-01 fail
}

// Does this connection work?
func ExampleDiagnose() {
	srv, err := pop3test.Start()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer srv.Close()
	d, err := pop3check.Diagnose(context.Background(), pop3check.Question{
		Host: srv.Addr, TLS: srv.ClientTLS(), Security: []pop3client.Security{pop3client.RequireSTLS},
		User: pop3test.User, Password: "wrong", Timeout: 5 * time.Second,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(d.OK, d.Cause)
	// Output: false password
}
