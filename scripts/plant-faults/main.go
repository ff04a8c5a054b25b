// Plant-faults makes the mistakes that package internal/faults lists, one at a
// time, and looks whether the test that each names fails then. The tree stays as it
// is: the compiler sees other contents for the files of a fault (go build -overlay).
//
//	go run ./scripts/plant-faults             all of them, for a quarter of an hour
//	go run ./scripts/plant-faults 8 18        those of some promises
//	go run ./scripts/plant-faults fetch       those whose test is in a package
//	go run ./scripts/plant-faults 'TLS 1.0'   that of a name
//
// It prints a table, and its exit code is not 0 when a test passes with its fault,
// fails without it, or an edit does not fit its file any more.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"postfach/internal/faults"
)

func main() {
	list := chosen(os.Args[1:])
	if len(list) == 0 {
		fmt.Fprintln(os.Stderr, "plant-faults: there are no such faults; the list is in internal/faults")
		os.Exit(2)
	}
	p, err := newPlanter()
	if err != nil {
		fmt.Fprintln(os.Stderr, "plant-faults:", err)
		os.Exit(1)
	}
	missed := p.all(list)
	os.RemoveAll(p.work)
	if missed > 0 {
		fmt.Printf("\n%d of %d faults were not noticed, or could not be planted\n", missed, len(list))
		os.Exit(1)
	}
	fmt.Printf("\n%d faults, all noticed\n", len(list))
}

// chosen are the faults that a word names, by promise, package or name, or all.
func chosen(words []string) []faults.Fault {
	return slices.DeleteFunc(faults.List(), func(f faults.Fault) bool {
		return len(words) > 0 && !slices.ContainsFunc(words, func(w string) bool {
			return w == strconv.Itoa(f.Promise) || w == f.Package || w == f.Name
		})
	})
}

// A planter plants faults in one module.
type planter struct {
	module string // its folder
	work   string // a folder for what the compiler sees instead
	sound  map[string]error
}

func newPlanter() (*planter, error) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return nil, fmt.Errorf("go list -m: %w", err)
	}
	work, err := os.MkdirTemp("", "plant-faults")
	return &planter{strings.TrimSpace(string(out)), work, map[string]error{}}, err
}

// all plants one fault after the other, and returns how many were not seen to be
// noticed.
func (p *planter) all(list []faults.Fault) (missed int) {
	for _, f := range list {
		begun := time.Now()
		outcome := "noticed"
		told, err := p.plant(f)
		if err != nil {
			missed++
			outcome, told = "FAILED", err.Error()
		}
		fmt.Printf("%2d  %-7s %4.0f s  %s (%s %s)\n%s", f.Promise, outcome, time.Since(begun).Seconds(), f.Name, f.Package, f.Test, indented(told))
	}
	return missed
}

// plant plants a fault, and returns what its test says of it.
func (p *planter) plant(f faults.Fault) (told string, err error) {
	overlay, err := p.overlay(f)
	if err != nil {
		return "", err
	}
	if err := p.passes(f); err != nil {
		return "", err
	}
	out, err := p.test(f, overlay)
	if err == nil {
		return "", fmt.Errorf("not noticed: the test passes with the fault")
	}
	top, _, _ := strings.Cut(f.Test, "/")
	if !strings.Contains(out, "--- FAIL: "+top+" ") {
		return "", fmt.Errorf("the test did not run to its end:\n%s", out)
	}
	return firstComplaint(out), nil
}

// passes reports whether a test passes without its fault: nil.
func (p *planter) passes(f faults.Fault) error {
	key := f.Package + " " + f.Test
	err, known := p.sound[key]
	if !known {
		var out string
		out, err = p.test(f, "")
		top, _, _ := strings.Cut(f.Test, "/")
		switch {
		case err != nil:
			err = fmt.Errorf("the test does not pass without the fault: %w\n%s", err, out)
		case !strings.Contains(out, "--- PASS: "+top+" "):
			err = fmt.Errorf("the test was skipped, or there is none\n%s", out)
		}
		p.sound[key] = err
	}
	return err
}

// overlay writes the files of a fault, and the list of them that go build takes.
func (p *planter) overlay(f faults.Fault) (name string, err error) {
	files, err := f.Plant(p.module)
	if err != nil {
		return "", err
	}
	replace := map[string]string{}
	for file, text := range files {
		instead := filepath.Join(p.work, strings.ReplaceAll(file, "/", "_"))
		if err := os.WriteFile(instead, []byte(text), 0o600); err != nil {
			return "", err
		}
		replace[filepath.Join(p.module, filepath.FromSlash(file))] = instead
	}
	list, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	name = filepath.Join(p.work, "overlay.json")
	return name, os.WriteFile(name, list, 0o600)
}

// test runs the test of a fault. The overlay is in GOFLAGS, so that a test that
// builds a program builds it with the fault.
func (p *planter) test(f faults.Fault, overlay string) (out string, err error) {
	names := strings.Split(f.Test, "/")
	for i, n := range names {
		names[i] = "^" + regexp.QuoteMeta(n) + "$"
	}
	cmd := exec.Command("go", "test", "-vet=off", "-count=1", "-v", "-timeout=10m", "-run", strings.Join(names, "/"), "./"+f.Package)
	cmd.Dir = p.module
	if overlay != "" {
		cmd.Env = append(os.Environ(), "GOFLAGS="+strings.TrimSpace(os.Getenv("GOFLAGS")+" -overlay="+overlay))
	}
	octets, err := cmd.CombinedOutput()
	return string(octets), err
}

// complaint is a line that a test has printed about itself.
var complaint = regexp.MustCompile(`(?m)^\s+\w+\.go:\d+: (.*)$`)

func firstComplaint(out string) string {
	for _, m := range complaint.FindAllStringSubmatch(out, -1) {
		if m[1] != "stdout:" {
			return m[1]
		}
	}
	return ""
}

func indented(text string) string {
	const most = 2000
	var b strings.Builder
	for line := range strings.Lines(text[:min(len(text), most)]) {
		b.WriteString("      " + strings.TrimRight(line[:min(len(line), 200)], "\n") + "\n")
	}
	return b.String()
}
