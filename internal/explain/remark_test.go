package explain

import "testing"

func TestCutRemark(t *testing.T) {
	for line, want := range map[string][2]string{
		"STAT How many are there?":    {"STAT", "How many are there?"},
		"RETR 1 The client asks":      {"RETR 1", "The client asks"},
		"TOP 1 0 The header only":     {"TOP 1 0", "The header only"},
		"UIDL All of them":            {"UIDL", "All of them"},
		"USER ben The client says so": {"USER ben", "The client says so"},
		"STAT now":                    {}, // a slip
		"stat of the world":           {}, // prose
		"RETR the first one":          {},
		"TOP 1 of the list":           {},
		"PASS a b c d":                {}, // a password
		"APOP ben a b c d":            {},
		"AUTH PLAIN a b c d":          {},
		"NOSUCH command that is here": {},
		"QUIT":                        {},
		"":                            {},
	} {
		command, remark, ok := CutRemark(line)
		if got := [2]string{command, remark}; got != want || ok != (want[0] != "") {
			t.Errorf("%q: %q, %t", line, got, ok)
		}
	}
}
