package bench

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"postfach/maildrop/maildir"
	"postfach/pop3server"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// canned is start with prepared messages.
func canned(t testing.TB, messages, size int, prepare func(*Canned)) *Canned {
	t.Helper()
	return start(t, NewCanned(messages, size), prepare)
}

// start starts a canned server, after prepare has done what it likes with it.
func start(t testing.TB, c *Canned, prepare func(*Canned)) *Canned {
	t.Helper()
	if prepare != nil {
		prepare(c)
	}
	must(t, c.Start("127.0.0.1:0", "127.0.0.1:0"))
	t.Cleanup(c.Close)
	return c
}

// load runs a Load that can be run.
func load(t testing.TB, l Load) *Result {
	t.Helper()
	r, err := Run(t.Context(), l)
	must(t, err)
	return r
}

// flawless is load without mistakes.
func flawless(t testing.TB, l Load) *Result {
	t.Helper()
	r := load(t, l)
	if r.Mistakes.Count > 0 {
		t.Fatalf("%s: %q", l.Scenario, r.Mistakes.First)
	}
	return r
}

func TestScenariosWithCanned(t *testing.T) {
	c := canned(t, 50, 4000, nil)
	for _, s := range []Security{Clear, STLS, TLS} {
		for _, resume := range []bool{false, true} {
			for _, name := range []string{"login", "poll", "retr", "top", "list", "idle"} {
				target := Target{Addr: c.Addr, Security: s, Resume: resume, User: "user%d", Password: "secret"}
				if s == TLS {
					target.Addr = c.AddrTLS
				}
				r := flawless(t, Load{Scenario: name, Target: target, AtOnce: 4, Count: 12, Window: 7, Hold: time.Millisecond, PID: pidIfKnown()})
				if want := int64(12); name != "idle" && r.Sessions != want {
					t.Errorf("%s: %d sessions, want %d", name, r.Sessions, want)
				}
				if want := int64(12 * 50); (name == "retr" || name == "top") && r.Operations != want {
					t.Errorf("%s: %d messages, want %d", name, r.Operations, want)
				}
				if name == "retr" && r.Octets != 12*50*4000 {
					t.Errorf("%d octets", r.Octets)
				}
				if resumed := s != Clear && resume; (r.Resumed > 0) != resumed && name != "idle" {
					t.Errorf("%s, TLS %s, resume %v: %d resumed", name, s, resume, r.Resumed)
				}
				var text bytes.Buffer
				if err := r.Text(&text); err != nil || !strings.Contains(text.String(), name) {
					t.Errorf("%v\n%s", err, text.String())
				}
			}
		}
	}
}

// A large message crosses the borders of buffers, in clear and in TLS, prepared as it is
// sent and as it lies in a file.
func TestLargeMessages(t *testing.T) {
	for _, prepare := range []func(messages, size int) *Canned{NewCanned, NewCannedLF} {
		c := start(t, prepare(3, 3_000_000), func(c *Canned) { c.Piece = 70_000 })
		for _, target := range []Target{{Addr: c.Addr}, {Addr: c.AddrTLS, Security: TLS}} {
			target.User = "user%d"
			r := flawless(t, Load{Scenario: "retr", Target: target, AtOnce: 4, Count: 4, Window: 2})
			if r.Octets != 4*3*3_000_000 {
				t.Errorf("%d octets", r.Octets)
			}
		}
	}
}

// What lies in a file becomes what was prepared, however large the pieces are.
func TestFilesBecomeWire(t *testing.T) {
	for _, wire := range []string{"\r\n", "a\r\n", ".\r\n", "..\r\n.a.\r\n\r\n.\r\n", strings.Repeat("a line. Another.\r\n.", 9) + "\r\n"} {
		want := string(stuffed(nil, []byte(wire)))
		for room := 4; room < len(want)+5; room++ {
			var got []byte
			piece := make([]byte, 0, room)
			for f := (lfFile{rest: asFile([]byte(wire))}); len(f.rest) > 0; {
				filled := f.fill(piece)
				if len(filled) == 0 || len(filled) > room {
					t.Fatalf("%q, room for %d: %d octets", wire, room, len(filled))
				}
				got = append(got, filled...)
			}
			if string(got) != want {
				t.Errorf("%q, room for %d: %q, want %q", wire, room, got, want)
			}
		}
	}
}

// Both floors are the same maildrop.
func TestFloorFromLFSendsTheSame(t *testing.T) {
	for _, size := range []int{1000, 200_000} {
		prepared, file := NewCanned(3, size), NewCannedLF(3, size)
		if !bytes.Equal(prepared.sizes, file.sizes) || !bytes.Equal(prepared.stat, file.stat) {
			t.Error("other sizes")
		}
		for i := range 3 {
			ours, theirs := net.Pipe()
			sent := make(chan error, 1)
			go func() {
				sent <- file.sendFile(theirs, file.mail[i], file.files[i])
				theirs.Close()
			}()
			got, err := io.ReadAll(ours)
			must(t, errors.Join(err, <-sent))
			if !bytes.Equal(got, prepared.mail[i]) {
				t.Errorf("message %d of %d octets is another one", i+1, size)
			}
		}
	}
}

// The servers of this table do one thing wrong each, and each is noticed.
func TestWrongServers(t *testing.T) {
	const messages, size = 20, 4000
	change := func(b []byte, old, by string) []byte {
		if !bytes.Contains(b, []byte(old)) {
			panic(old)
		}
		return bytes.Replace(b, []byte(old), []byte(by), 1)
	}
	for _, c := range []struct {
		name, scenario string
		wrong          func(*Canned)
		says           string // part of what is told of it
	}{
		{"greeting", "login", func(c *Canned) { c.greeting = c.refused }, ""},
		{"refusal", "retr", func(c *Canned) { c.mail[2] = c.refused }, "RETR 3"},
		{"no status", "retr", func(c *Canned) { c.mail[2] = change(c.mail[2], "+OK", "+ok") }, "RETR 3"},
		{"short body", "retr", func(c *Canned) { c.mail[2] = change(c.mail[2], "\r\nDate:", "\r\nDat:") }, "message 3 has 3999 octets, LIST says 4000"},
		{"long body", "retr", func(c *Canned) { c.mail[2] = change(c.mail[2], "\r\n.\r\n", "\r\n\r\n.\r\n") }, "message 3 has 4002 octets"},
		{"altered octet", "retr", func(c *Canned) { c.mail[2] = change(c.mail[2], "the", "thE") }, "RETR 3: the octets are not those that were stored"},
		{"altered header", "retr", func(c *Canned) { c.mail[2] = change(c.mail[2], "Subject", "Subjekt") }, "RETR 3"},
		{"not byte-stuffed", "retr", func(c *Canned) {
			n := slices.IndexFunc(c.mail, func(m []byte) bool { return bytes.Contains(m, []byte("\r\n..s")) })
			c.mail[n] = change(c.mail[n], "\r\n..s", "\r\n.s")
		}, "RETR"},
		{"terminator in the middle", "retr", func(c *Canned) { c.mail[2] = change(c.mail[2], "\r\nFrom:", "\r\n.\r\nFrom:") }, "message 3 has"},
		{"no terminator", "retr", func(c *Canned) { c.mail[19] = bytes.TrimSuffix(c.mail[19], []byte(".\r\n")) }, "RETR 20"},
		{"bare LF", "retr", func(c *Canned) { c.mail[2] = change(c.mail[2], "\r\nTo:", "\nTo:") }, "message 3"},
		{"TOP of another message's header", "top", func(c *Canned) { c.tops[2] = change(c.tops[2], "Subject", "Subjekt") }, "TOP 3"},
		{"TOP with too much", "top", func(c *Canned) { c.tops[2] = c.mail[2] }, "TOP 3"},
		{"STAT is no number", "login", func(c *Canned) { c.stat = yes("many messages") }, "STAT"},
		{"STAT counts wrong", "list", func(c *Canned) { c.stat = yes("21 84000") }, "STAT says 21"},
		{"STAT sums wrong", "list", func(c *Canned) { c.stat = yes("20 80001") }, "STAT says 20"},
		{"LIST leaves one out", "list", func(c *Canned) { c.sizes = change(c.sizes, "3 4000\r\n", "") }, "the size of message 3"},
		{"LIST is in disorder", "list", func(c *Canned) { c.sizes = change(c.sizes, "2 4000\r\n3 4000\r\n", "3 4000\r\n2 4000\r\n") }, "the size of message 2"},
		{"LIST has a wrong size", "retr", func(c *Canned) { c.sizes = change(c.sizes, "3 4000", "3 4001") }, "LIST says 4001"},
		{"LIST goes on after its end", "list", func(c *Canned) { c.sizes = change(c.sizes, "3 4000\r\n", "3 4000\r\n.\r\n") }, "only a dot, and more"},
		{"LIST does not end", "list", func(c *Canned) { c.sizes = bytes.TrimSuffix(c.sizes, []byte(".\r\n")) }, "LIST"},
		{"a unique-id twice", "list", func(c *Canned) { c.ids = change(c.ids, "2 1700000002.M2", "2 1700000001.M1") }, "the same unique-id"},
		{"a unique-id with a space", "list", func(c *Canned) { c.ids = change(c.ids, "2 1700000002.M2", "2 170 000002.M2") }, "the unique-id of message 2"},
		{"UIDL leaves one out", "list", func(c *Canned) { c.ids = change(c.ids, "20 1700000020.M20P1.canned\r\n", "") }, "UIDL has 19"},
		{"words behind the last reply", "login", func(c *Canned) {
			c.asked = func(keyword string) {
				c.ok = []byte("+OK\r\n")
				if keyword == "QUIT" {
					c.ok = []byte("+OK\r\n+OK\r\n")
				}
			}
		}, ""},
		{"two replies to each command", "login", func(c *Canned) { c.ok = []byte("+OK\r\n+OK\r\n") }, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := canned(t, messages, size, c.wrong)
			r, err := Run(t.Context(), Load{
				Scenario: c.scenario, Window: 3, AtOnce: 1, Count: 2, WarmUp: -1,
				Target: Target{Addr: server.Addr, User: "user1", Timeout: time.Second},
			})
			if err == nil {
				err = r.Err()
				if c.says != "" && !strings.Contains(strings.Join(r.Mistakes.First, "\n"), c.says) {
					t.Errorf("%q", r.Mistakes.First)
				}
			}
			if err == nil {
				t.Error("nothing was noticed")
			}
		})
	}
}

// Foreign mail has no checksum: it must be the same in each session.
func TestForeignMailMustStayTheSame(t *testing.T) {
	foreign := func(text string) []byte { return []byte("+OK\r\nSubject: " + text + "\r\n\r\nHello.\r\n.\r\n") }
	server := canned(t, 1, 0, func(c *Canned) {
		c.mail[0] = foreign("one")
		c.sizes = []byte("+OK\r\n1 24\r\n.\r\n")
	})
	l := Load{Scenario: "retr", Target: Target{Addr: server.Addr, User: "user1"}, AtOnce: 1, Count: 2, WarmUp: -1}
	flawless(t, l)
	changing := canned(t, 1, 0, func(c *Canned) {
		c.mail[0] = foreign("one")
		c.sizes = []byte("+OK\r\n1 24\r\n.\r\n")
		changes(c, "RETR", func() { c.mail[0] = foreign("two") })
	})
	l.Target.Addr = changing.Addr
	if r := load(t, l); r.Mistakes.Count != 1 || !strings.Contains(r.Mistakes.First[0], "earlier session") {
		t.Errorf("%+v", r.Mistakes)
	}
}

// changes makes a change before a command is answered the second time.
func changes(c *Canned, keyword string, change func()) {
	n := 0
	c.asked = func(k string) {
		if k == keyword {
			n++
		}
		if k == keyword && n == 2 {
			change()
		}
	}
}

func TestMaildropsMustStayTheSame(t *testing.T) {
	for _, c := range []struct{ scenario, keyword, says string }{
		{"list", "UIDL", "UIDL is not what it was"},
		{"poll", "STAT", "STAT was 20 80000, and is 20 80001"},
	} {
		server := canned(t, 20, 4000, func(s *Canned) {
			changes(s, c.keyword, func() {
				s.stat = yes("20 80001")
				s.ids = bytes.Replace(s.ids, []byte("P1"), []byte("P2"), 1)
			})
		})
		r := load(t, Load{Scenario: c.scenario, Target: Target{Addr: server.Addr, User: "user1"}, AtOnce: 1, Count: 2, WarmUp: -1})
		if !strings.Contains(strings.Join(r.Mistakes.First, "\n"), c.says) {
			t.Errorf("%s: %+v", c.scenario, r.Mistakes)
		}
	}
}

// everybody gets in.
type everybody struct{}

func (everybody) Authenticate(_ context.Context, _ *pop3server.Peer, name, _ string) (pop3server.Identity, error) {
	return pop3server.Identity{User: name}, nil
}

// postfachd starts the server over a folder of Maildirs, and returns its address.
func postfachd(t testing.TB, dir string) (plain, implicit string) {
	t.Helper()
	conf, err := SelfSigned()
	must(t, err)
	srv := &pop3server.Server{
		Store: &maildir.Store{Path: func(user string) (string, error) { return filepath.Join(dir, user), nil }},
		Auth:  everybody{}, TLS: conf, Log: slog.New(slog.DiscardHandler),
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	lt, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	done := make(chan error, 2)
	go func() { done <- srv.Serve(l) }()
	go func() { done <- srv.ServeTLS(lt) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		must(t, srv.Shutdown(ctx))
		for range 2 {
			<-done
		}
	})
	return l.Addr().String(), lt.Addr().String()
}

// maildirs makes Maildirs for user1 and so on.
func maildirs(t testing.TB, set MaildirSet) string {
	t.Helper()
	set.Dir = filepath.Join(t.TempDir(), "mail")
	if set.Folder == "" {
		set.Folder = "cur"
	}
	_, err := set.Make(t.Context())
	must(t, err)
	return set.Dir
}

func TestScenariosWithPostfachd(t *testing.T) {
	dir := maildirs(t, MaildirSet{Users: 4, Messages: 30, Size: 2000, Real: true, Sizes: true})
	plain, implicit := postfachd(t, dir)
	for _, l := range []Load{
		{Scenario: "login"},
		{Scenario: "poll"},
		{Scenario: "retr"},
		{Scenario: "top"},
		{Scenario: "top", Lines: 3},
		{Scenario: "list"},
		{Scenario: "idle", Hold: time.Millisecond},
	} {
		for _, s := range []Security{Clear, STLS, TLS} {
			l.Target = Target{Addr: plain, Security: s, User: "user%d", Password: "x"}
			if s == TLS {
				l.Target.Addr = implicit
			}
			l.AtOnce, l.Count = 4, 8
			if r := flawless(t, l); r.Sessions == 0 {
				t.Errorf("%s: no sessions", l.Scenario)
			}
		}
	}
}

func TestUsersGetWhatIsDelivered(t *testing.T) {
	for _, remove := range []bool{false, true} {
		dir := maildirs(t, MaildirSet{Users: 10, Messages: 3, Size: 1000})
		plain, _ := postfachd(t, dir)
		var reports int
		r := flawless(t, Load{
			Scenario: "soak", Target: Target{Addr: plain, User: "user%d", Password: "x"}, AtOnce: 3, Users: 10, Delete: remove,
			Maildirs: dir, Rate: 200, Size: 1500, For: 700 * time.Millisecond,
			Every: 200 * time.Millisecond, Report: func(Interval) { reports++ },
		})
		if r.Delivered == 0 || reports < 1 || len(r.Intervals) != reports {
			t.Errorf("%d delivered, %d reports, %d intervals", r.Delivered, reports, len(r.Intervals))
		}
		if want := 10*3 + int(r.Delivered); !remove && count(t, dir) != want {
			t.Errorf("%d messages, want %d", count(t, dir), want)
		}
		if remove && count(t, dir) != 10*3 { // what was there before was not fetched
			t.Errorf("%d messages", count(t, dir))
		}
	}
}

// count counts the messages in all Maildirs of a folder.
func count(t testing.TB, dir string) (n int) {
	t.Helper()
	for _, sub := range []string{"cur", "new"} {
		names, err := filepath.Glob(filepath.Join(dir, "*", sub, "*"))
		must(t, err)
		n += len(names)
	}
	return n
}

// What was not made here is not deleted, and is a mistake: nobody else may deliver.
func TestForeignMailIsNotDeleted(t *testing.T) {
	dir := maildirs(t, MaildirSet{Users: 2})
	plain, _ := postfachd(t, dir)
	foreign := filepath.Join(dir, "user1", "new", "1600000000.M1P1.host")
	reported := false
	r := load(t, Load{
		Scenario: "users", Target: Target{Addr: plain, User: "user%d", Password: "x"}, AtOnce: 2, Users: 2, Delete: true,
		Maildirs: dir, Rate: 100, For: time.Second, Every: 50 * time.Millisecond,
		Report: func(Interval) {
			if !reported {
				reported = true
				tmp := filepath.Join(dir, "user1", "tmp", "foreign")
				if err := errors.Join(os.WriteFile(tmp, []byte("Subject: do not delete\n\n"), 0o600), os.Rename(tmp, foreign)); err != nil {
					t.Error(err)
				}
			}
		},
	})
	if _, err := os.Stat(foreign); err != nil {
		t.Error(err)
	}
	if r.Mistakes.Count != 1 || count(t, dir) != 1 {
		t.Errorf("%+v, %d messages are left", r.Mistakes, count(t, dir))
	}
}

// Mail that is delivered and does not come is a mistake.
func TestLostMailIsNoticed(t *testing.T) {
	set := MaildirSet{Users: 2, Messages: 1, Size: 1000}
	plain, _ := postfachd(t, maildirs(t, set))
	r := load(t, Load{
		Scenario: "users", Target: Target{Addr: plain, User: "user%d", Password: "x"}, AtOnce: 2, Users: 2,
		Maildirs: maildirs(t, set), Rate: 100, For: 300 * time.Millisecond,
	})
	if r.Mistakes.Count == 0 || !strings.Contains(r.Mistakes.First[0], "were delivered, 0 came") {
		t.Errorf("%+v", r.Mistakes)
	}
}

func TestDeleFillsAndEmpties(t *testing.T) {
	dir := maildirs(t, MaildirSet{Users: 1, Messages: 0})
	plain, _ := postfachd(t, dir)
	l := Load{Scenario: "dele", Target: Target{Addr: plain, User: "user%d", Password: "x"}, Maildirs: dir, Messages: 40, Count: 3}
	if r := flawless(t, l); r.Operations != 120 || r.LatencyMS["quit"].N != 3 || count(t, dir) != 0 {
		t.Errorf("%d messages, %d are left", r.Operations, count(t, dir))
	}
	foreign := filepath.Join(dir, "user1", "new", "1600000000.M1P1.host")
	must(t, os.WriteFile(foreign, []byte("Subject: do not delete\n\n"), 0o600))
	if r := load(t, l); r.Mistakes.Count == 0 || count(t, dir) != 1 {
		t.Errorf("%+v", r.Mistakes)
	}
	must(t, os.Remove(foreign))
	l.Maildirs = maildirs(t, MaildirSet{Users: 1, Messages: 0}) // not the server's
	if r := load(t, l); r.Mistakes.Count == 0 || r.Operations != 0 {
		t.Errorf("%+v", r.Mistakes)
	}
}

func TestMaildirsAreTheSameEachTime(t *testing.T) {
	read := func(dir string) (all []string) {
		must(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			must(t, err)
			name, _ := filepath.Rel(dir, path)
			var octets []byte
			if !d.IsDir() {
				octets, err = os.ReadFile(path)
				must(t, err)
			}
			all = append(all, name+"\x00"+string(octets))
			return nil
		}))
		return all
	}
	set := MaildirSet{Users: 2, Messages: 20, Size: 1500, Real: true, Sizes: true, Folder: "new", Seed: 5}
	one, two := read(maildirs(t, set)), read(maildirs(t, set))
	if !slices.Equal(one, two) || len(one) != 1+2*4+2*20 {
		t.Errorf("%d and %d files, not the same", len(one), len(two))
	}
	set.Seed = 6
	if slices.Equal(one, read(maildirs(t, set))) {
		t.Error("another seed, the same mail")
	}
}

func TestMaildirsTouchNoMail(t *testing.T) {
	dir := maildirs(t, MaildirSet{Users: 1, Messages: 1})
	_, err := MaildirSet{Dir: dir, Users: 2, Messages: 5, Folder: "cur"}.Make(t.Context())
	if !errors.Is(err, ErrNotEmpty) || count(t, dir) != 1 {
		t.Errorf("%v, %d messages", err, count(t, dir))
	}
}

func TestLoadsThatCannotBeRun(t *testing.T) {
	c := canned(t, 1, 0, nil)
	for _, l := range []Load{
		{Scenario: "none", Target: Target{Addr: c.Addr}},
		{Scenario: "login", Target: Target{Addr: "nowhere"}},
		{Scenario: "users", Target: Target{Addr: c.Addr}},
		{Scenario: "dele", Target: Target{Addr: c.Addr}},
		{Scenario: "users", Target: Target{Addr: c.Addr, User: "u"}, Maildirs: t.TempDir(), Count: 1},
		{Scenario: "login", Target: Target{Addr: c.Addr, Security: TLS}},
	} {
		if r, err := Run(t.Context(), l); err == nil {
			t.Errorf("%s: %+v", l.Scenario, r)
		}
	}
}

// After many mistakes a run ends.
func TestManyMistakesEndARun(t *testing.T) {
	c := canned(t, 1, 0, func(c *Canned) { c.stat = c.refused })
	r := load(t, Load{Scenario: "login", Target: Target{Addr: c.Addr, User: "u"}, AtOnce: 4, For: time.Hour})
	if r.Mistakes.Count < MaxMistakes || len(r.Mistakes.First) != shownMistakes || !errors.Is(r.Err(), ErrMistakes) {
		t.Errorf("%+v", r.Mistakes)
	}
}
