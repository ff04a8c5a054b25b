package checkreport

import (
	_ "embed"
	"html/template"
	"io"

	"postfach/pop3check"
)

//go:embed report.html
var page string

// HTML writes a report as one page: no script, nothing loaded from elsewhere.
func HTML(w io.Writer, h Header, results []pop3check.Result) error {
	t, err := template.New("report").Parse(page)
	if err != nil {
		return err
	}
	return t.Execute(w, struct {
		Header
		Count   Count
		Results []pop3check.Result
	}{h, CountOf(results, h.Strict), results})
}
