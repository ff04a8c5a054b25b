package checkreport

import (
	"encoding/json"
	"io"
	"time"

	"postfach/pop3check"
)

// A Row is a result in JSON. Scripts rely on its names.
type Row struct {
	ID      string   `json:"id"`
	Level   string   `json:"level"`
	Role    string   `json:"role"`
	Section string   `json:"section"`
	Rule    string   `json:"rule"`
	Status  string   `json:"status"` // pass, fail, skip
	Want    string   `json:"want"`
	Got     string   `json:"got"`
	Trace   []string `json:"trace"`
}

// RowOf is a result as JSON shows it.
func RowOf(r pop3check.Result) Row {
	row := Row{
		ID: r.ID, Level: r.Level, Role: r.Role, Section: r.Source, Rule: r.Rule,
		Status: string(r.Status), Want: r.Want, Got: r.Got, Trace: r.Trace,
	}
	if row.Trace == nil {
		row.Trace = []string{}
	}
	return row
}

// Rows is RowOf for many.
func Rows(results []pop3check.Result) []Row {
	rows := make([]Row, 0, len(results))
	for _, r := range results {
		rows = append(rows, RowOf(r))
	}
	return rows
}

// JSON writes a report as one object.
func JSON(w io.Writer, h Header, results []pop3check.Result) error {
	c := CountOf(results, h.Strict)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(struct {
		Subject  string    `json:"subject"`
		Time     time.Time `json:"time"`
		Verdict  string    `json:"verdict"`
		Passed   int       `json:"passed"`
		Failed   int       `json:"failed"`
		Skipped  int       `json:"skipped"`
		Findings int       `json:"findings"`
		Results  []Row     `json:"results"`
	}{h.Subject, h.Time, c.Verdict(), c.Passed, c.Failed, c.Skipped, c.Findings, Rows(results)})
}
