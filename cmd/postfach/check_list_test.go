package main

import (
	"bytes"
	"strings"
	"testing"
)

func TestListNamesEachRuleAndWhyItIsNotChecked(t *testing.T) {
	t.Parallel()
	rules, unknown := listRules([]string{"p3-top-03", "P3-GRT", "P3-NONE"})
	if len(unknown) != 1 || unknown[0] != "P3-NONE" {
		t.Errorf("unknown: %q", unknown)
	}
	var b bytes.Buffer
	printRules(&b, rules)
	for _, want := range []string{"P3-TOP-03     server  MUST", "P3-GRT-15     client", "P3-GRT-13     server  PRACTICE  not checked: "} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
	all, _ := listRules(nil)
	if len(all) < 359 {
		t.Errorf("%d rows, and the catalogue has 359 rules", len(all))
	}
}
