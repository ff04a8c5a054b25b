package awkward

import (
	"bytes"
	"testing"
)

// The transcripts count on these sizes.
func TestMaildropsHaveTheirSizes(t *testing.T) {
	for name, sizes := range map[string][]int{
		"box3":       {54, 700, 700},
		"rfc1939":    {120, 200},
		"netzprisma": {1856, 19500, 4394},
		"headers":    {24, 20, 14},
		"five":       {101, 102, 103, 104, 105},
		"empty":      {},
	} {
		drop := Maildrop(name)
		if drop == nil || len(drop) != len(sizes) {
			t.Fatalf("%s has %d messages", name, len(drop))
		}
		for i, m := range drop {
			if n := len(m.Wire()); n != sizes[i] {
				t.Errorf("%s message %d has %d octets, want %d", name, i+1, n, sizes[i])
			}
		}
	}
}

func TestMessagesDiffer(t *testing.T) {
	var seen [][]byte
	names := make(map[string]bool)
	for _, m := range Messages() {
		if names[m.Name] {
			t.Errorf("two messages are called %q", m.Name)
		}
		names[m.Name] = true
		for _, s := range seen {
			if bytes.Equal(s, m.Octets) {
				t.Errorf("%q is there twice", m.Name)
			}
		}
		seen = append(seen, m.Octets)
	}
}

func TestWire(t *testing.T) {
	for octets, want := range map[string]string{
		"":         "",
		"a":        "a\r\n",
		"a\n":      "a\r\n",
		"a\r\n":    "a\r\n",
		"a\r":      "a\r\r\n",
		"a\r\r\nb": "a\r\r\nb\r\n",
		"\n.\n":    "\r\n.\r\n",
		"a\rb\r\n": "a\rb\r\n",
	} {
		if got := (Message{Octets: []byte(octets)}).Wire(); string(got) != want {
			t.Errorf("%q: %q, want %q", octets, got, want)
		}
	}
}
