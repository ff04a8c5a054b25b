package pop3check

import (
	"os"
	"strings"
	"testing"
)

// Each cause says what happened and what to do, and docs/check.md lists it.
func TestCausesAreDocumented(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile("../docs/check.md")
	if err != nil {
		t.Fatal(err)
	}
	all := causes()
	for id, c := range all {
		if c.says == "" || id != "interrupted" && (c.do == "" || c.whose == Nobodys) {
			t.Errorf("%s: %+v", id, c)
		}
		if !strings.Contains(string(doc), "| `"+id+"` | "+c.says+" |") {
			t.Errorf("docs/check.md does not have %s: %s", id, c.says)
		}
	}
	for _, p := range phrases() {
		if _, ok := all[p.cause]; !ok || p.words != strings.ToLower(p.words) {
			t.Errorf("%q: %s", p.words, p.cause)
		}
	}
	for _, p := range providers() {
		if p.hosts != strings.ToLower(p.hosts) || p.says == "" {
			t.Errorf("%+v", p)
		}
	}
}

// Findings have a sentence, wherever their rule is from.
func TestFindingsHaveRules(t *testing.T) {
	t.Parallel()
	ids := []string{"P3-TLS-06", "P3-STAT-05", "P3-MSG-01", "P3-MSG-05", "P3-UIDL-01", "P3-UIDL-03", "P3-UIDL-04", "P3-UIDL-08", "P3-TOP-03", "P3-TOP-07", "P3-PIPE-01"}
	for id := range wanted() {
		ids = append(ids, id)
	}
	for _, id := range ids {
		if r := requirement(id); r.Rule == "" || r.Level == "" {
			t.Errorf("%+v", r)
		}
	}
}
