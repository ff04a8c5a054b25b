package main

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Promise 13: guesses from one address wait longer and longer, on however many
// connections they come. The owner, from another address, does not wait.
func TestGuessesSlowTheirOwnAddress(t *testing.T) {
	data := begunData(t)
	name := filepath.Join(tempDir(t), "f.toml")
	must(t, os.WriteFile(name, []byte("[limits]\nfailure_delay = \"1s\"\n"), 0o644))
	p := serveIn(t, data, "--config", name)
	password := firstPassword(t, data)

	guesser := func() *client { // a new connection for each
		c := p.newClient(p.dialFrom("pop3", "127.0.2.1", ""))
		c.line()
		c.say("USER postfach")
		return c
	}
	guess := func(password string) time.Duration {
		c := guesser()
		begun := time.Now()
		if answer := c.say("PASS " + password); !strings.HasPrefix(answer, "-ERR [AUTH]") {
			t.Errorf("%s: %s", password, answer)
		}
		return time.Since(begun)
	}
	guess("first-guess-of-all")
	guess("second-guess-of-all")
	// Two seconds of rest after the second failure, one of which is over.
	if took := guess("third-guess-of-all"); took < 1700*time.Millisecond {
		t.Errorf("the third guess was answered after %v", took)
	}
	waiting := guesser() // four seconds of rest, three of which are to come
	waiting.send("PASS fourth-guess-of-all\r\n")

	owner := p.newClient(p.dialFrom("pop3", "127.0.3.1", ""))
	owner.login("postfach", password)
	must(t, waiting.conn.SetReadDeadline(time.Now().Add(time.Millisecond)))
	if line, err := waiting.r.ReadString('\n'); err == nil {
		t.Errorf("the guess was answered before the owner: %s", line)
	} else if timeout, ok := err.(net.Error); !ok || !timeout.Timeout() {
		t.Error(err)
	}
	owner.say("QUIT")
	p.end()
}
