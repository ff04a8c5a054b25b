package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"postfach/pop3check"
)

// A listedRule is a rule, from the side of the server or of the client.
type listedRule struct {
	ID      string `json:"id"`
	Side    string `json:"side"` // server, client
	Level   string `json:"level"`
	Section string `json:"section"`
	Rule    string `json:"rule"`
	Needs   string `json:"needs"`       // of a check of a server
	Why     string `json:"not-checked"` // "": it is checked
}

// list shows the rules that are checked, and why others are not.
func (c *checkCmd) list() error {
	rules, unknown := listRules(c.IDs)
	if len(unknown) > 0 {
		return c.unknownIDs(unknown)
	}
	if c.JSON {
		enc := json.NewEncoder(os.Stdout)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		return enc.Encode(rules)
	}
	printRules(os.Stdout, rules)
	return nil
}

func printRules(w io.Writer, rules []listedRule) {
	for _, r := range rules {
		text := r.Rule
		switch {
		case r.Why != "":
			text = "not checked: " + r.Why
		case r.Needs != "":
			text += " [needs " + r.Needs + "]"
		}
		fmt.Fprintf(w, "%-12s  %s  %-8s  %s\n", r.ID, r.Side, r.Level, text)
	}
}

// listRules returns the rules that ids select, in the catalogue's order, and the
// ids that select none.
func listRules(ids []string) (rules []listedRule, unknown []string) {
	needs := make(map[string]pop3check.Needs)
	for _, check := range pop3check.Checks() {
		needs[check.ID] = check.Needs
	}
	clients := make(map[string]bool)
	for _, check := range pop3check.ClientChecks() {
		clients[check.ID] = true
	}
	servers, others := pop3check.Unchecked(), pop3check.ClientUnchecked()
	found := make(map[string]bool)
	for _, r := range pop3check.Requirements() {
		selected := len(ids) == 0
		for _, id := range ids {
			if strings.EqualFold(id, r.ID) || strings.EqualFold(id, r.Area()) {
				selected, found[id] = true, true
			}
		}
		if !selected {
			continue
		}
		row := listedRule{ID: r.ID, Level: r.Level, Section: r.Source, Rule: r.Rule}
		if n, ok := needs[r.ID]; ok || servers[r.ID] != "" {
			row.Side, row.Needs, row.Why = "server", n.String(), servers[r.ID]
			rules = append(rules, row)
		}
		if clients[r.ID] || others[r.ID] != "" {
			row.Side, row.Needs, row.Why = "client", "", others[r.ID]
			rules = append(rules, row)
		}
	}
	return rules, slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return found[id] })
}
