package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// all are results in which each figure of each server is there, in three rounds; a server's
// figures are its place in its row.
func all() *results {
	res := &results{Version: 1, Rounds: 3, Sessions: wantedSessions, Versions: make(map[string]string), Machine: machine{CPU: "a processor", Cores: 2}}
	for _, r := range res.rows() {
		for i, server := range r.servers {
			res.Versions[server] = "1.0"
			for round := 1; round <= 3; round++ {
				for _, x := range r.sizes(server, round == 1) {
					m := measurement{Row: r.name, Server: server, X: x, Round: round, Figures: figures{}}
					for _, name := range r.figures {
						m.Figures[name] = float64((i + 1) * round)
					}
					res.Measured = append(res.Measured, m)
				}
			}
		}
	}
	return res
}

func TestDocumentFromResults(t *testing.T) {
	from, dir := filepath.Join(t.TempDir(), "results.json"), filepath.Join(t.TempDir(), "docs")
	if err := all().save(from); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := run(context.Background(), []string{"--from", from, "--out", dir}, &out, io.Discard); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "performance.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows(wantedSessions) {
		if !strings.Contains(string(text), "\n| "+r.title+" | ") {
			t.Errorf("%s is not in the table", r.name)
		}
		if !strings.Contains(out.String(), r.name) {
			t.Errorf("%s is not on the terminal", r.name)
		}
	}
	for _, m := range regexp.MustCompile(`\]\((performance/[^)]*)\)`).FindAllSubmatch(text, -1) {
		if info, err := os.Stat(filepath.Join(dir, string(m[1]))); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", m[1], err)
		}
	}
	for _, want := range []string{"## What was done", "## What did not help", "a processor, 2 cores"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%q is not there", want)
		}
	}
	again := filepath.Join(t.TempDir(), "again")
	if err := run(context.Background(), []string{"--from", filepath.Join(dir, "performance", "results.json"), "--out", again}, io.Discard, io.Discard); err != nil {
		t.Fatal(err)
	}
	if same, err := os.ReadFile(filepath.Join(again, "performance.md")); err != nil || !bytes.Equal(same, text) {
		t.Errorf("written again it is another: %v", err)
	}
}

// A plot has a curve for Postfach, and one to compare it with, in rising sizes.
func TestCurves(t *testing.T) {
	res := all()
	for _, r := range res.rows() {
		if len(r.grow) == 0 {
			continue
		}
		curves := res.curves(&r)
		if len(curves) != 2 {
			t.Errorf("%s: %d curves", r.name, len(curves))
		}
		for _, c := range curves {
			for i := 1; i < len(c.points); i++ {
				if c.points[i-1].X >= c.points[i].X {
					t.Errorf("%s, %s: %v", r.name, c.server, c.points)
				}
			}
		}
	}
}

// What rows, servers and figures are called has to be known where they are used.
func TestRowsAreWhole(t *testing.T) {
	seen := make(map[string]bool)
	for _, r := range rows(wantedSessions) {
		if seen[r.name] || r.title == "" || r.how == "" || r.measure == nil || len(r.bounds) == 0 {
			t.Errorf("%s: not whole, or twice", r.name)
		}
		seen[r.name] = true
		shown := make(map[string]bool)
		for _, name := range r.figures {
			shown[name] = true
			if figureNames[name].name == "" {
				t.Errorf("%s: figure %s has no name", r.name, name)
			}
		}
		servers := make(map[string]bool)
		for _, s := range r.servers {
			servers[s] = true
			if shortNames[s] == "" {
				t.Errorf("%s: server %s has no name", r.name, s)
			}
		}
		for _, b := range r.bounds {
			if b.of != "" && !servers[b.of] || !shown[b.figure] || b.ofFigure != "" && !shown[b.ofFigure] {
				t.Errorf("%s: the bound %s is of something that is not measured", r.name, b.words())
			}
		}
	}
}

// In a short run it matters that all are there.
func TestTroubleOfAShortRun(t *testing.T) {
	res := &results{Missing: []string{"popa3d: it is gone"}, Measured: []measurement{{Row: "r", Server: tuned, Figures: figures{mistakes: 1}}}}
	if err := res.trouble(); err != nil {
		t.Errorf("a peer's trouble is not an error: %v", err)
	}
	res.Short = true
	if err := res.trouble(); err == nil || !strings.Contains(err.Error(), "it is gone") || !strings.Contains(err.Error(), "1 mistakes") {
		t.Errorf("%v", err)
	}
}

func TestFlags(t *testing.T) {
	for _, args := range [][]string{{"--short"}, {"--rounds", "0"}, {"--rows", "nothing"}, {"--rows", "("}, {"login"}, {"--from", "not there"}} {
		if err := run(context.Background(), args, io.Discard, io.Discard); err == nil {
			t.Errorf("%q: no error", args)
		}
	}
	var out bytes.Buffer
	if err := run(context.Background(), []string{"--list", "--rows", "poll-.*"}, &out, io.Discard); err != nil || strings.Count(out.String(), "\n") != 3 {
		t.Errorf("%v %s", err, out.String())
	}
}

func TestSessionsThatCanBeHeld(t *testing.T) {
	for files, want := range map[int]int{64_000: 10_000, 30_400: 10_000, 20_000: 6533, 1024: 208, 0: 1} {
		if got := sessionsFor(files); got != want {
			t.Errorf("%d files: %d sessions, want %d", files, got, want)
		}
	}
}
