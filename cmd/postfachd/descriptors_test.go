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
	can := connections(uint64(limit.Cur))
	for wanted, want := range map[int]int{1: 1, can: can, math.MaxInt32: min(can, math.MaxInt32)} {
		var log strings.Builder
		cfg := &config.Config{Limits: config.Limits{Connections: wanted}}
		said := checkDescriptors(cfg, slog.New(slog.NewTextHandler(&log, nil)), capacity{})
		again := &config.Config{Limits: config.Limits{Connections: wanted}}
		before := log.Len()
		if checkDescriptors(again, slog.New(slog.NewTextHandler(&log, nil)), said); again.Limits.Connections != cfg.Limits.Connections || log.Len() != before {
			t.Errorf("a second time: %d connections, logged:\n%s", again.Limits.Connections, log.String()[before:])
		}
		if got := cfg.Limits.Connections; got != want {
			t.Errorf("%d wanted, %d possible: %d", wanted, can, got)
		}
		if got := strings.Contains(log.String(), "hint="); got != (want < wanted) {
			t.Errorf("%d connections:\n%s", wanted, &log)
		}
	}
	for files, want := range map[uint64]int{0: 1, 10: 1, 67: 1, 70: 2, 1024: 320, 30_064: 10_000, math.MaxUint64: 1 << 30} {
		if got := connections(files); got != want {
			t.Errorf("%d files are enough for %d connections, want %d", files, got, want)
		}
	}
}
