package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Promise 17 against the real program: each session that waits for a disk which does
// not answer holds a thread. That there are not more of them than half of what the unit
// allows (TasksMax=1024, helper programs among it) is for the program to see to; one that
// gets no thread dies.
func TestStalledDiskTakesFewThreads(t *testing.T) {
	const (
		sessions = 600
		turns    = 256 // the default of limits.store_calls
		unit     = 512
	)
	h := newHouse(t)
	addAccount(t, h.data, "stalled", "p w")
	config := filepath.Join(filepath.Dir(h.data), "postfachd.toml")
	must(t, os.WriteFile(config, []byte("shutdown_grace = \"100ms\"\n[limits]\nsessions_per_user = 1000\n"), 0o644))
	p := h.serveMined("--config", config)
	reader := h.login(p)
	before := threads(t, p)
	for range sessions {
		c := p.dial()
		c.line()
		c.ok("USER stalled")
		c.send("PASS p w\r\n")
	}
	most := 0
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for begun, quiet := time.Now(), 0; quiet < 50 && time.Since(begun) < patience; quiet++ { // a second without another one
		<-look.C
		if n := threads(t, p); n > most || most < turns {
			most, quiet = max(n, most), 0
		}
	}
	t.Logf("%d threads with one session, %d with %d more on a disk that does not answer", before, most, sessions)
	if most < turns || most > turns+64 || most > unit {
		t.Errorf("%d threads", most)
	}
	reader.ok("NOOP") // who does not need the disk notices nothing
	other := p.dial()
	other.line()
	other.ok("CAPA")
	begun := time.Now()
	p.signal(os.Interrupt)
	if code := p.wait(); time.Since(begun) > 10*time.Second {
		t.Errorf("the end took %v, exit code %d", time.Since(begun), code)
	}
	if log := p.stderr.String(); strings.Contains(log, "SIGABRT") || strings.Contains(log, "fatal") {
		t.Error("the program died")
	}
}

// threads returns how many the program has.
func threads(t *testing.T, p *program) int {
	t.Helper()
	tasks, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", p.cmd.Process.Pid))
	must(t, err)
	return len(tasks)
}
