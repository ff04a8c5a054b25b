package main

import (
	"context"
	"os"
	"runtime"
	"strconv"
	"strings"
)

// A machine is what figures depend on, and nothing that tells whose it is.
type machine struct {
	CPU        string `json:"cpu"`
	Cores      int    `json:"cores"`
	MemoryGB   int    `json:"memory_gb"`
	Kernel     string `json:"kernel"`
	System     string `json:"system"`
	FileSystem string `json:"file_system"` // of the scratch folder
	Go         string `json:"go"`
}

func readMachine(ctx context.Context, dir string) machine {
	m := machine{CPU: runtime.GOARCH, Cores: runtime.NumCPU(), Kernel: "unknown", System: "unknown", Go: runtime.Version()}
	if model := lineOf("/proc/cpuinfo", "model name"); model != "" {
		m.CPU = model
	}
	if kib, err := strconv.Atoi(strings.TrimSuffix(lineOf("/proc/meminfo", "MemTotal"), " kB")); err == nil {
		m.MemoryGB = (kib + 1<<19) >> 20
	}
	if text, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		m.Kernel, _, _ = strings.Cut(strings.TrimSpace(string(text)), "-") // what follows may be anybody's name
		m.Kernel = "Linux " + m.Kernel
	}
	if text, err := os.ReadFile("/etc/debian_version"); err == nil {
		m.System = "Debian " + strings.TrimSpace(string(text))
	}
	if kind, err := output(ctx, "stat", "-f", "-c", "%T", dir); err == nil {
		m.FileSystem = strings.Replace(strings.TrimSpace(kind), "ext2/ext3", "ext4", 1) // they have one number
	}
	return m
}

// lineOf returns what stands behind the colon in the first line that begins so.
func lineOf(file, name string) string {
	text, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(text)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
