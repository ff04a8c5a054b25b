package certificates

import (
	"crypto/tls"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"postfach/internal/vfs"
)

// A resumer is a client that comes again and again.
type resumer struct {
	t      *testing.T
	client *tls.Config
}

func newResumer(t *testing.T, ca *authority, version uint16) *resumer {
	return &resumer{t, &tls.Config{RootCAs: ca.pool(), ServerName: "a.example", MaxVersion: version, ClientSessionCache: tls.NewLRUClientSessionCache(4)}}
}

func (r *resumer) resumes(server *tls.Config) bool {
	r.t.Helper()
	state, err := shake(server, r.client)
	must(r.t, err)
	return state.DidResume
}

func TestSessionsAreResumed(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		ca, dir := newAuthority(t, "ca"), t.TempDir()
		file := filepath.Join(dir, "tickets")
		files := Files{Pairs: []Pair{ca.pairIn(dir, "a", newECDSA(t), "a.example")}}
		now := time.Now()
		start := func() *Set {
			set := &Set{Tickets: OpenTickets(file, now, nil)}
			must(t, set.Load(files))
			return set
		}
		set := start()
		r := newResumer(t, ca, version)
		if r.resumes(set.Config()) {
			t.Error("the first time")
		}
		if !r.resumes(set.Config()) || !r.resumes(set.Config().Clone()) {
			t.Error("not by another server of the same process")
		}
		must(t, set.Load(files))
		if !r.resumes(set.Config()) {
			t.Error("not after a reload")
		}
		set = start()
		config := set.Config()
		if !r.resumes(config) {
			t.Error("not after a restart")
		}
		set.Poll(now.Add(ticketDay + time.Hour))
		if !r.resumes(config) {
			t.Error("not after the key was rotated")
		}
		set.Poll(now.Add(6 * ticketDay))
		if r.resumes(config) {
			t.Error("with a key that was rotated away")
		}
		if !r.resumes(config) {
			t.Error("not with the new key")
		}
		must(t, os.Remove(file))
		set = start()
		if r.resumes(set.Config()) {
			t.Error("with a key that is lost")
		}
		set.Tickets = nil
		for range 2 {
			if r.resumes(set.Config()) {
				t.Error("without tickets")
			}
		}
	}
}

// In TLS 1.2 a resumed session has the secret of the first one, and its new ticket,
// too. So nothing is resumed there that is older than a day, however often the client
// comes; in TLS 1.3 each time has a secret of its own, and the ticket's age counts.
func TestNoSecretIsResumedForMoreThanADay(t *testing.T) {
	for _, c := range []struct {
		version uint16
		every   time.Duration
		times   int
		full    int // handshakes, of so many
	}{
		{tls.VersionTLS12, 8 * time.Hour, 12, 3}, // at 0, 32 and 64 hours
		{tls.VersionTLS12, 47 * time.Hour, 4, 4},
		{tls.VersionTLS12, ticketDay, 2, 1},
		{tls.VersionTLS12, ticketDay + time.Second, 2, 2},
		{tls.VersionTLS13, 8 * time.Hour, 24, 1},
		{tls.VersionTLS13, 47 * time.Hour, 4, 1},
	} {
		synctest.Test(t, func(t *testing.T) {
			ca, dir := newAuthority(t, "ca"), t.TempDir()
			set := &Set{Tickets: OpenTickets(filepath.Join(dir, "tickets"), time.Now(), nil), Log: slog.New(slog.DiscardHandler)}
			must(t, set.Load(Files{Pairs: []Pair{ca.pairIn(dir, "a", newECDSA(t), "a.example")}}))
			config := set.Config()
			r := newResumer(t, ca, c.version)
			begin := time.Now()
			r.client.Time = func() time.Time { return begin } // for it, the certificate does not end
			full := 0
			for i := range c.times {
				if i > 0 {
					time.Sleep(c.every)
				}
				set.Poll(time.Now())
				near, far := net.Pipe()
				state, err := shakeOver(near, far, config, r.client)
				must(t, err)
				if !state.DidResume {
					full++
				}
			}
			if full != c.full {
				t.Errorf("%s, each %s: %d full handshakes in %d, want %d", tls.VersionName(c.version), c.every, full, c.times, c.full)
			}
		})
	}
}

// A key seals for a day, and opens for two more.
func TestKeysLiveShort(t *testing.T) {
	now := time.Date(2026, 11, 23, 6, 0, 0, 0, time.UTC)
	var keys []ticketKey
	made := map[[32]byte]time.Time{}
	for range 24 * 10 {
		keys = rotated(keys, now)
		if len(keys) > ticketKeys {
			t.Fatalf("%d keys", len(keys))
		}
		for _, k := range keys {
			if _, ok := made[k.key]; !ok {
				made[k.key] = now
			}
			if age := now.Sub(made[k.key]); age >= ticketLife {
				t.Errorf("a key is %s old", age)
			}
		}
		if age := now.Sub(made[keys[0].key]); age >= ticketDay {
			t.Errorf("a key that is %s old seals", age)
		}
		now = now.Add(time.Hour)
	}
	if len(made) != 10 {
		t.Errorf("%d keys in ten days", len(made))
	}
	if back := rotated(keys, now.AddDate(-1, 0, 0)); len(back) != 1 || back[0].key == keys[0].key {
		t.Errorf("after the clock was set back: %d keys", len(back))
	}
}

func TestKeysThatCannotBeUsedAreReplaced(t *testing.T) {
	now := time.Now()
	good := func(at time.Time) string { return string(formatTicketKeys(rotated(nil, at))) }
	key := strings.Split(good(now), "\n")[1] + "\n"
	for name, c := range map[string]struct {
		text string
		mode os.FileMode
		kept bool
	}{
		"good":              {good(now), 0o600, true},
		"read by others":    {good(now), 0o640, false},
		"empty":             {"", 0o600, false},
		"cut off":           {good(now)[:len(good(now))-9], 0o600, false},
		"from the future":   {good(now.Add(48 * time.Hour)), 0o600, false},
		"too many":          {key + key + key + key, 0o600, false},
		"something else":    {"nonsense\n", 0o600, false},
		"very long":         {strings.Repeat(key, 1000), 0o600, false},
		"in another order":  {strings.Split(good(now.Add(-time.Hour)), "\n")[1] + "\n" + key, 0o600, false},
		"key of other size": {key[:21] + "AAAA\n", 0o600, false},
	} {
		file := filepath.Join(t.TempDir(), "tickets")
		must(t, os.WriteFile(file, []byte(c.text), 0o600))
		must(t, os.Chmod(file, c.mode))
		j, log := newJournal()
		OpenTickets(file, now, log)
		after, err := os.ReadFile(file)
		must(t, err)
		if kept := string(after) == c.text; kept != c.kept {
			t.Errorf("%s: kept %t:\n%s", name, kept, after)
		}
		if told := strings.Contains(j.String(), "made anew"); told == c.kept {
			t.Errorf("%s: log %s", name, j)
		}
		if strings.Contains(j.String(), key[21:40]) {
			t.Errorf("%s: the log has the key", name)
		}
		info, err := os.Stat(file)
		must(t, err)
		if info.Mode() != 0o600 {
			t.Errorf("%s: mode %s", name, info.Mode())
		}
		if _, err := parseTicketKeys(string(after), now); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestFullDiskKeepsNoKeyForEver(t *testing.T) {
	file := filepath.Join(t.TempDir(), "tickets")
	j, log := newJournal()
	now := time.Now()
	tickets := OpenTickets(file, now, log)
	disk := &vfs.Fail{FS: vfs.OS{}, Err: syscall.ENOSPC}
	tickets.fsys = disk
	before := *tickets.current.Load()
	for minute := range 5 {
		disk.Arm(1, true)
		tickets.rotate(now.Add(ticketDay + time.Duration(minute)*time.Minute))
	}
	after := *tickets.current.Load()
	if len(after) != 2 || after[0] == before[0] || after[1] != before[0] {
		t.Error("the key was not rotated")
	}
	if n := strings.Count(j.String(), "cannot be written"); n != 1 {
		t.Errorf("told %d times:\n%s", n, j)
	}
	disk.Arm(0, false)
	tickets.rotate(now.Add(ticketDay + 6*time.Minute))
	again, err := readTicketKeys(file, now.Add(ticketDay))
	if err != nil || len(again) != 2 || again[0].key != after[0].key {
		t.Errorf("it was not written when there was room: %v", err)
	}
	if names, err := os.ReadDir(filepath.Dir(file)); err != nil || len(names) != 1 {
		t.Errorf("left behind: %v, %v", names, err)
	}
}

// A ticket that holds a long chain of certificates would make the client's first
// words too long: such a client shakes hands each time, and gets in.
func TestLongChainsAreNotInTickets(t *testing.T) {
	ca, dir := newAuthority(t, "ca"), t.TempDir()
	files := Files{Pairs: []Pair{ca.pairIn(dir, "a", newECDSA(t), "a.example")}, ClientCA: filepath.Join(dir, "ca.pem")}
	must(t, os.WriteFile(files.ClientCA, ca.pem(), 0o644))
	set := &Set{Tickets: OpenTickets(filepath.Join(dir, "tickets"), time.Now(), nil)}
	must(t, set.Load(files))
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		for further, resumes := range map[int]bool{0: true, 20: false} {
			cert := ca.client()
			for range further {
				cert.Certificate = append(cert.Certificate, ca.cert.Raw)
			}
			client, asked := offering(ca, cert)
			client.MaxVersion, client.ClientSessionCache = version, tls.NewLRUClientSessionCache(4)
			r := &resumer{t, client}
			r.resumes(set.Config())
			if *asked = false; r.resumes(set.Config()) != resumes || *asked == resumes {
				t.Errorf("%s, %d certificates: resumed %t", tls.VersionName(version), 1+further, !resumes)
			}
		}
	}
}
