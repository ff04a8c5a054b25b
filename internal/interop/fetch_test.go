//go:build unix

package interop

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
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
					home := w.home(t)
					out, err := c.fetch(t, w, m, home, len(messages))
					if errors.Is(err, context.DeadlineExceeded) || err != nil && !refuses(c, messages) {
						t.Errorf("%s did not come to its end", c.name)
					}
					compare(t, c, messages, read(t, c, home))
					if t.Failed() {
						t.Logf("%s: %v\n%s", c.name, err, tail(out))
					}
				})
			}
		})
	}
}

// refuses says whether the client is expected to complain.
func refuses(c client, messages []awkward.Message) bool {
	return slices.ContainsFunc(messages, func(m awkward.Message) bool {
		e := forgiven(c.name, m.Name)
		return e != nil && e.change == nil
	})
}

func tail(s string) string { return s[max(0, len(s)-3000):] }

// read returns the files that a client left, by their number.
func read(t *testing.T, c client, home string) map[int][]byte {
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
		octets, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if c.added != nil {
			octets = c.added(octets)
		}
		got[n] = octets
	}
	return got
}

func compare(t *testing.T, c client, messages []awkward.Message, got map[int][]byte) {
	t.Helper()
	if !c.numbered {
		got = number(t, c, messages, got)
	}
	for i, m := range messages {
		octets, ok := got[i+1]
		want := c.want(m)
		allowed := forgiven(c.name, m.Name)
		switch {
		case ok && bytes.Equal(octets, want):
			if allowed != nil {
				t.Errorf("message %q: is right, and the table says: %s", m.Name, allowed.reason)
			}
		case !ok:
			if allowed == nil || allowed.change != nil {
				t.Errorf("message %q: refused", m.Name)
			}
		case allowed == nil || allowed.change == nil || !allowed.change(octets, want):
			t.Errorf("message %q: changed: %s", m.Name, difference(octets, want))
		}
	}
}

// number gives files that came in the order of delivery the numbers of the
// messages they must be: all but those which the table says are refused.
func number(t *testing.T, c client, messages []awkward.Message, got map[int][]byte) map[int][]byte {
	t.Helper()
	numbered := make(map[int][]byte)
	delivered := 0
	for i, m := range messages {
		if e := forgiven(c.name, m.Name); e != nil && e.change == nil {
			continue
		}
		delivered++
		if octets, ok := got[delivered]; ok {
			numbered[i+1] = octets
		}
	}
	if delivered == len(got) {
		return numbered
	}
	t.Errorf("%d messages came, want %d", len(got), delivered)
	return align(t, c, messages, got) // shows better which
}

// want is what the client should leave.
func (c client) want(m awkward.Message) []byte {
	if c.lf {
		return bytes.ReplaceAll(m.Wire(), []byte("\r\n"), []byte("\n"))
	}
	return m.Wire()
}

// align gives files that came in the order of delivery the numbers of the
// messages they are: equal octets first; between two of those, what looks alike.
func align(t *testing.T, c client, messages []awkward.Message, got map[int][]byte) map[int][]byte {
	t.Helper()
	index := make(map[[32]byte][]int)
	for i, m := range messages {
		sum := sha256.Sum256(c.want(m))
		index[sum] = append(index[sum], i+1)
	}
	aligned := make(map[int][]byte)
	number := 0 // of the last message that was found
	var between [][]byte
	fill := func(until int) {
		for _, octets := range between {
			n := number + 1
			for n < until && !related(octets, c.want(messages[n-1])) {
				n++
			}
			if n == until {
				t.Errorf("nobody knows this message: %q", tail(string(octets)))
				continue
			}
			aligned[n] = octets
			number = n
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

// related says whether one may have come from the other: they begin or end
// alike.
func related(got, want []byte) bool {
	const n = 16
	got, want = bytes.TrimSpace(got), bytes.TrimSpace(want)
	k := min(n, len(got), len(want))
	return bytes.Equal(got[:k], want[:k]) || bytes.Equal(got[len(got)-k:], want[len(want)-k:])
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
