package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"

	"postfach/internal/bench"
	"postfach/internal/hint"
	"postfach/internal/timers"
)

// benchCannedCmd is the server that answers from memory.
type benchCannedCmd struct {
	Listen    string `help:"Address in clear, with STLS. Port 0 is one that is free." default:"127.0.0.1:0" placeholder:"HOST:PORT"`
	ListenTLS string `name:"listen-tls" help:"Address that begins with TLS." default:"127.0.0.1:0" placeholder:"HOST:PORT"`
	Messages  int    `help:"Messages in the maildrop." default:"100" placeholder:"N"`
	Size      int    `help:"Octets of a message." default:"4000" placeholder:"N"`
	Piece     int    `help:"Write messages of 32 KiB and more in pieces of so many octets, as servers do that do not have them in memory; 0 is whole." placeholder:"N"`
	FromLF    bool   `name:"from-lf" help:"Have messages as they lie in files, with LF, and turn them into what is sent while they are sent, all of them in pieces of --piece octets, or of 64 KiB."`
	Late      bool   `name:"late-timers" help:"Let timers be late by a millisecond, as postfachd does (Linux)."`
	Cert      string `help:"Use the certificate in this PEM file, with --key: TLS costs what the key costs. Without, one with a P-256 key is made." placeholder:"FILE" type:"existingfile" and:"pair"`
	Key       string `help:"Its key." placeholder:"FILE" type:"existingfile" and:"pair"`
	JSON      bool   `name:"json" help:"Print one JSON object: addresses and process id."`
}

// Help is what --help adds.
func (*benchCannedCmd) Help() string {
	return `Everybody who logs in finds the same maildrop; nothing is ever deleted. Commands that came together are answered in one write. With --json, the first line on standard output is an object with the fields pop3, pop3s, pid.

It ends by Ctrl-C or SIGTERM.`
}

// Run serves until it is told to stop.
func (c *benchCannedCmd) Run(ctx context.Context) error { return c.run(ctx, os.Stdout) }

func (c *benchCannedCmd) run(ctx context.Context, out io.Writer) error {
	if c.Messages < 0 || c.Size < 0 || c.Piece < 0 {
		return &exitError{errors.New("--messages, --size and --piece cannot be less than 0"), exitUsage}
	}
	for _, addr := range []string{c.Listen, c.ListenTLS} {
		if err := onLoopback(addr); err != nil {
			return err
		}
	}
	if c.Late {
		timers.Late(timers.Slack)
	}
	prepare := bench.NewCanned
	if c.FromLF {
		prepare = bench.NewCannedLF
	}
	server := prepare(c.Messages, c.Size)
	server.Piece = c.Piece
	if c.Cert != "" {
		pair, err := tls.LoadX509KeyPair(c.Cert, c.Key)
		if err != nil {
			return &exitError{hint.Add(err, "--cert and --key belong together, both in PEM"), exitUsage}
		}
		server.TLS = &tls.Config{Certificates: []tls.Certificate{pair}}
	}
	if err := server.Start(c.Listen, c.ListenTLS); err != nil {
		return hint.Add(err, "port 0 takes one that is free")
	}
	defer server.Close()
	if err := announceBench(out, c.JSON, server.Addr, server.AddrTLS); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

// announceBench says where a server is, and who it is.
func announceBench(out io.Writer, asJSON bool, pop3, pop3s string) error {
	if asJSON {
		return json.NewEncoder(out).Encode(map[string]any{"pop3": pop3, "pop3s": pop3s, "pid": os.Getpid()})
	}
	_, err := fmt.Fprintf(out, "pop3 %s\npop3s %s\npid %d\n", pop3, pop3s, os.Getpid())
	return err
}

// onLoopback refuses addresses that others reach.
func onLoopback(addr string) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return &exitError{err, exitUsage}
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return &exitError{hint.Add(fmt.Errorf("%s: others reach this address", addr), "for example 127.0.0.1:0"), exitUsage}
	}
	return nil
}
