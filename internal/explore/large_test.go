package explore

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	"postfach/maildrop/memory"
	"postfach/pop3server"
	"postfach/pop3test"
)

// largeServer serves so many letters on loopback.
func largeServer(t testing.TB, letters int) Account {
	store := memory.New()
	store.Create(pop3test.User)
	for n := range letters {
		text := letter(fmt.Sprintf("Sender%d", n%900), fmt.Sprintf("letter %d", n+1))
		if _, err := store.Deliver(context.Background(), pop3test.User, strings.NewReader(text)); err != nil {
			t.Fatal(err)
		}
	}
	server := &pop3server.Server{Store: store, Auth: anybody{}, Log: slog.New(slog.DiscardHandler)}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error)
	go func() { ended <- server.Serve(l) }()
	t.Cleanup(func() {
		server.Close()
		<-ended
	})
	return Account{User: pop3test.User, Host: "localhost", Dial: clearDial(l.Addr().String()), Login: login}
}

func TestLargeMaildrop(t *testing.T) {
	const n = 20_000
	e := explorerOf(t, largeServer(t, n), Options{})
	connect(t, e)
	first := Query{Sort: ByNumber, Descending: true, Limit: 50}
	until(t, e, "the first page", func() bool {
		for _, entry := range e.Page(first).Entries {
			if !entry.Known {
				return false
			}
		}
		return true
	})
	if p := e.Page(first); p.Total != n || p.Entries[0].Summary.Subject != fmt.Sprintf("letter %d", n) {
		t.Errorf("%+v", p.Entries[0])
	}
	known(t, e, 550)
	if e.Status().Known > 600 {
		t.Errorf("%d headers were read, though nobody looks at them", e.Status().Known)
	}
	q := Query{Sort: ByFrom, Search: "sender17@", Limit: 5}
	until(t, e, "all headers", func() bool { return e.Page(q).Unknown == 0 })
	if p := e.Page(q); p.Total != n/900+1 || p.Entries[0].Summary.Subject != "letter 18" {
		t.Errorf("%d, %+v", p.Total, p.Entries)
	}
}

// BenchmarkFirstPage is from the login to the headers of the first screen.
func BenchmarkFirstPage(b *testing.B) {
	a := largeServer(b, 100_000)
	for b.Loop() {
		e := explorerOf(b, a, Options{})
		connect(b, e)
		q := Query{Limit: 50}
		until(b, e, "the first page", func() bool { return e.Page(q).Entries[49].Known })
		b.StopTimer()
		e.Close()
		b.StartTimer()
	}
}

func known100k() *list {
	const n = 100_000
	l := listOf(n)
	for i := range n {
		l.learn(int32(i), headerOf(i))
	}
	return l
}

// BenchmarkPage is a page of 100,000: as it was, after a batch of headers, and
// from nothing.
func BenchmarkPage(b *testing.B) {
	for name, q := range map[string]Query{"date": {Sort: ByDate}, "from": {Sort: ByFrom}, "subject": {Sort: BySubject}, "search": {Search: "ordinary 77"}} {
		l := known100k()
		b.Run(name+"/same", func(b *testing.B) {
			for b.Loop() {
				l.arrange(q, true)
			}
		})
		b.Run(name+"/batch", func(b *testing.B) {
			for b.Loop() {
				for i := range int32(256) {
					l.learned = append(l.learned, i*300)
				}
				l.arrange(q, true)
			}
		})
		b.Run(name+"/new", func(b *testing.B) {
			for b.Loop() {
				l.cached = nil
				l.arrange(q, true)
			}
		})
	}
}

// BenchmarkHeap says what 100,000 messages with headers cost.
func BenchmarkHeap(b *testing.B) {
	var before, after runtime.MemStats
	for b.Loop() {
		runtime.GC()
		runtime.ReadMemStats(&before)
		l := known100k()
		l.arrange(Query{Sort: ByDate}, true)
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/(1<<20), "MiB")
		runtime.KeepAlive(l)
	}
}

// BenchmarkAllHeaders reads 100,000 headers while somebody looks at the list in
// another order.
func BenchmarkAllHeaders(b *testing.B) {
	a := largeServer(b, 100_000)
	for b.Loop() {
		e := explorerOf(b, a, Options{})
		connect(b, e)
		q := Query{Sort: ByDate, Limit: 50}
		for changed := e.Changed(); e.Page(q).Unknown > 0; changed = e.Changed() {
			select {
			case <-changed:
			case <-time.After(time.Minute):
				b.Fatal("too long")
			}
		}
		b.StopTimer()
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		b.ReportMetric(float64(m.HeapAlloc)/(1<<20), "MiB-with-server")
		e.Close()
		b.StartTimer()
	}
}
