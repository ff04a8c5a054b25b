//go:build unix

package maildir

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"postfach/internal/vfs"
	"postfach/maildrop"
	"postfach/maildrop/maildroptest"
	"postfach/pop3"
)

// benchStore makes a maildrop of n messages of 4 KB, whose files come in no order, an
// hour ago as far as the store can see.
func benchStore(b *testing.B, n int, hints bool) (s *Store, dir string) {
	b.Helper()
	root := b.TempDir()
	s, dir = newStore(b, vfs.OS{}, root), filepath.Join(root, maildroptest.User)
	s.Index = root + ".index"
	text := []byte(strings.Repeat(strings.Repeat("x", 63)+"\n", 64))
	for _, i := range rand.New(rand.NewPCG(1, 2)).Perm(n) {
		name := fmt.Sprintf("cur/%d.M%06dP1234Q%dR0123456789abcdef.mail.example.org:2,S", 1_700_000_000+i, i, i)
		if hints {
			name = strings.Replace(name, ":", fmt.Sprintf(",S=%d,W=%d:", len(text), len(text)+64), 1)
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			b.Fatal(err)
		}
	}
	for written := time.Now(); time.Since(written) <= settledAfter; {
		nextTick(b, dir)
	}
	return s, dir
}

func benchOpen(b *testing.B, s *Store, dir string, n int, before func()) {
	b.Helper()
	b.ReportAllocs()
	for b.Loop() {
		if before != nil {
			b.StopTimer()
			before()
			b.StartTimer()
		}
		d := mustOpen(b, s)
		if len(d.Messages()) != n {
			b.Fatal(len(d.Messages()))
		}
		b.StopTimer()
		d.Close()
		b.StartTimer()
	}
}

// What a login costs, by what is known of the maildrop.
func BenchmarkOpen(b *testing.B) {
	for _, n := range []int{100, 10_000, 100_000} {
		for _, hints := range []bool{false, true} {
			b.Run(fmt.Sprintf("%d,hints=%v", n, hints), func(b *testing.B) {
				s, dir := benchStore(b, n, hints)
				forget := func() { s.memory = memory{} }
				b.Run("never-seen", func(b *testing.B) {
					benchOpen(b, s, dir, n, func() { forget(); os.RemoveAll(s.Index) })
				})
				settle := func() { // it has changed a moment ago, and nobody knows the disk's clock
					for !mustOpenAndClose(b, s).seen.whole {
						nextTick(b, dir)
					}
				}
				b.Run("known", func(b *testing.B) { settle(); benchOpen(b, s, dir, n, nil) })
				b.Run("index", func(b *testing.B) { settle(); benchOpen(b, s, dir, n, forget) })
				b.Run("one-more", func(b *testing.B) {
					benchOpen(b, s, dir, n, func() {
						name := filepath.Join(dir, "new/more")
						if err := os.WriteFile(name, nil, 0o600); err != nil {
							b.Fatal(err)
						}
						os.Remove(name)
					})
				})
			})
		}
	}
}

// What it takes to write an index and to read it.
func BenchmarkIndex(b *testing.B) {
	const n = 100_000
	x := &snapshot{home: vfs.FileID{Device: 1, Inode: 1}}
	for i := range n {
		name := fmt.Sprintf("%d.M%06dP1234Q%dR0123456789abcdef.mail.example.org,S=4096,W=4160:2,S", 1_700_000_000+i, i, i)
		x.files = append(x.files, file{name: name, id: vfs.FileID{Device: 1, Inode: uint64(i)}, length: 4096, folder: 1})
		x.messages = append(x.messages, maildrop.Message{ID: pop3.UniqueID(baseOf(name)), Size: 4160})
	}
	octets := formatIndex(x, "/mail/user", "boot")
	b.Run("format", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(octets)))
		for b.Loop() {
			formatIndex(x, "/mail/user", "boot")
		}
	})
	b.Run("parse", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(octets)))
		for b.Loop() {
			if _, err := parse(octets, "/mail/user", "boot"); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// What UPDATE costs, synced.
func BenchmarkUpdate(b *testing.B) {
	const n = 10_000
	for b.Loop() {
		b.StopTimer()
		s, _ := benchStore(b, n, true)
		d := mustOpen(b, s)
		var all []pop3.UniqueID
		for _, m := range d.Messages() {
			all = append(all, m.ID)
		}
		b.StartTimer()
		if err := d.Update(b.Context(), all); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		d.Close()
		b.StartTimer()
	}
}
