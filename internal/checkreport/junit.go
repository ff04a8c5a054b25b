package checkreport

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"postfach/pop3check"
)

type junitSuites struct {
	XMLName  xml.Name      `xml:"testsuites"`
	Name     string        `xml:"name,attr"`
	Tests    int           `xml:"tests,attr"`
	Failures int           `xml:"failures,attr"`
	Skipped  int           `xml:"skipped,attr"`
	Suites   []*junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	XMLName   xml.Name `xml:"testsuite"`
	Name      string   `xml:"name,attr"`
	Timestamp string   `xml:"timestamp,attr"`
	Tests     int      `xml:"tests,attr"`
	Failures  int      `xml:"failures,attr"`
	Skipped   int      `xml:"skipped,attr"`
	Cases     []junitCase
}

type junitCase struct {
	XMLName xml.Name      `xml:"testcase"`
	Class   string        `xml:"classname,attr"`
	Name    string        `xml:"name,attr"`
	Failure *junitFailure `xml:"failure,omitempty"`
	Skipped *junitSkipped `xml:"skipped,omitempty"`
	Out     string        `xml:"system-out,omitempty"`
}

type junitFailure struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr"`
	Text    string `xml:",chardata"`
}

type junitSkipped struct {
	Message string `xml:"message,attr"`
}

// JUnit writes a report as JUnit XML: a suite an area, a case a rule. A check
// that failed and is no finding counts as skipped, as CI systems know nothing
// between.
func JUnit(w io.Writer, h Header, results []pop3check.Result) error {
	all := junitSuites{Name: legal(h.Subject)}
	suites := make(map[string]*junitSuite)
	for _, r := range results {
		area := r.Requirement.Area()
		s := suites[area]
		if s == nil {
			s = &junitSuite{Name: area, Timestamp: h.Time.UTC().Format(time.RFC3339)}
			suites[area] = s
			all.Suites = append(all.Suites, s)
		}
		c := junitCase{Class: area, Name: r.ID, Out: legal(strings.Join(r.Trace, "\n"))}
		message := legal(fmt.Sprintf("want %s; got %s", r.Want, r.Got))
		switch {
		case r.Finding(h.Strict):
			c.Failure = &junitFailure{Message: message, Type: r.Level, Text: legal(r.Rule + "\n(" + r.Source + ")\n" + message)}
			s.Failures++
			all.Failures++
		case r.Status == pop3check.Fail:
			c.Skipped = &junitSkipped{Message: r.Level + ": " + message}
			s.Skipped++
			all.Skipped++
		case r.Status == pop3check.Skip:
			c.Skipped = &junitSkipped{Message: legal(r.Got)}
			s.Skipped++
			all.Skipped++
		}
		s.Tests++
		all.Tests++
		s.Cases = append(s.Cases, c)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", "  ")
	if err := enc.Encode(all); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

// legal replaces what XML cannot hold.
func legal(s string) string {
	return strings.Map(func(r rune) rune {
		if r == utf8.RuneError || r < ' ' && r != '\n' && r != '\t' || r == 0xfffe || r == 0xffff {
			return '?'
		}
		return r
	}, s)
}
