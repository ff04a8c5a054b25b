package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"postfach/internal/bench"
)

// figures are what one measurement found, by name.
type figures map[string]float64

// The names of figures.
const (
	cpu      = "cpu_us"       // the server's, a session or message
	rate     = "per_second"   // sessions or messages
	cpuGB    = "cpu_s_per_gb" // of 10^9 octets of messages
	took     = "ms"           // a session, median
	slow     = "p99_ms"       // a session
	quit     = "quit_ms"
	memory   = "memory" // octets a session
	held     = "held"   // sessions that were there to the end
	resumed  = "resumed"
	cpuPlain = "cpu_without_hash_us"
	seconds  = "seconds"
	mistakes = "mistakes"
)

// A measure measures a server or client once. x is how large the row is taken.
type measure func(ctx context.Context, l *lab, p *peer, x int) (figures, error)

// serving starts the server on its mail, puts load on it, and stops it.
func serving(m func(x int) mail, load func(x int) bench.Load) measure {
	return func(ctx context.Context, l *lab, p *peer, x int) (figures, error) {
		s, err := l.site(ctx, p, m(x))
		if err != nil {
			return nil, err
		}
		return l.serveOnce(ctx, p, s, load(x))
	}
}

func (l *lab) serveOnce(ctx context.Context, p *peer, s *site, load bench.Load) (figures, error) {
	srv, err := p.start(ctx, s)
	if err != nil {
		return nil, err
	}
	defer srv.stop()
	return l.load(ctx, srv, load)
}

// load puts load on a server that runs.
func (l *lab) load(ctx context.Context, srv *server, load bench.Load) (figures, error) {
	if l.short {
		load = shrunk(load)
	}
	load.Target.Addr = srv.plain
	if load.Target.Security == bench.TLS {
		load.Target.Addr = srv.tls
	}
	load.Target.User, load.Target.Password = userPattern, password
	load.PID, load.Maildirs = srv.pid(), srv.site.maildirs()
	r, err := bench.Run(ctx, load)
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return nil, err
	}
	if r.Operations == 0 {
		return nil, fmt.Errorf("nothing was done: %q", r.Mistakes.First)
	}
	return figuresOf(r), nil
}

// shrunk is a moment of it, to see whether it works.
func shrunk(l bench.Load) bench.Load {
	l.AtOnce, l.Users = min(l.AtOnce, 16), min(l.Users, 16)
	l.For, l.Hold = min(l.For, 200*time.Millisecond), 50*time.Millisecond
	l.Messages = min(l.Messages, 20)
	if l.Count > 1 {
		l.Count = 2
	}
	return l
}

// figuresOf takes from a result what rows ask for.
func figuresOf(r *bench.Result) figures {
	session := r.LatencyMS["session"]
	f := figures{
		cpu: r.Server.CPUUsPerOperation, rate: r.PerSecond.Operations, took: session.P50, slow: session.P99,
		held: float64(r.Sessions), mistakes: float64(r.Mistakes.Count),
		resumed: float64(r.Resumed) / float64(max(r.Sessions, 1)),
	}
	if r.Server.CPUSecondsPerGB > 0 {
		f[cpuGB] = r.Server.CPUSecondsPerGB
	}
	if r.Server.MemoryPerSession > 0 {
		f[memory] = float64(r.Server.MemoryPerSession)
	}
	if q, ok := r.LatencyMS["quit"]; ok {
		f[quit] = q.P50
	}
	return f
}

// overTLS is serving with full handshakes; then it looks how many are short where the
// client wants that.
func overTLS(m func(x int) mail, load func(x int) bench.Load) measure {
	return func(ctx context.Context, l *lab, p *peer, x int) (figures, error) {
		s, err := l.site(ctx, p, m(x))
		if err != nil {
			return nil, err
		}
		srv, err := p.start(ctx, s)
		if err != nil {
			return nil, err
		}
		defer srv.stop()
		full := load(x)
		full.Target.Security = bench.TLS
		found, err := l.load(ctx, srv, full)
		if err != nil {
			return nil, err
		}
		short := full
		short.For, short.Target.Resume = time.Second, true
		again, err := l.load(ctx, srv, short)
		if err != nil {
			return nil, err
		}
		found[resumed] = again[resumed]
		return found, nil
	}
}

// hashed measures with passwords that cost nothing to check, and with hashed ones.
func withHash(m func(x int) mail, load func(x int) bench.Load) measure {
	return func(ctx context.Context, l *lab, p *peer, x int) (figures, error) {
		plain, err := serving(m, load)(ctx, l, p, x)
		if err != nil {
			return nil, err
		}
		found, err := serving(func(x int) mail {
			mail := m(x)
			mail.hash = true
			return mail
		}, load)(ctx, l, p, x)
		if err != nil {
			return nil, err
		}
		found[cpuPlain] = plain[cpu]
		return found, nil
	}
}

// listOnce is the first session with a maildrop after a start.
func listOnce() bench.Load { return bench.Load{Scenario: "list", Count: 1, WarmUp: -1} }

// afterRestart makes the maildrop known, and measures the first session of the next
// process.
func afterRestart(m func(x int) mail) measure {
	return func(ctx context.Context, l *lab, p *peer, x int) (figures, error) {
		s, err := l.site(ctx, p, m(x))
		if err != nil {
			return nil, err
		}
		if _, err := l.serveOnce(ctx, p, s, listOnce()); err != nil {
			return nil, err
		}
		return l.serveOnce(ctx, p, s, listOnce())
	}
}

// neverSeen removes what the server knows of the maildrop, and measures the first session.
// The files have been read before: it is not the disk that is measured.
func neverSeen(m func(x int) mail) measure {
	return func(ctx context.Context, l *lab, p *peer, x int) (figures, error) {
		s, err := l.site(ctx, p, m(x))
		if err != nil {
			return nil, err
		}
		if err := p.forget(s); err != nil {
			return nil, err
		}
		if p.fill != nil {
			if err := s.readAll(ctx); err != nil {
				return nil, err
			}
		}
		return l.serveOnce(ctx, p, s, listOnce())
	}
}

// deleting is serving with DELE. The floor is a program that removes as many files and
// syncs nothing.
func deleting(m func(x int) mail, load func(x int) bench.Load) measure {
	return func(ctx context.Context, l *lab, p *peer, x int) (figures, error) {
		if p.id != floor {
			return serving(m, load)(ctx, l, p, x)
		}
		if l.short {
			x = min(x, 20)
		}
		dir, err := os.MkdirTemp(l.work, "unlink")
		if err != nil {
			return nil, err
		}
		set := bench.MaildirSet{Dir: dir, Users: 1, Messages: x, Size: 1000, Folder: "cur"}
		if _, err := set.Make(ctx); err != nil {
			return nil, err
		}
		if _, err := output(ctx, "sync"); err != nil {
			return nil, err
		}
		names, err := filepath.Glob(filepath.Join(dir, "user1", "cur", "*"))
		if err != nil {
			return nil, err
		}
		started := time.Now()
		for _, name := range names {
			if err := os.Remove(name); err != nil {
				return nil, err
			}
		}
		return figures{quit: time.Since(started).Seconds() * 1e3}, nil
	}
}

// fetchingWith measures a client, from the server that answers from memory. The floor is a
// client that reads and keeps nothing.
func fetchingWith(rtt time.Duration, inMemory bool) measure {
	return func(ctx context.Context, l *lab, p *peer, x int) (figures, error) {
		if l.short {
			x, rtt = min(x, 20), min(rtt, time.Millisecond)
		}
		from := l.floor(floor, "")
		s, err := l.site(ctx, from, mail{users: 1, messages: x, size: smallMessage})
		if err != nil {
			return nil, err
		}
		srv, err := from.start(ctx, s)
		if err != nil {
			return nil, err
		}
		defer srv.stop()
		addr, away := srv.plain, (*process)(nil)
		if rtt > 0 {
			if addr, away, err = l.delay(ctx, s, srv.plain, rtt); err != nil {
				return nil, err
			}
			defer away.stop()
		}
		if p.id == floor {
			return readOnly(ctx, addr)
		}
		if !inMemory {
			return l.fetchOnce(ctx, p, addr, x, inMemory)
		}
		return medianOf(shortRuns, func() (figures, error) { return l.fetchOnce(ctx, p, addr, x, inMemory) })
	}
}

// shortRuns is how often a round does what lasts a tenth of a second.
const shortRuns = 5

// medianOf measures several times, and returns the run that took the median of the time.
func medianOf(times int, once func() (figures, error)) (figures, error) {
	var all []figures
	for range times {
		f, err := once()
		if err != nil {
			return nil, err
		}
		all = append(all, f)
	}
	slices.SortFunc(all, func(a, b figures) int { return cmp.Compare(a[seconds], b[seconds]) })
	return all[times/2], nil
}

// smallMessage is the octets of the messages that clients fetch.
const smallMessage = 1000

// delay starts the proxy that makes the network long.
func (l *lab) delay(ctx context.Context, s *site, to string, rtt time.Duration) (addr string, p *process, err error) {
	port, err := freePort()
	if err != nil {
		return "", nil, err
	}
	addr = "127.0.0.1:" + port
	cmd := exec.Command(l.postfach, "bench", "delay", "--to", to, "--listen", addr, "--rtt", rtt.String())
	if p, err = spawn(cmd, filepath.Join(s.dir, "delay")); err != nil {
		return "", nil, err
	}
	if err := p.answers(ctx, addr); err != nil {
		p.stop()
		return "", nil, err
	}
	return addr, p, nil
}

// readOnly is the floor of clients: RETR of all, with a wide window.
func readOnly(ctx context.Context, addr string) (figures, error) {
	r, err := bench.Run(ctx, bench.Load{
		Scenario: "retr", Target: bench.Target{Addr: addr, User: userPattern, Password: password}, Users: 1, Count: 1, WarmUp: -1, Window: 500,
	})
	if err == nil {
		err = r.Err()
	}
	if err != nil {
		return nil, err
	}
	return figures{seconds: r.LatencyMS["session"].P50 / 1e3}, nil
}

// fetchOnce measures a client from its start to its end, and counts what it brought.
func (l *lab) fetchOnce(ctx context.Context, p *peer, addr string, messages int, inMemory bool) (figures, error) {
	where := l.work
	if inMemory {
		where = l.memory
	}
	if where == "" {
		return nil, fmt.Errorf("there is no %s here", shm)
	}
	dir, err := os.MkdirTemp(where, "fetched")
	if err != nil {
		return nil, err
	}
	f := fetching{addr: addr, to: filepath.Join(dir, "Maildir"), home: dir}
	started := time.Now()
	if err := p.fetch(ctx, f); err != nil {
		return nil, err
	}
	lasted := time.Since(started)
	files, err := filepath.Glob(filepath.Join(f.to, "new", "*"))
	if err != nil || len(files) != messages {
		return nil, fmt.Errorf("%d messages came of %d: %w", len(files), messages, err)
	}
	return figures{seconds: lasted.Seconds()}, nil
}

// measureAll makes the lab, and measures the rows, in rounds.
func measureAll(ctx context.Context, o options, chosen []row, progress io.Writer) (*results, error) {
	l, err := newLab(ctx, o)
	if err != nil {
		return nil, err
	}
	defer l.close()
	all, missing := l.peers(ctx, progress)
	res := newResults(ctx, o, l, all, missing)
	for _, r := range chosen {
		if err := l.measureRow(ctx, o, r, all, res, progress); err != nil {
			return nil, err
		}
	}
	return res, nil
}

// measureRow measures all servers of a row, then all again. What grows is measured in the
// first round.
func (l *lab) measureRow(ctx context.Context, o options, r row, all map[string]*peer, res *results, progress io.Writer) error {
	rounds := o.rounds
	if o.short {
		rounds = 1
	}
	for round := 1; round <= rounds; round++ {
		for _, id := range r.servers {
			p := all[id]
			if p == nil {
				continue
			}
			for _, x := range r.sizes(id, round == 1) {
				started := time.Now()
				found, err := r.measure(ctx, l, p, x)
				if ctx.Err() != nil {
					return ctx.Err()
				}
				m := measurement{Row: r.name, Server: id, X: x, Round: round, Figures: found}
				if err != nil {
					m.Error = l.withoutPaths(err.Error())
				}
				res.Measured = append(res.Measured, m)
				say(progress, "%-16s %-14s x=%-6d round %d: %s (%.1f s)", r.name, id, x, round, m.words(r), time.Since(started).Seconds())
			}
		}
	}
	return nil
}
