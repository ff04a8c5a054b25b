package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"postfach/internal/bench"
	"postfach/internal/hint"
)

// benchDelayCmd is the proxy that delays.
type benchDelayCmd struct {
	To     string        `required:"" help:"The server." placeholder:"HOST:PORT"`
	Listen string        `help:"Address of the proxy. Port 0 is one that is free." default:"127.0.0.1:0" placeholder:"HOST:PORT"`
	RTT    time.Duration `name:"rtt" help:"The round trip: each direction takes half of it." default:"20ms"`
	JSON   bool          `name:"json" help:"Print one JSON object: address and process id."`
}

// Help is what --help adds.
func (*benchDelayCmd) Help() string {
	return `Octets are delayed, not slowed down: any number of them may be on the way. The greeting comes after two round trips, as it does over a network: one to connect, one and a half for it to be heard of, half a one back.

With --json, the first line on standard output is an object with the fields address, pid. The proxy ends by Ctrl-C or SIGTERM.`
}

// Run passes connections on until it is told to stop.
func (c *benchDelayCmd) Run(ctx context.Context) error { return c.run(ctx, os.Stdout) }

func (c *benchDelayCmd) run(ctx context.Context, out io.Writer) error {
	if err := onLoopback(c.Listen); err != nil {
		return err
	}
	if c.RTT < 0 {
		return &exitError{fmt.Errorf("--rtt cannot be less than 0"), exitUsage}
	}
	l, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return hint.Add(err, "port 0 takes one that is free")
	}
	defer l.Close()
	if c.JSON {
		err = json.NewEncoder(out).Encode(map[string]any{"address": l.Addr().String(), "pid": os.Getpid()})
	} else {
		_, err = fmt.Fprintf(out, "%s\npid %d\n", l.Addr(), os.Getpid())
	}
	if err != nil {
		return err
	}
	proxy := &bench.Delay{To: c.To, RTT: c.RTT}
	return proxy.Serve(ctx, l)
}
