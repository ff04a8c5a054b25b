package main

import (
	"math"
	"os"
	"path/filepath"
	"testing"
)

func TestMemoryLimitIsThatOfTheCgroupOrOneAbove(t *testing.T) {
	root := t.TempDir()
	for group, limit := range map[string]string{
		"":                               "",
		"system.slice":                   "3000\n",
		"system.slice/postfachd.service": "max\n",
		"small.slice":                    "2000\n",
		"small.slice/large":              "9000\n",
		"odd":                            "nonsense\n",
	} {
		must(t, os.MkdirAll(filepath.Join(root, group), 0o755))
		if limit != "" {
			writeOpen(t, filepath.Join(root, group, "memory.max"), []byte(limit))
		}
	}
	for own, want := range map[string]int64{
		"0::/system.slice/postfachd.service\n":                                3000,
		"12:memory:/small.slice\n0::/system.slice/postfachd.service/deeper\n": 3000,
		"0::/small.slice/large\n":                                             2000,
		"0::/odd\n":                                                           math.MaxInt64,
		"0::/\n":                                                              math.MaxInt64,
		"":                                                                    math.MaxInt64,
		"5:memory:/small.slice\n":                                             math.MaxInt64, // version 1
	} {
		if got := memoryLimit(root, own); got != want {
			t.Errorf("%q: %d, want %d", own, got, want)
		}
	}
}
