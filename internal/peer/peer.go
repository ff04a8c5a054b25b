// Package peer starts other people's POP3 programs for tests: on free loopback
// ports, with a configuration of their own in a temporary folder, and ended by
// their process id when the test ends.
package peer

import (
	"os"
	"os/exec"
	"testing"
)

// Need returns the path of a program, or skips the test when it is not there.
// With POSTFACH_TEST=all such a skip is a failure.
func Need(t testing.TB, program string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		// Servers are not in everybody's path.
		for _, dir := range []string{"/usr/sbin/", "/usr/local/sbin/"} {
			if path, err = exec.LookPath(dir + program); err == nil {
				break
			}
		}
	}
	if err != nil {
		Missing(t, "%s is not installed", program)
	}
	return path
}

// Missing skips the test for want of something, or fails it with
// POSTFACH_TEST=all.
func Missing(t testing.TB, format string, args ...any) {
	t.Helper()
	if All() {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}

// All reports whether every peer must be there.
func All() bool { return os.Getenv("POSTFACH_TEST") == "all" }
