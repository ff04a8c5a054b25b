package main

import (
	"log/slog"
	"math"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"postfach/internal/config"
)

func TestConnectionsAreThoseThatTheProcessCanHold(t *testing.T) {
	var limit unix.Rlimit
	must(t, unix.Getrlimit(unix.RLIMIT_NOFILE, &limit))
	can := connections(uint64(limit.Cur), reserved(&config.Config{}))
	for wanted, want := range map[int]int{1: 1, can: can, math.MaxInt32: min(can, math.MaxInt32)} {
		var log strings.Builder
		cfg := &config.Config{Limits: config.Limits{Connections: wanted}}
		got, said := checkDescriptors(cfg, slog.New(slog.NewTextHandler(&log, nil)), capacity{})
		before := log.Len()
		if again, _ := checkDescriptors(cfg, slog.New(slog.NewTextHandler(&log, nil)), said); again != got || log.Len() != before {
			t.Errorf("a second time: %d connections, logged:\n%s", again, log.String()[before:])
		}
		if got != want || cfg.Limits.Connections != wanted {
			t.Errorf("%d wanted, %d possible: %d", wanted, can, got)
		}
		if got := strings.Contains(log.String(), "hint="); got != (want < wanted) {
			t.Errorf("%d connections:\n%s", wanted, &log)
		}
	}
	for files, want := range map[uint64]int{0: 1, 10: 1, 67: 1, 70: 2, 1024: 320, 30_064: 10_000, math.MaxUint64: 1 << 30} {
		if got := connections(files, 64); got != want {
			t.Errorf("%d files are enough for %d connections, want %d", files, got, want)
		}
	}
}

// What a configuration needs beside sessions is not given to sessions.
func TestDescriptorsAreReservedForWhatIsConfigured(t *testing.T) {
	acme := config.Default()
	acme.TLS.ACME.Hosts = []string{"mail.example.org"}
	hook := config.Default()
	hook.TLS.ACME.Hosts, hook.TLS.ACME.Challenge = acme.TLS.ACME.Hosts, config.DNS01
	listeners := config.Default()
	listeners.Listeners = make([]config.Listener, 100)
	sources := config.Default()
	sources.Sources = []config.Source{{Type: config.LDAPSource, AtOnce: 1000}, {Type: config.SQLSource, AtOnce: 500}, {Type: config.ProgramSource}}
	for name, c := range map[string]struct {
		cfg  *config.Config
		want uint64
	}{
		"by default":          {config.Default(), 100},
		"challenges":          {acme, 100 + 16 + 2 + 256},
		"a hook":              {hook, 100 + 16},
		"a hundred sockets":   {listeners, 92 + 400},
		"sources of accounts": {sources, 100 + 2000 + 500 + 16},
	} {
		if got := reserved(c.cfg); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}
