package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"postfach/internal/peer"
)

// units are what is installed: the service as it is, and with the part for those
// who let systemd open the ports.
func units(t *testing.T) map[string]string {
	t.Helper()
	read := func(name string) string {
		text, err := os.ReadFile(filepath.Join("..", "..", "packaging", name))
		must(t, err)
		return string(text)
	}
	return map[string]string{
		"alone":       read("postfachd.service"),
		"with socket": read("postfachd.service") + read("drop-in/socket.conf"),
	}
}

func TestInstalledUnitIsHardened(t *testing.T) {
	for name, unit := range units(t) {
		for _, want := range []string{
			"Type=notify", "NoNewPrivileges=true", "ProtectSystem=strict", "User=postfach", "MemoryDenyWriteExecute=true", "UMask=0077",
			"CapabilityBoundingSet=CAP_NET_BIND_SERVICE",
		} {
			if !strings.Contains(unit, "\n"+want+"\n") {
				t.Errorf("%s: %s is missing", name, want)
			}
		}
		// Without these calls the server could not give anything up.
		for _, call := range []string{"landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self", "capset", "seccomp"} {
			if !regexp.MustCompile(`\nSystemCallFilter=.*\b` + call + `\b`).MatchString(unit) {
				t.Errorf("%s: %s is not allowed", name, call)
			}
		}
	}
	if unit := units(t)["with socket"]; !strings.Contains(unit, "\nCapabilityBoundingSet=\n") || !strings.Contains(unit, "\nAmbientCapabilities=\n") {
		t.Error("with a socket unit there is still a capability")
	}
}

// Promise 19: systemd's own measure of exposure stays below 2.0.
func TestUnitIsConfinedEnough(t *testing.T) {
	analyze := peer.Need(t, "systemd-analyze")
	for name, unit := range units(t) {
		file := filepath.Join(t.TempDir(), "postfachd.service")
		must(t, os.WriteFile(file, []byte(unit), 0o600))
		out, err := exec.Command(analyze, "security", "--offline=yes", "--no-pager", file).CombinedOutput()
		must(t, err)
		level := regexp.MustCompile(`Overall exposure level for postfachd\.service: ([0-9.]+)`).FindSubmatch(out)
		if level == nil {
			t.Fatalf("%s: no exposure level in\n%s", name, out)
		}
		if exposure, err := strconv.ParseFloat(string(level[1]), 64); err != nil || exposure >= 2 {
			t.Errorf("%s: exposure %s\n%s", name, level[1], out)
		}
	}
}

// systemd understands each line.
func TestUnitsAreUnderstood(t *testing.T) {
	analyze := peer.Need(t, "systemd-analyze")
	dir := t.TempDir()
	socket, err := os.ReadFile(filepath.Join("..", "..", "packaging", "postfachd.socket"))
	must(t, err)
	must(t, os.WriteFile(filepath.Join(dir, "postfachd.socket"), socket, 0o600))
	for name, unit := range units(t) {
		file := filepath.Join(dir, "postfachd.service")
		// What it starts is not installed here.
		must(t, os.WriteFile(file, []byte(strings.ReplaceAll(unit, "/usr/bin/postfachd", "/bin/true")), 0o600))
		out, _ := exec.Command(analyze, "verify", "--man=no", file, filepath.Join(dir, "postfachd.socket")).CombinedOutput()
		for line := range strings.Lines(string(out)) {
			if strings.Contains(line, dir) || strings.Contains(line, "postfachd") { // others are the machine's
				t.Errorf("%s: %s", name, line)
			}
		}
	}
}
