package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Promise 3: kill -9 at any moment of a QUIT with thousands of deletions. What
// was not marked is there, once, whole and under its unique-id; what is gone was
// marked; and all of it is gone when +OK had come.
func TestKillDuringQuitLosesNothingUnmarked(t *testing.T) {
	const messages, rounds = 2000, 10
	data := newData(t)
	p := serveIn(t, data)
	password := firstPassword(t, data)
	folder := filepath.Join(data, "mail", "postfach")
	p.end()
	took := 20 * time.Millisecond // of UPDATE; the first round measures it
	acknowledged := 0
	for round := range rounds {
		want := fill(t, folder, messages)
		p := serveIn(t, data)
		c := p.dial()
		c.login("postfach", password)
		before := c.ids()
		if len(before) != messages {
			t.Fatalf("%d messages", len(before))
		}
		marked := map[string]bool{}
		var commands strings.Builder
		for i, id := range before {
			if i%2 == 0 {
				marked[id] = true
				fmt.Fprintf(&commands, "DELE %d\r\n", i+1)
			}
		}
		_, err := c.conn.Write([]byte(commands.String()))
		must(t, err)
		for range marked {
			c.line()
		}
		answer := make(chan string, 1)
		begun := time.Now()
		_, err = c.conn.Write([]byte("QUIT\r\n"))
		must(t, err)
		go func() {
			line, _ := c.r.ReadString('\n')
			answer <- line
		}()
		ok := false
		if round == 0 {
			ok = strings.HasPrefix(<-answer, "+OK")
			took = time.Since(begun)
		} else {
			moment := time.After(took * time.Duration(round) / (rounds - 1)) // from early to about +OK
			select {
			case <-moment:
			case line := <-answer:
				ok = strings.HasPrefix(line, "+OK")
				answer <- line
			}
		}
		must(t, p.cmd.Process.Kill())
		<-p.exited
		if round > 0 {
			ok = ok || strings.HasPrefix(<-answer, "+OK") // it may have been under way
		}
		if ok {
			acknowledged++
		}

		p = serveIn(t, data)
		c = p.dial()
		c.login("postfach", password)
		after := map[string]bool{}
		for _, id := range c.ids() {
			if after[id] {
				t.Errorf("round %d: %s is there twice", round, id)
			}
			after[id] = true
			if want[id] == "" {
				t.Errorf("round %d: %s is new", round, id)
			}
		}
		lost, left := 0, 0
		for id := range want {
			switch {
			case !marked[id] && !after[id]:
				lost++
			case marked[id] && after[id]:
				left++
			}
		}
		if lost > 0 || ok && left > 0 {
			t.Errorf("round %d: %d unmarked messages lost; acknowledged %v, %d marked left", round, lost, ok, left)
		}
		t.Logf("round %d: %v, acknowledged %v, %d of %d marked left", round, took, ok, left, len(marked))
		p.end()
		compare(t, folder, want)
	}
	if acknowledged == rounds {
		t.Error("no round was killed before +OK: the test shows nothing")
	}
}

// fill puts messages into new/, and returns them by unique-id.
func fill(t *testing.T, folder string, n int) map[string]string {
	t.Helper()
	for _, sub := range []string{"new", "cur"} {
		names, err := filepath.Glob(filepath.Join(folder, sub, "*"))
		must(t, err)
		for _, name := range names {
			must(t, os.Remove(name))
		}
	}
	want := map[string]string{}
	for i := range n {
		id := fmt.Sprintf("%d.M%06d.host", time.Now().Unix(), i)
		want[id] = fmt.Sprintf("Subject: %s\n\nbody\n", id)
		must(t, os.WriteFile(filepath.Join(folder, "new", id), []byte(want[id]), 0o644))
	}
	return want
}

// compare looks at what is left on the disk.
func compare(t *testing.T, folder string, want map[string]string) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(folder, "*", "*"))
	must(t, err)
	for _, name := range names {
		octets, err := os.ReadFile(name)
		if err != nil || string(octets) != want[filepath.Base(name)] {
			t.Errorf("%s: %q, %v", name, octets, err)
		}
	}
}

// ids returns the unique-ids in the order of the message numbers.
func (c *client) ids() (ids []string) {
	c.t.Helper()
	c.say("UIDL")
	for {
		line := c.line()
		if line == "." {
			return ids
		}
		_, id, _ := strings.Cut(line, " ")
		ids = append(ids, id)
	}
}
