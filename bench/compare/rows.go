package main

import (
	"fmt"
	"time"

	"postfach/internal/bench"
)

// A row is a kind of work, who does it, and what Postfach has to reach.
type row struct {
	name, title string
	how         string // what is done, in a sentence
	servers     []string
	figures     []string // what the table shows; the first is plotted
	bounds      []bound
	x           int // how large it is in the table
	unit        string
	grow        []int          // how large it is in the plot; empty: no plot
	most        map[string]int // servers that cannot have more
	measure     measure
}

// largeBounds are those of large messages. A server that promises to hold no more than a
// few buffers for each session cannot have 10 MB of it in memory to write at once, and one
// whose files have LF has to make CRLF of it: so the floor does both. That which has what is
// sent in memory, and writes it in pieces, is shown beside it.
func largeBounds(implied bound) []bound {
	implied.figure, implied.of = cpuGB, tuned
	return []bound{{figure: cpuGB, factor: 1.2, of: fromLF}, implied, {figure: cpuGB, factor: 1.2, of: pieces, aside: true}}
}

// loadTime is how long sessions begin in a measurement.
const loadTime = 4 * time.Second

// known servers, in the order in which they are measured.
var (
	dovecotsAndPostfach = []string{shipped, tuned, postfach}
	withFloor           = []string{shipped, tuned, floor, postfach}
	withPopa3d          = []string{shipped, tuned, popa3d, floor, postfach}
	withLate            = []string{shipped, tuned, popa3d, floor, lateFloor, postfach}
	withPieces          = []string{shipped, tuned, popa3d, floor, pieces, fromLF, postfach}
	clients             = []string{mpop, unsynced, floor, postfach}
)

// wantedSessions are those that are to be held at once.
const wantedSessions = 10_000

// sessionsFor returns how many can be held by processes that may have so many files open.
// Postfach takes three for each session: connection, lock, and a message that is read.
func sessionsFor(files int) int {
	const perSession, others = 3, 400
	return max(1, min(wantedSessions, (files-others)/perSession))
}

// rows are all there are, in the order of the table, where so many sessions can be held.
func rows(sessions int) []row {
	var all []row
	for _, part := range [][]row{loginRows(), messageRows(), listRows(), changeRows(), manyRows(sessions), clientRows()} {
		all = append(all, part...)
	}
	return all
}

// loginMail: what people have who poll.
func loginMail(int) mail { return mail{users: 64, messages: 10, size: 4000} }

func loginLoad(x int) bench.Load {
	return bench.Load{Scenario: "login", AtOnce: x, Users: 64, For: loadTime}
}

func loginRows() []row {
	var all []row
	for _, atOnce := range []int{8, 64} {
		all = append(all, row{
			name: fmt.Sprintf("login-%d", atOnce), title: fmt.Sprintf("login session, %d at once", atOnce),
			how:     "connect, USER, PASS, STAT, QUIT; 64 users with 10 messages",
			servers: withLate, figures: []string{cpu, rate}, x: atOnce, unit: "sessions at once", measure: serving(loginMail, loginLoad),
			bounds: []bound{{figure: cpu, factor: 1.7, of: floor}, {figure: rate, atLeast: true, factor: 6, of: tuned}, {figure: cpu, factor: 1.7, of: lateFloor, aside: true}},
		})
	}
	all[1].grow = []int{1, 8, 64}
	return append(all, row{
		name: "login-tls", title: "login session over TLS, full handshake, 8 at once", how: "TLS 1.3 from the first octet, a P-256 key; the share of short handshakes where the client asks for them",
		servers: withFloor, figures: []string{cpu, rate, resumed}, x: 8, unit: "sessions at once", grow: []int{1, 8, 64}, measure: overTLS(loginMail, loginLoad),
		bounds: []bound{{figure: cpu, factor: 1.3, of: floor}, {figure: resumed, atLeast: true, factor: 0.9}},
	}, row{
		name: "login-hash", title: "login session with a real password hash, polling clients", how: "the same users with SHA512-CRYPT of 5,000 rounds, from the second login on, and without a hash for comparison",
		servers: dovecotsAndPostfach, figures: []string{cpu, cpuPlain}, x: 8, unit: "sessions at once", measure: withHash(loginMail, loginLoad),
		// A tenth is the noise of two runs.
		bounds: []bound{{figure: cpu, factor: 1.1, of: postfach, ofFigure: cpuPlain}},
	})
}

func messageRows() []row {
	const tenMB = 10_000_000
	largeMail := func(x int) mail { return mail{users: 4, messages: 4, size: x} }
	largeLoad := func(s bench.Security) func(int) bench.Load {
		return func(int) bench.Load {
			return bench.Load{Scenario: "retr", Target: bench.Target{Security: s}, AtOnce: 4, Users: 4, For: loadTime}
		}
	}
	smallMail := func(x int) mail { return mail{users: 1, messages: x, size: 4000} }
	smallLoad := func(scenario string) func(int) bench.Load {
		return func(int) bench.Load {
			return bench.Load{Scenario: scenario, AtOnce: 1, Users: 1, For: loadTime}
		}
	}
	return []row{
		{
			name: "retr-large", title: "RETR of 10 MB, LF files, 4 connections", how: "4 users, each with 4 messages",
			servers: withPieces, figures: []string{cpuGB}, x: tenMB, unit: "octets of a message", grow: []int{tenMB / 100, tenMB / 10, tenMB},
			measure: serving(largeMail, largeLoad(bench.Clear)),
			bounds:  largeBounds(bound{factor: 1.2 * 0.49 / 2.2, was: "1.2 × 0.49 s where Dovecot takes 2.2"}),
		},
		{
			name: "retr-large-tls", title: "RETR of 10 MB over TLS", how: "the same, TLS 1.3 from the first octet",
			servers: []string{shipped, tuned, floor, pieces, fromLF, postfach}, figures: []string{cpuGB}, x: tenMB, unit: "octets of a message", grow: []int{tenMB / 100, tenMB / 10, tenMB},
			measure: serving(largeMail, largeLoad(bench.TLS)),
			bounds:  largeBounds(bound{factor: 1.2 * 0.8 / 6.4, was: "1.2 × 0.8 s where Dovecot takes 6.4"}),
		},
		{
			name: "retr-small", title: "RETR of 4 KB messages, pipelined", how: "one connection, 32 commands on the way, 1,000 messages in a session",
			servers: withPopa3d, figures: []string{cpu, rate}, x: 1000, unit: "messages in a maildrop", grow: []int{100, 1000, 10_000},
			measure: serving(smallMail, smallLoad("retr")),
			bounds: []bound{
				{figure: cpu, factor: 13. / 26, of: tuned, was: "13 µs where Dovecot takes 26"},
				{figure: cpu, factor: 13. / 6, of: floor, was: "13 µs where the floor was 6", aside: true},
				{figure: rate, atLeast: true, factor: 70. / 38, of: tuned, was: "70,000 a second where Dovecot gives 38,000"},
			},
		},
		{
			name: "top", title: "TOP n 0, pipelined", how: "as with RETR",
			servers: withPopa3d, figures: []string{cpu, rate}, x: 1000, unit: "messages in a maildrop", grow: []int{100, 1000, 10_000},
			measure: serving(smallMail, smallLoad("top")),
			bounds:  []bound{{figure: cpu, factor: 8. / 15, of: tuned, was: "8 µs where Dovecot takes 15"}, {figure: cpu, factor: 8. / 3, of: floor, was: "8 µs where the floor was 3", aside: true}},
		},
	}
}

func listRows() []row {
	const many = 100_000
	grow := []int{many / 100, many / 10, many}
	withSizes := func(sizes bool) func(int) mail {
		return func(x int) mail { return mail{users: 1, messages: x, size: 4000, sizes: sizes} }
	}
	listLoad := func(int) bench.Load { return bench.Load{Scenario: "list", Count: 10} }
	known := bound{figure: took, factor: 30. / 304, of: tuned, was: "30 ms where Dovecot takes 304"}
	first := bound{figure: took, factor: 30. / 14, of: floor, was: "30 ms where the floor was 14", aside: true}
	return []row{
		{
			name: "list-known", title: "maildrop of 100,000: PASS, STAT, LIST, UIDL, known", how: "ten sessions, one after the other, after one that is not measured",
			servers: withFloor, figures: []string{took}, x: many, unit: "messages", grow: grow, measure: serving(withSizes(false), listLoad), bounds: []bound{known, first},
		},
		{
			name: "list-restart", title: "maildrop of 100,000, the first session after a restart", how: "the server has seen the maildrop, and was started anew",
			servers: withFloor, figures: []string{took}, x: many, unit: "messages", grow: grow, measure: afterRestart(withSizes(false)), bounds: []bound{known, first},
		},
		{
			name: "list-new", title: "maildrop of 100,000, never seen, sizes not in the names", how: "index files removed, all files read before so that they are in the page cache, the first session after a start",
			servers: dovecotsAndPostfach, figures: []string{took}, x: many, unit: "messages", grow: grow, measure: neverSeen(withSizes(false)),
			bounds: []bound{{figure: took, factor: 0.5, of: tuned}},
		},
		{
			name: "list-new-sizes", title: "maildrop of 100,000, never seen, `S=` and `W=` in the names", how: "the same with names that tell sizes",
			servers: dovecotsAndPostfach, figures: []string{took}, x: many, unit: "messages", grow: grow, measure: neverSeen(withSizes(true)),
			bounds: []bound{{figure: took, factor: 250. / 624, of: tuned, was: "250 ms where Dovecot takes 624"}},
		},
	}
}

func changeRows() []row {
	const marked = 10_000
	all := []row{{
		name: "dele", title: "DELE of 10,000 and QUIT", how: "the time of QUIT; Postfach syncs the folders before it answers; the floor removes files and syncs nothing",
		servers: withFloor, figures: []string{quit}, x: marked, unit: "messages deleted", grow: []int{marked / 100, marked / 10, marked},
		measure: deleting(func(int) mail { return mail{users: 1, fresh: true} }, func(x int) bench.Load {
			return bench.Load{Scenario: "dele", AtOnce: 1, Users: 1, Count: 1, Messages: x}
		}),
		bounds: []bound{{figure: quit, factor: 1, of: shipped}, {figure: quit, factor: 1, of: tuned}},
	}}
	pollMail := func(x int) mail { return mail{users: 1, messages: x, size: 4000} }
	pollLoad := func(int) bench.Load { return bench.Load{Scenario: "poll", AtOnce: 1, Users: 1, For: loadTime} }
	const smallest = "poll-1000"
	poll := func(x int, size string) row {
		return row{
			name: fmt.Sprintf("poll-%d", x), title: "poll of an unchanged maildrop of " + size, how: "login, STAT, QUIT, one after the other",
			servers: dovecotsAndPostfach, figures: []string{cpu}, x: x, unit: "messages", measure: serving(pollMail, pollLoad),
			// Dovecot reads what it knows of all messages each time: it is its small poll that counts.
			bounds: []bound{{figure: cpu, factor: 0.25 / 1.8, of: tuned, ofRow: smallest, was: "0.25 ms where Dovecot takes 1.8"}},
		}
	}
	last := poll(100_000, "100,000")
	last.grow = []int{1000, 10_000, 100_000}
	return append(all, poll(1000, "1,000"), poll(10_000, "10,000"), last)
}

func manyRows(sessions int) []row {
	idleMail := func(x int) mail { return mail{users: x, messages: 1, size: 1000} }
	idle := func(s bench.Security) func(int) bench.Load {
		return func(x int) bench.Load {
			return bench.Load{Scenario: "idle", Target: bench.Target{Security: s}, AtOnce: x, Users: x, Hold: 10 * time.Second}
		}
	}
	grow := []int{wantedSessions / 100, wantedSessions / 10, sessions}
	most := map[string]int{shipped: 1000, tuned: 2500}
	const kib = 1024
	return []row{
		{
			name: "idle", title: number(float64(sessions)) + " logged-in idle sessions: memory of each", how: "one message each; Pss of all processes after ten seconds of silence; all must be there at the end. Dovecot has a process for each session: as shipped it takes 1,024 at most, of which 1,000 are tried, and of the tuned one 2,500",
			servers: withFloor, figures: []string{memory, held}, x: sessions, unit: "sessions", grow: grow, most: most, measure: serving(idleMail, idle(bench.Clear)),
			bounds: []bound{{figure: memory, factor: 10 * kib}, {figure: held, atLeast: true, factor: float64(sessions)}},
		},
		{
			name: "idle-tls", title: number(float64(sessions)) + " idle sessions over TLS", how: "the same, TLS 1.3 from the first octet. Dovecot as shipped has a further process for each connection, of which it takes 100",
			servers: withFloor, figures: []string{memory, held}, x: sessions, unit: "sessions", grow: grow, most: map[string]int{shipped: 90, tuned: 2500}, measure: serving(idleMail, idle(bench.TLS)),
			bounds: []bound{{figure: memory, factor: 40 * kib}, {figure: held, atLeast: true, factor: float64(sessions)}},
		},
		{
			name: "users", title: "1,000 users, 16 at once, mail arriving meanwhile", how: "STAT, UIDL, RETR of what is new; 20 messages each at the beginning, 50 arrive in a second",
			servers: dovecotsAndPostfach, figures: []string{rate, slow}, x: 1000, unit: "users", grow: []int{10, 100, 1000},
			measure: serving(func(x int) mail { return mail{users: x, messages: 20, size: 4000, fresh: true} }, func(x int) bench.Load {
				return bench.Load{Scenario: "users", AtOnce: min(16, x), Users: x, For: 2 * loadTime, Rate: 50}
			}),
			bounds: []bound{{figure: rate, atLeast: true, factor: 4, of: tuned}, {figure: slow, factor: 20. / 55, of: tuned, was: "20 ms where Dovecot takes 55"}},
		},
	}
}

func clientRows() []row {
	const messages = 5000
	grow := []int{messages / 100, messages / 10, messages}
	return []row{
		{
			name: "client-far", title: "client: 5,000 small messages into a Maildir, 20 ms round trip", how: "1,000 octets each, from the server that answers from memory; the floor reads and keeps nothing; `postfach get` and mpop sync each file",
			servers: clients, figures: []string{seconds}, x: messages, unit: "messages", grow: grow, measure: fetchingWith(20*time.Millisecond, false),
			bounds: []bound{{figure: seconds, factor: 0.5, of: unsynced}},
		},
		{
			name: "client-near", title: "client: 5,000 small messages, no delay, tmpfs", how: "the same into a file system in memory; the median of five in each round",
			servers: []string{mpop, floor, postfach}, figures: []string{seconds}, x: messages, unit: "messages", grow: grow, measure: fetchingWith(0, true),
			bounds: []bound{{figure: seconds, factor: 1, of: mpop}},
		},
	}
}

// sizes returns how large the row is measured with a server: as in the table, and those of
// the plot if growing.
func (r *row) sizes(server string, growing bool) []int {
	limit := r.size(server)
	var all []int
	if growing && r.plots(server) {
		for _, x := range r.grow {
			if x != r.x && x < limit {
				all = append(all, x)
			}
		}
	}
	return append(all, limit)
}

// size is how large the row is for a server in the table.
func (r *row) size(server string) int {
	if most, ok := r.most[server]; ok {
		return min(most, r.x)
	}
	return r.x
}

// plots reports whether a server is in the row's plot: two are enough to compare.
func (r *row) plots(server string) bool {
	return server == postfach || server == tuned || server == mpop
}
