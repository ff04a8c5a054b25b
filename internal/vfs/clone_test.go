package vfs

import (
	"bytes"
	"slices"
	"strings"
	"testing"
)

// What was written and not synced may come back in any order: a later part of a
// file whole, and an earlier one as zeros.
func TestStrictTearsInAnyOrder(t *testing.T) {
	const part = 64
	var hole, cut, zeros, old, all bool
	for seed := range uint64(200) {
		s := NewStrict()
		f, err := s.Create("/file", 0o600)
		must(t, err)
		f.Write([]byte("synced"))
		must(t, f.Sync())
		must(t, s.SyncDir("/"))
		written := strings.Repeat("a", part) + strings.Repeat("b", part)
		f.Write([]byte(written))
		f.Close()
		s.Crash(seed)
		got, isSynced := strings.CutPrefix(content(t, s, "/file"), "synced")
		if !isSynced {
			t.Fatalf("seed %d: what was synced is gone: %q", seed, got)
		}
		nulls := bytes.Count([]byte(got), []byte{0})
		switch {
		case got == "":
			old = true
		case got == written:
			all = true
		case len(got) < len(written):
			cut = true
		case strings.Contains(got[:part], "\x00") && strings.Contains(got[part:], "b"):
			hole = true
		case nulls > 0:
			zeros = true
		}
	}
	if !hole || !cut || !zeros || !old || !all {
		t.Errorf("Strict is too kind: hole %v, cut %v, zeros %v, old %v, all %v", hole, cut, zeros, old, all)
	}
}

// Changes of a folder that were not synced may come back in any order, too: of
// two, the later one alone, and of a rename the removal alone.
func TestStrictReordersNames(t *testing.T) {
	seen := map[string]bool{}
	for seed := range uint64(100) {
		s := NewStrict()
		for _, name := range []string{"/from", "/gone"} {
			must(t, WriteFile(s, name, []byte("x"), 0o600))
		}
		must(t, s.Rename("/from", "/to"))
		must(t, s.Remove("/gone"))
		s.Crash(seed)
		names, err := s.ReadDir("/")
		must(t, err)
		seen[strings.Join(names, " ")] = true
	}
	for _, want := range []string{"from gone", "to", "from", "gone", "", "from gone to", "from to"} {
		if !seen[want] {
			t.Errorf("no crash leaves %q", want)
		}
	}
}

// A clone has what the original had, unsynced changes included, and nothing that
// happens to one happens to the other.
func TestClonesAreApart(t *testing.T) {
	s := NewStrict()
	must(t, WriteFile(s, "/kept", []byte("one"), 0o600))
	f, err := s.Create("/unsynced", 0o600)
	must(t, err)
	f.Write([]byte("two"))
	clone := s.Clone()
	f.Write([]byte("+three"))
	must(t, f.Sync())
	must(t, s.SyncDir("/"))
	if got := content(t, clone, "/unsynced"); got != "two" {
		t.Errorf("the clone has %q", got)
	}
	again := clone.Clone()
	clone.Crash(0)
	if names, _ := clone.ReadDir("/"); !slices.Equal(names, []string{"kept"}) {
		t.Errorf("after its crash the clone has %q", names)
	}
	if got := content(t, again, "/unsynced"); got != "two" {
		t.Errorf("its own clone has %q", got)
	}
	if got := content(t, s, "/unsynced"); got != "two+three" {
		t.Errorf("the original has %q", got)
	}
}

// Before is told of every operation that Fail counts, and can look at the disk.
func TestBeforeSeesEveryOperation(t *testing.T) {
	s := NewStrict()
	var told []string
	var at []int
	disk := &Fail{FS: s}
	disk.Before = func(op, name string) {
		told = append(told, op)
		names, _ := s.ReadDir("/")
		at = append(at, len(names))
	}
	disk.Arm(0, false)
	must(t, WriteFile(disk, "/a", []byte("x"), 0o600))
	if want := []string{"create", "write", "sync", "close", "rename", "syncdir"}; !slices.Equal(told, want) || disk.Count() != len(want) {
		t.Errorf("told of %q, counted %d", told, disk.Count())
	}
	if at[0] != 0 || at[1] != 1 {
		t.Errorf("told after it was done: %v", at)
	}
}
