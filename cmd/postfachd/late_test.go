package main

import (
	"bytes"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"
)

func TestLogNeverWaitsForItsReader(t *testing.T) {
	r, w := io.Pipe()
	late := newLateWriter(w, false)
	line := []byte(strings.Repeat("x", 1023) + "\n")
	const lines = 3 * maxLate >> 10
	for range lines { // nobody reads
		if n, err := late.Write(line); n != len(line) || err != nil {
			t.Fatal(n, err)
		}
	}
	closed := make(chan struct{})
	var got bytes.Buffer
	go func() {
		defer close(closed)
		io.Copy(&got, r)
	}()
	must(t, late.Close())
	must(t, w.Close())
	<-closed
	whole := strings.Count(got.String(), string(line))
	_, told, _ := strings.Cut(got.String(), "count=")
	var dropped int
	for _, c := range told[:strings.IndexByte(told, ' ')] {
		dropped = 10*dropped + int(c-'0')
	}
	if whole+dropped != lines || whole < maxLate>>10 || !strings.Contains(got.String(), "log lines dropped") || !strings.Contains(got.String(), "hint=") {
		t.Errorf("%d lines and %d dropped of %d", whole, dropped, lines)
	}
}

func TestLogIsWrittenBeforeTheEnd(t *testing.T) {
	var got bytes.Buffer
	late := newLateWriter(&got, false)
	for _, s := range []string{"one\n", "two\n", "three\n"} {
		io.WriteString(late, s)
	}
	must(t, late.Close())
	if got.String() != "one\ntwo\nthree\n" {
		t.Errorf("%q", got.String())
	}
}

// For the journal the line about dropped lines has its priority, as all have.
func TestDroppedLinesHaveAPriority(t *testing.T) {
	r, w := io.Pipe()
	late := newLateWriter(w, true)
	for range 3 {
		late.Write(make([]byte, maxLate)) // nobody reads: there is no room for the third
	}
	line := make(chan string)
	go func() {
		defer close(line)
		all, _ := io.ReadAll(r)
		line <- string(all)
	}()
	must(t, late.Close())
	must(t, w.Close())
	if text := strings.Trim(<-line, "\x00"); !strings.HasPrefix(text, "<4>time=") || !strings.Contains(text, "log lines dropped") {
		t.Errorf("%.200q", text)
	}
}

// logInto starts postfachd with a pipe for its log that the test reads, or does
// not.
func logInto(t *testing.T, data string, log *os.File) *program {
	t.Helper()
	return launchWith(t, log, "--data", data, "--pop3", "127.0.0.1:0", "--pop3s", "127.0.0.1:0")
}

func TestServerOutlivesTheReaderOfItsLog(t *testing.T) {
	data := newData(t)
	r, w, err := os.Pipe()
	must(t, err)
	p := logInto(t, data, w)
	must(t, w.Close())
	must(t, r.Close())
	for range 3 { // each login and each end is logged
		c := p.dialTLS(data)
		c.login("postfach", firstPassword(t, data))
		if got := c.say("QUIT"); !strings.HasPrefix(got, "+OK") {
			t.Error(got)
		}
	}
	p.end()
}

// Nobody reads the log, and its pipe is full.
func TestFullLogPipeBlocksNobody(t *testing.T) {
	data := newData(t)
	r, w, err := os.Pipe()
	must(t, err)
	defer r.Close()
	fd := int(w.Fd())
	must(t, syscall.SetNonblock(fd, true))
	for filled := []byte(strings.Repeat("x", 4096)); err == nil; {
		_, err = syscall.Write(fd, filled)
	}
	must(t, syscall.SetNonblock(fd, false))
	p := logInto(t, data, w)
	must(t, w.Close())
	for range 3 {
		c := p.dialTLS(data)
		c.login("postfach", firstPassword(t, data))
		c.say("QUIT")
	}
	p.end()
}

// Both are sent by writes that fail.
func TestSignalsOfWritesEndNoServer(t *testing.T) {
	data := newData(t)
	p := serveIn(t, data)
	p.signal(syscall.SIGXFSZ)
	p.signal(syscall.SIGPIPE)
	c := p.dialTLS(data)
	c.login("postfach", firstPassword(t, data))
	p.end()
}
