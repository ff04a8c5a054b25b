package archtest

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"postfach/internal/faults"
)

// promises is how many docs/SECURITY.md makes.
const promises = 22

// A proof is a test that docs/SECURITY.md names.
type proof struct{ pkg, test string }

// Every promise names its tests, which there are, and every fault that can be
// planted breaks one of them, at a place that there still is. That the tests fail
// is for scripts/plant-faults to see, which takes its time.
func TestPromisesNameTheirTests(t *testing.T) {
	proofs := proofs(t)
	for n := 1; n <= promises; n++ {
		if len(proofs[n]) == 0 {
			t.Errorf("promise %d names no test", n)
		}
		for _, p := range proofs[n] {
			if !hasTest(t, p) {
				t.Errorf("promise %d: there is no %s in %s", n, p.test, p.pkg)
			}
		}
	}
	if len(proofs) != promises {
		t.Errorf("tests for %d promises", len(proofs))
	}

	planted := map[int]bool{}
	for _, f := range faults.List() {
		planted[f.Promise] = true
		if _, err := f.Plant("../.."); err != nil {
			t.Error(err)
		}
		test, _, _ := strings.Cut(f.Test, "/")
		if !slices.Contains(proofs[f.Promise], proof{f.Package, test}) {
			t.Errorf("promise %d, %s: docs/SECURITY.md does not name %s in %s", f.Promise, f.Name, test, f.Package)
		}
	}
	for n := 1; n <= promises; n++ {
		if !planted[n] {
			t.Errorf("no fault breaks promise %d", n)
		}
	}
}

var (
	proofRow = regexp.MustCompile(`(?m)^\| (\d+) \| [^|]+\| ([^|]+)\| [^|]+\|$`)
	code     = regexp.MustCompile("`([^`]+)`")
	testName = regexp.MustCompile(`^(Test|Fuzz)\w+$`)
)

// proofs reads the table: the names of packages and of tests in them, in code.
func proofs(t *testing.T) map[int][]proof {
	t.Helper()
	octets, err := os.ReadFile("../../docs/SECURITY.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, found := strings.Cut(string(octets), "### Promise and test\n")
	if !found {
		t.Fatal("docs/SECURITY.md has no table of promises and tests")
	}
	table, _, _ = strings.Cut(table, "\n## ")
	all := map[int][]proof{}
	for _, row := range proofRow.FindAllStringSubmatch(table, -1) {
		n, err := strconv.Atoi(row[1])
		if err != nil || all[n] != nil {
			t.Fatalf("row %s: %v", row[1], err)
		}
		pkg := ""
		for _, word := range code.FindAllStringSubmatch(row[2], -1) {
			if !testName.MatchString(word[1]) {
				pkg = word[1]
				continue
			}
			all[n] = append(all[n], proof{pkg, word[1]})
		}
	}
	return all
}

// hasTest reports whether there is such a test.
func hasTest(t *testing.T, p proof) bool {
	t.Helper()
	names, err := filepath.Glob(filepath.Join("..", "..", filepath.FromSlash(p.pkg), "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(names, func(name string) bool {
		octets, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Contains(string(octets), "\nfunc "+p.test+"(")
	})
}
