package tui

import (
	"context"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"postfach/pop3check"
)

// diagnose asks what is wrong with the connection, without a login.
func (a *app) diagnose() tea.Cmd {
	e := a.e
	return a.start("checking the connection", func(ctx context.Context, _ *job) then {
		d, err := e.Diagnose(ctx)
		return func(a *app) tea.Cmd {
			if err != nil {
				a.fail(stopped(err))
				return nil
			}
			return a.push(newTextPage("connection", func(t *theme, w int) []row { return diagnosis(t, d, w) }))
		}
	})
}

// diagnosis is the answer: the verdict, what to do, then the details.
func diagnosis(t *theme, d *pop3check.Diagnosis, w int) []row {
	l := good
	if !d.OK {
		l = warning
	}
	rows := t.paragraph(nil, l, line(d.Verdict), w)
	rows = append(rows, named(t, "whose fault", line(string(d.Whose)), w)...)
	for _, advice := range d.Advice {
		rows = append(rows, t.paragraph(row{{" -> ", accent}}, plain, line(advice), w)...)
	}
	rows = append(rows, tried(t, d, w)...)
	if d.Used != nil {
		rows = append(rows, phases(t, d.Used, w)...)
	}
	rows = append(rows, findings(t, d, w)...)
	if d.OK || len(d.Exchange) == 0 {
		return rows
	}
	rows = append(rows, nil, text(strong, "What was said"))
	for _, said := range d.Exchange {
		rows = append(rows, t.paragraph(row{{"  ", plain}}, plain, line(said), w)...)
	}
	return rows
}

func tried(t *theme, d *pop3check.Diagnosis, w int) []row {
	var rows []row
	if len(d.Lookups) > 0 {
		rows = append(rows, nil, text(strong, "Names asked for"))
	}
	for _, l := range d.Lookups {
		rows = append(rows, t.paragraph(row{{"  ", plain}}, plain, line(l.What)+": "+line(l.Outcome), w)...)
	}
	if len(d.Candidates) > 0 {
		rows = append(rows, nil, text(strong, "Servers tried"))
	}
	for _, c := range d.Candidates {
		rows = append(rows, t.paragraph(row{{"  ", plain}}, plain, line(c.Addr()+", "+c.How()+": "+c.Outcome), w)...)
		if c.TLS != nil {
			for _, problem := range c.TLS.Problems {
				rows = append(rows, t.paragraph(row{{"    ! ", warning}}, warning, line(problem), w)...)
			}
		}
	}
	return rows
}

func phases(t *theme, c *pop3check.Candidate, w int) []row {
	if len(c.Phases) == 0 {
		return nil
	}
	var all []string
	for _, p := range c.Phases {
		all = append(all, p.Name+" "+p.Time.Round(100*time.Microsecond).String())
	}
	rows := []row{nil, text(strong, "Times")}
	return append(rows, t.paragraph(row{{"  ", plain}}, plain, line(strings.Join(all, ", ")), w)...)
}

func findings(t *theme, d *pop3check.Diagnosis, w int) []row {
	rows := []row{nil, text(strong, "Findings")}
	failed := 0
	for _, one := range d.Findings {
		if one.Status != pop3check.Fail {
			continue
		}
		failed++
		kind, l := shown("finding"), warning
		if !d.Counts(one) {
			kind, l = "note", plain
		}
		said := line(one.ID) + ": " + line(one.Got)
		if one.Want != "" {
			said = line(one.ID) + ": want " + line(one.Want) + "; got " + line(one.Got)
		}
		rows = append(rows, t.paragraph(row{{"  " + t.fit(kind, 8), l}}, plain, said, w)...)
	}
	return append(rows, text(plain, "  "+many(len(d.Findings), "check")+", "+count(failed)+" failed"))
}
