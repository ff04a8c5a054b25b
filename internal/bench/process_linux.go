package bench

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of times in /proc/PID/stat: USER_HZ is 100 on all of Linux's usual
// machines.
const tick = 10 * time.Millisecond

// A process is a line of /proc/PID/stat, in part.
type process struct {
	pid, parent int
	cpu         time.Duration // its own, and that of children it has waited for
}

// ReadUsage reads what the process and its descendants have used. What a process used
// is its parent's once it has been waited for; so it reads until no process came or went
// meanwhile, or gives up on that.
func ReadUsage(pid int) (u Usage, err error) {
	var before []process
	for range 5 {
		tree, err := processTree(pid)
		if err != nil {
			return u, err
		}
		u = Usage{Processes: len(tree)}
		for _, p := range tree {
			u.CPU += p.cpu
		}
		if slices.EqualFunc(before, tree, func(a, b process) bool { return a.pid == b.pid }) {
			break
		}
		before = tree
	}
	return u, nil
}

// ReadMemory reads what the process and its descendants hold. One that ends meanwhile
// holds nothing.
func ReadMemory(pid int) (m Memory, err error) {
	tree, err := processTree(pid)
	if err != nil {
		return m, err
	}
	m.Method = "pss"
	for _, p := range tree {
		if octets, ok := pss(p.pid); ok {
			m.Octets += octets
		} else if octets, ok := rss(p.pid); ok {
			m.Octets += octets
			m.Method = "rss"
		}
	}
	return m, nil
}

// processTree returns the process and its descendants.
func processTree(root int) ([]process, error) {
	first, ok := readProcess(root)
	if !ok {
		return nil, fmt.Errorf("process %d: %w", root, os.ErrNotExist)
	}
	names, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return nil, err
	}
	children := make(map[int][]process)
	for _, name := range names {
		pid, _ := strconv.Atoi(filepath.Base(name))
		if p, ok := readProcess(pid); ok {
			children[p.parent] = append(children[p.parent], p)
		}
	}
	tree := []process{first}
	for i := 0; i < len(tree); i++ {
		tree = append(tree, children[tree[i].pid]...)
	}
	return tree, nil
}

// readProcess reads /proc/PID/stat. The name, in brackets, may hold anything.
func readProcess(pid int) (p process, ok bool) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return p, false
	}
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	const parent, utime, cstime = 1, 11, 14
	if len(fields) <= cstime {
		return p, false
	}
	p.pid = pid
	p.parent, _ = strconv.Atoi(fields[parent])
	for _, f := range fields[utime : cstime+1] {
		n, _ := strconv.ParseInt(f, 10, 64)
		p.cpu += time.Duration(n) * tick
	}
	return p, true
}

func pss(pid int) (octets int64, ok bool) {
	f, err := os.Open(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return 0, false
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		if rest, found := strings.CutPrefix(s.Text(), "Pss:"); found {
			kib, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(rest, "kB")), 10, 64)
			return kib << 10, err == nil
		}
	}
	return 0, false
}

func rss(pid int) (octets int64, ok bool) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	fields := strings.Fields(string(text))
	if err != nil || len(fields) < 2 {
		return 0, false
	}
	pages, err := strconv.ParseInt(fields[1], 10, 64)
	return pages * int64(os.Getpagesize()), err == nil
}
