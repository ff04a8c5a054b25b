// Package checkreport writes what pop3check found: as text while it comes, as
// JSON, as JUnit XML, and as one HTML page that can be attached to a bug report.
package checkreport

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"postfach/pop3check"
)

// A Header says what was judged.
type Header struct {
	Subject string    // host:port and how it was reached, or the client's name
	Time    time.Time // when
	Strict  bool      // rules that do not bind count as findings, too
}

// A Count is how many results there are of each kind. Findings are among Failed.
type Count struct {
	Passed, Failed, Skipped, Findings int
}

// CountOf counts results.
func CountOf(results []pop3check.Result, strict bool) Count {
	var c Count
	for _, r := range results {
		switch r.Status {
		case pop3check.Pass:
			c.Passed++
		case pop3check.Skip:
			c.Skipped++
		default:
			c.Failed++
		}
		if r.Finding(strict) {
			c.Findings++
		}
	}
	return c
}

// Verdict is the count in one line. Findings are broken MUST and SHOULD rules;
// what else failed is good practice, unless strict made it a finding, too.
func (c Count) Verdict() string {
	passed := fmt.Sprintf("%s passed, %d not made", plural(c.Passed, "check", "checks"), c.Skipped)
	practice := ""
	if n := c.Failed - c.Findings; n > 0 {
		practice = plural(n, "departure", "departures") + " from good practice; "
	}
	switch {
	case c.Findings > 0 && practice == "":
		return plural(c.Findings, "finding", "findings") + "; " + passed
	case c.Findings > 0:
		return plural(c.Findings, "finding", "findings") + " (MUST, SHOULD), " + practice + passed
	case c.Failed > 0:
		return "no findings (MUST, SHOULD), " + practice + passed
	case c.Passed == 0:
		return plural(c.Skipped, "check", "checks") + " not made, none passed"
	}
	return "nothing wrong found; " + passed
}

// A reason is why checks were skipped, and which.
type reason struct {
	Why string
	IDs []string
}

// reasons groups the skipped by their reason, the most frequent first.
func reasons(results []pop3check.Result) []reason {
	var all []reason
	for _, r := range results {
		if r.Status != pop3check.Skip {
			continue
		}
		i := slices.IndexFunc(all, func(s reason) bool { return s.Why == r.Got })
		if i < 0 {
			i = len(all)
			all = append(all, reason{Why: r.Got})
		}
		all[i].IDs = append(all[i].IDs, r.ID)
	}
	slices.SortStableFunc(all, func(a, b reason) int { return cmp.Compare(len(b.IDs), len(a.IDs)) })
	return all
}
