package pop3check

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Each line of the catalogue is a rule with an id of its own.
func TestRequirementsAreRead(t *testing.T) {
	t.Parallel()
	all := Requirements()
	if lines := strings.Count(strings.TrimSpace(catalogue), "\n"); len(all) != lines {
		t.Errorf("%d rules in %d lines", len(all), lines)
	}
	id := regexp.MustCompile(`^P3-[A-Z0-9]+-[0-9]{2}$`)
	seen := make(map[string]bool)
	for _, r := range all {
		if !id.MatchString(r.ID) || seen[r.ID] {
			t.Errorf("%q is no id, or there twice", r.ID)
		}
		seen[r.ID] = true
		if r.Rule == "" || r.Source == "" || !regexp.MustCompile(`^(server|client|both|op)\b`).MatchString(r.Role) {
			t.Errorf("%s: rule %q, source %q, role %q", r.ID, r.Rule, r.Source, r.Role)
		}
		if !slices.ContainsFunc([]string{"MUST", "SHOULD", "MAY", "PRACTICE"}, func(level string) bool { return strings.HasPrefix(r.Level, level) }) {
			t.Errorf("%s has the level %q", r.ID, r.Level)
		}
	}
}

// Each rule that concerns a server or its operator is a check, or there is a
// reason why not; never both, and nothing else is.
func TestEachServerRuleIsACheckOrHasAReason(t *testing.T) {
	t.Parallel()
	checks := make(map[string]bool)
	for _, area := range areas() {
		for _, r := range area {
			if checks[r.id] {
				t.Errorf("two checks have the id %s", r.id)
			}
			checks[r.id] = true
		}
	}
	reasons := Unchecked()
	for _, r := range Requirements() {
		checked, reason := checks[r.ID], reasons[r.ID]
		forServers := !strings.HasPrefix(r.Role, "client")
		switch {
		case checked && reason != "":
			t.Errorf("%s is a check, and has a reason why not: %s", r.ID, reason)
		case forServers && !checked && reason == "":
			t.Errorf("%s is neither a check nor has it a reason", r.ID)
		case !forServers && (checked || reason != ""):
			t.Errorf("%s is a rule for clients only", r.ID)
		}
		delete(checks, r.ID)
		delete(reasons, r.ID)
	}
	for id := range checks {
		t.Errorf("the check %s is no rule of the catalogue", id)
	}
	for id := range reasons {
		t.Errorf("%s has a reason and is no rule of the catalogue", id)
	}
}

// Reasons are parts of a sentence: they stand in tables and behind colons.
func TestReasonsAreOfOneForm(t *testing.T) {
	t.Parallel()
	for id, reason := range Unchecked() {
		if strings.TrimSpace(reason) != reason || len(reason) < 10 || strings.HasSuffix(reason, ".") {
			t.Errorf("%s: %q", id, reason)
		}
	}
}
