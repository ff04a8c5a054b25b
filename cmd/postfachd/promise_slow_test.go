//go:build linux

package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// Promise 16: the time before the login ends at a fixed moment, for clients who
// drip, too: octets, commands, a handshake, an exchange.
func TestDrippingClientsAreCutOff(t *testing.T) {
	const login = 3 * time.Second
	data := begunData(t)
	name := filepath.Join(tempDir(t), "f.toml")
	must(t, os.WriteFile(name, fmt.Appendf(nil, "[limits]\nlogin = %q\n", login), 0o644))
	p := serveIn(t, data, "--config", name)
	calm := p.dialTLS(data)
	calm.login("postfach", firstPassword(t, data))

	hello := "\x16\x03\x01\x10\x00\x01\x00\x0f\xfc" + strings.Repeat("\x03", 4000) // as it begins
	var all sync.WaitGroup
	for _, d := range []struct {
		what, protocol, before string
		drops                  []string // one at a time, again and again
	}{
		{"says nothing", "pop3", "", []string{""}},
		{"says nothing in front of TLS", "pop3s", "", []string{""}},
		{"drips octets", "pop3", "", []string{"x"}},
		{"drips commands", "pop3", "", []string{"CAPA\r\n"}},
		{"drips names", "pop3", "", []string{"USER x\r\n"}},
		{"drips a response", "pop3", "AUTH PLAIN\r\n", []string{"A"}},
		{"drips exchanges", "pop3", "", []string{"AUTH PLAIN\r\n", "*\r\n", "CAPA\r\n"}},
		{"drips a handshake", "pop3s", "", strings.Split(hello, "")},
		{"drips a handshake after STLS", "pop3", "STLS\r\n", strings.Split(hello, "")},
	} {
		conn, err := net.Dial("tcp", p.address(d.protocol))
		must(t, err)
		defer conn.Close()
		begun := time.Now()
		all.Go(func() {
			_, err := io.WriteString(conn, d.before)
			over := make(chan struct{})
			go func() { // until the server closes
				defer close(over)
				io.Copy(io.Discard, conn)
			}()
			tick := time.NewTicker(100 * time.Millisecond)
			defer tick.Stop()
			for i := 0; err == nil && time.Since(begun) < 3*login; i++ {
				select {
				case <-over:
					if took := time.Since(begun); took < login-time.Second {
						t.Errorf("who %s was cut off after %v", d.what, took)
					}
					return
				case <-tick.C:
					_, err = io.WriteString(conn, d.drops[i%len(d.drops)])
				}
			}
			if err == nil {
				t.Errorf("who %s is still there after %v", d.what, time.Since(begun))
			}
		})
	}
	all.Wait()
	if answer := calm.say("NOOP"); !strings.HasPrefix(answer, "+OK") {
		t.Errorf("who has logged in hears %s", answer)
	}
	p.end()
}

// Promise 16: when all places are taken, the oldest connection that has not logged
// in goes, and a login works at once.
func TestSilentConnectionsMakeRoom(t *testing.T) {
	const places = 20
	data := begunData(t)
	name := filepath.Join(tempDir(t), "f.toml")
	must(t, os.WriteFile(name, fmt.Appendf(nil, "[limits]\nconnections = %d\n", places), 0o644))
	p := serveIn(t, data, "--config", name)
	calm := p.dialTLS(data)
	calm.login("postfach", firstPassword(t, data))
	calm.say("QUIT")
	calm.closed()
	calm = p.dial()
	calm.login("postfach", firstPassword(t, data))
	var silent []*client
	for range 2 * places {
		silent = append(silent, p.dial())
		silent[len(silent)-1].line()
	}
	late := p.dial()
	if greeting := late.line(); !strings.HasPrefix(greeting, "+OK") {
		t.Errorf("when all places are taken: %s", greeting)
	}
	for _, c := range silent[:places] {
		c.closed()
	}
	silent[len(silent)-1].say("CAPA") // the youngest is there
	if answer := calm.say("NOOP"); !strings.HasPrefix(answer, "+OK") {
		t.Errorf("who has logged in hears %s", answer)
	}
	p.end()
}
