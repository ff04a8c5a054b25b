//go:build unix

package interop

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"postfach/internal/awkward"
)

// Every client fetches every message in every way it can, without one octet's
// difference but for those in the table of exceptions.
func TestClientsFetchEveryMessage(t *testing.T) {
	w := build(t)
	w.addUser(t, user, password, true)
	w.start(t)
	messages := corpus(t)
	for _, c := range clients() {
		t.Run(c.name, func(t *testing.T) {
			c.available(t)
			w.empty(t, user)
			w.put(t, user, messages)
			for _, m := range c.modes {
				t.Run(string(m), func(t *testing.T) {
					home := newHome(t)
					out, err := c.fetch(t, w, m, home, len(messages))
					if err != nil {
						t.Errorf("%s: %v\n%s", c.name, err, tail(out))
					}
					compare(t, c, messages, read(t, home))
				})
			}
		})
	}
}

func tail(s string) string { return s[max(0, len(s)-3000):] }

// read returns the files that a client left, by their number.
func read(t *testing.T, home string) map[int][]byte {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(home, "mail", "*"))
	if err != nil {
		t.Fatal(err)
	}
	got := make(map[int][]byte)
	for _, f := range files {
		n, err := strconv.Atoi(filepath.Base(f))
		if err != nil {
			t.Fatal(err)
		}
		if got[n], err = os.ReadFile(f); err != nil {
			t.Fatal(err)
		}
	}
	return got
}

func compare(t *testing.T, c client, messages []awkward.Message, got map[int][]byte) {
	t.Helper()
	if !c.numbered {
		delivered := len(got)
		got = align(c, messages, got)
		if len(got) < len(messages) {
			t.Logf("%d of %d messages came, %d of them where they are expected", delivered, len(messages), len(got))
		}
	}
	for i, m := range messages {
		octets, ok := got[i+1]
		want := c.want(m)
		if ok && bytes.Equal(octets, want) {
			continue
		}
		how := "refused"
		if ok {
			how = "changed: " + difference(octets, want)
		}
		t.Errorf("message %q: %s", m.Name, how)
	}
}

// want is what the client should leave.
func (c client) want(m awkward.Message) []byte {
	if c.lf {
		return bytes.ReplaceAll(m.Wire(), []byte("\r\n"), []byte("\n"))
	}
	return m.Wire()
}

// align gives files that came in the order of delivery the numbers of the
// messages they are: equal octets first, then what lies between two of those.
func align(c client, messages []awkward.Message, got map[int][]byte) map[int][]byte {
	index := make(map[[32]byte][]int)
	for i, m := range messages {
		sum := sha256.Sum256(c.want(m))
		index[sum] = append(index[sum], i+1)
	}
	aligned := make(map[int][]byte)
	number := 0 // of the last message that was found
	var between [][]byte
	fill := func(until int) {
		// As many as there are numbers: changed ones. Else nobody knows which.
		if len(between) == until-number-1 {
			for k, octets := range between {
				aligned[number+1+k] = octets
			}
		}
		between = nil
	}
	for k := 1; k <= len(got); k++ {
		octets := got[k]
		found := 0
		for _, n := range index[sha256.Sum256(octets)] {
			if n > number {
				found = n
				break
			}
		}
		if found == 0 {
			between = append(between, octets)
			continue
		}
		fill(found)
		aligned[found] = octets
		number = found
	}
	fill(len(messages) + 1)
	return aligned
}

// difference shows where two messages part.
func difference(got, want []byte) string {
	i := 0
	for i < len(got) && i < len(want) && got[i] == want[i] {
		i++
	}
	show := func(p []byte) []byte { return p[max(0, min(i-20, len(p))):min(i+40, len(p))] }
	return fmt.Sprintf("at octet %d of %d (want %d octets): got %q, want %q", i, len(got), len(want), show(got), show(want))
}
