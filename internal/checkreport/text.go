package checkreport

import (
	"fmt"
	"io"
	"strings"

	"postfach/pop3check"
)

// width is for people with a terminal of 80 columns.
const width = 79

// Line writes one result as it comes: a line, and below it what a failure
// needs to be understood.
func Line(w io.Writer, r pop3check.Result) {
	head := fmt.Sprintf("%-4s  %-12s %-8s  ", r.Status, r.ID, r.Level)
	fmt.Fprintln(w, head+shorten(r.Rule, width-len(head)))
	switch r.Status {
	case pop3check.Skip, pop3check.Pass:
		if r.Got != "" {
			fmt.Fprintf(w, "      %s\n", r.Got)
		}
	case pop3check.Fail:
		for _, l := range wrap(r.Rule, width-6) {
			fmt.Fprintf(w, "      %s\n", l)
		}
		fmt.Fprintf(w, "      (%s)\n      want  %s\n      got   %s\n", r.Source, r.Want, r.Got)
		for _, t := range r.Trace {
			fmt.Fprintf(w, "        %s\n", t)
		}
	}
}

// Summary writes the end of a report: what was skipped and why, and the
// verdict.
func Summary(w io.Writer, h Header, results []pop3check.Result) {
	fmt.Fprintln(w)
	for _, s := range reasons(results) {
		fmt.Fprintf(w, "not checked: %s\n", s.Why)
		for _, l := range wrap(strings.Join(s.IDs, " "), width-13) {
			fmt.Fprintf(w, "             %s\n", l)
		}
	}
	for _, r := range results {
		if r.Finding(h.Strict) {
			fmt.Fprintf(w, "finding:     %s: want %s; got %s\n", r.ID, r.Want, r.Got)
		}
	}
	fmt.Fprintf(w, "%s: %s\n", h.Subject, CountOf(results, h.Strict).Verdict())
}

// Text writes a whole report.
func Text(w io.Writer, h Header, results []pop3check.Result) {
	for _, r := range results {
		Line(w, r)
	}
	Summary(w, h, results)
}

func shorten(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:max(0, n-3)]) + "..."
	}
	return s
}

// wrap breaks text between words.
func wrap(text string, n int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && len(line)+1+len(word) > n {
			lines, line = append(lines, line), ""
		}
		line = strings.TrimPrefix(line+" "+word, " ")
	}
	return append(lines, line)
}

func plural(n int, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, more)
}
