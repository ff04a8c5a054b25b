package bench

import (
	"bytes"
	"context"
	"hash/crc32"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"postfach/internal/popwire"
)

// scanCut scans octets that arrive in pieces of n, as conn.body does.
func scanCut(octets []byte, n int) (got octetSum, rest int, done bool) {
	b := newBody()
	from, to := 0, 0
	for to < len(octets) {
		to = min(to+n, len(octets))
		k, done := b.scan(octets[from:to])
		from += k
		if done {
			return b.octetSum, len(octets) - from, true
		}
	}
	return b.octetSum, len(octets) - from, false
}

// sumOf is what octets should sum up to.
func sumOf(octets []byte) (s octetSum) {
	s.size = int64(len(octets))
	n := copy(s.first[:], octets)
	s.crc = crc32.Checksum(octets[n:], castagnoli)
	return s
}

func TestBodyIsCutAnywhere(t *testing.T) {
	for _, wire := range []string{
		".\r\n",
		"\r\n.\r\n",
		"a\r\n.\r\n",
		"..\r\n.\r\n",
		"..a\r\n...b\r\n....\r\n.\r\n",
		"a.\r\n.b\r\n\r\n..\r\n.\r\n",
		"a\n.\r\nb\r\n.\r\n", // a bare LF ends no line
		"a\r.\r\n.\r\n",
		"a\r\r\n..\r\n.\r\n",
		strings.Repeat("a line of text. And more.\r\n", 20) + "..\r\n.\r\n",
	} {
		whole := []byte(wire)
		want, err := io.ReadAll(popwire.NewBodyReader(popwire.NewReader(strings.NewReader(wire), 64), popwire.Strict))
		if err != nil {
			t.Fatal(err)
		}
		for n := 1; n <= len(whole)+3; n++ {
			got, rest, done := scanCut(append(whole[:len(whole):len(whole)], "+OK"...), n)
			if !done || got != sumOf(want) {
				t.Errorf("%q in pieces of %d: %d octets, done %v; want %q", wire, n, got.size, done, want)
			}
			if rest > 3 {
				t.Errorf("%q in pieces of %d: %d octets are left", wire, n, rest)
			}
		}
	}
}

func FuzzBody(f *testing.F) {
	f.Add([]byte("a\r\n..b\r\n.\r\n"), 2)
	f.Add([]byte("a\r\n.\rb\r\n.\r\n.\r\n"), 1)
	f.Fuzz(func(t *testing.T, wire []byte, n int) {
		want, err := io.ReadAll(popwire.NewBodyReader(popwire.NewReader(bytes.NewReader(wire), 16), popwire.Strict))
		got, _, done := scanCut(wire, max(1, n%64))
		if done != (err == nil) {
			t.Fatalf("%q: done %v, %v", wire, done, err)
		}
		if done && got != sumOf(want) {
			t.Fatalf("%q: %d octets, want %q", wire, got.size, want)
		}
	})
}

func TestMessageSaysWhatItIs(t *testing.T) {
	var m Messages
	for _, size := range []int{0, 1, MinSize, 500, 1000, 2999, 3000, 4000, 65536, 1_000_003} {
		wire := m.Append(nil, 7, size)
		if size >= MinSize && len(wire) != size {
			t.Errorf("%d octets, want %d", len(wire), size)
		}
		if !bytes.Equal(wire, new(Messages).Append(nil, 7, size)) {
			t.Error("not the same again")
		}
		s := sumOf(wire)
		if s.whole() != right {
			t.Errorf("%d octets: the checksum is wrong", size)
		}
		header, _, _ := bytes.Cut(wire, []byte("\r\n\r\n"))
		if s := sumOf(wire[:len(header)+4]); s.header() != right {
			t.Errorf("%d octets: the header's checksum is wrong", size)
		}
		for _, at := range []int{checksumLine, len(wire) / 2, len(wire) - 1} {
			wire[at] ^= 1
			if s := sumOf(wire); s.whole() != wrong {
				t.Errorf("octet %d of %d was altered unnoticed", at, size)
			}
			wire[at] ^= 1
		}
	}
	if a, b := m.Append(nil, 1, 1000), m.Append(nil, 2, 1000); bytes.Equal(a, b) {
		t.Error("two numbers, one message")
	}
	if s := sumOf([]byte("Subject: hello\r\n\r\n")); s.whole() != foreign {
		t.Error("takes foreign mail for its own")
	}
}

func TestStoredIsTheWireFormWithLF(t *testing.T) {
	wire := new(Messages).Append(nil, 1, 5000)
	file := stored(nil, wire)
	if bytes.IndexByte(file, '\r') >= 0 {
		t.Error("there is a CR")
	}
	if !bytes.Contains(file, []byte("\n.")) {
		t.Error("no line begins with a dot")
	}
	var c popwire.Counter
	c.Write(file)
	if c.Size() != int64(len(wire)) {
		t.Errorf("%d octets, want %d", c.Size(), len(wire))
	}
}

func TestPercentilesAreExact(t *testing.T) {
	var one, two durations
	for i := range 1000 {
		of := &one
		if i%3 == 0 {
			of = &two
		}
		of.add(time.Duration(1000-i) * time.Millisecond)
	}
	l := latency([]*durations{&one, &two})
	if l.N != 1000 || l.P50 != 500 || l.P90 != 900 || l.P99 != 990 || l.P999 != 999 || l.Max != 1000 || l.Mean != 500.5 || l.Sampled {
		t.Errorf("%+v", l)
	}
	var few durations
	few.add(time.Millisecond)
	if l := latency([]*durations{&few}); l.P50 != 1 || l.P99 != 1 {
		t.Errorf("%+v", l)
	}
	if l := latency(nil); l != (Latency{}) {
		t.Errorf("%+v", l)
	}
}

// endless is a connection on which the same octets come again and again.
type endless struct {
	net.Conn
	octets []byte
	at     int
}

func (e *endless) Read(p []byte) (n int, err error) {
	for n < len(p) {
		k := copy(p[n:], e.octets[e.at:])
		n += k
		e.at = (e.at + k) % len(e.octets)
	}
	return n, nil
}

func (e *endless) SetDeadline(time.Time) error { return nil }

// readMessages reads replies to RETR without end.
func readMessages(b *testing.B, size int) {
	reply := popwire.AppendTerminator(stuffed(yes("message follows"), new(Messages).Append(nil, 1, size)))
	from := &endless{octets: reply}
	c := &conn{Conn: from, tcp: from, buf: make([]byte, large)}
	b.SetBytes(int64(len(reply)))
	b.ReportAllocs()
	for b.Loop() {
		got, err := c.message("RETR", 1)
		if err != nil || got.whole() != right {
			b.Fatal(err)
		}
	}
}

func BenchmarkRead4KB(b *testing.B)  { readMessages(b, 4000) }
func BenchmarkRead10MB(b *testing.B) { readMessages(b, 10_000_000) }

func BenchmarkListing(b *testing.B) {
	c := NewCanned(100_000, 0)
	_, raw, _ := bytes.Cut(c.sizes, []byte("\n"))
	_, ids, _ := bytes.Cut(c.ids, []byte("\n"))
	var sizes []int64
	var err error
	b.ReportAllocs()
	for b.Loop() {
		if sizes, err = parseSizes(raw, sizes); err != nil {
			b.Fatal(err)
		}
		if _, err := parseIDs(ids, nil); err != nil {
			b.Fatal(err)
		}
	}
}

// Reading a reply takes no memory: a load shares the machine with the server.
func TestReadingAllocatesNothing(t *testing.T) {
	reply := popwire.AppendTerminator(stuffed(yes("message follows"), new(Messages).Append(nil, 1, 4000)))
	from := &endless{octets: reply}
	c := &conn{Conn: from, tcp: from, buf: make([]byte, large)}
	if n := testing.AllocsPerRun(100, func() {
		if _, err := c.message("RETR", 1); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations a message", n)
	}
}

func TestOnlyThisMachineUnlessForced(t *testing.T) {
	for addr, want := range map[string]bool{
		"127.0.0.1:110": true, "127.1.2.3:110": true, "[::1]:110": true, "localhost:110": true, "[::ffff:127.0.0.1]:1": true,
		"192.0.2.1:110": false, "example.org:110": false, "0.0.0.0:110": false, "localhost.example.org:110": false, ":110": false, "127.0.0.1": false,
	} {
		if loopback(addr) != want {
			t.Errorf("%q: %v", addr, !want)
		}
	}
	if _, err := Run(context.Background(), Load{Scenario: "login", Target: Target{Addr: "192.0.2.1:110"}}); err == nil {
		t.Error("puts load on another machine")
	}
}
