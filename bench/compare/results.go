package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"
)

// results are what a run measured, as results.json keeps it.
type results struct {
	Version  int               `json:"version"` // of this form: 1
	Started  time.Time         `json:"started"`
	Short    bool              `json:"short,omitempty"`
	Rounds   int               `json:"rounds"`
	Sessions int               `json:"sessions"` // that can be held at once
	Files    int               `json:"files"`    // that a process may have open
	Machine  machine           `json:"machine"`
	Versions map[string]string `json:"versions"` // of who took part, by id
	// Missing says who could not be had, and why.
	Missing  []string      `json:"missing,omitempty"`
	Measured []measurement `json:"measured"`
}

// A measurement is of one row and server, once.
type measurement struct {
	Row     string  `json:"row"`
	Server  string  `json:"server"`
	X       int     `json:"x"`
	Round   int     `json:"round"`
	Figures figures `json:"figures,omitempty"`
	Error   string  `json:"error,omitempty"`
}

func newResults(ctx context.Context, o options, l *lab, all map[string]*peer, missing []string) *results {
	res := &results{Version: 1, Started: time.Now().UTC().Truncate(time.Second), Short: o.short, Rounds: o.rounds, Sessions: sessionsFor(o.files), Files: o.files, Machine: readMachine(ctx, l.work), Versions: make(map[string]string)}
	if o.short {
		res.Rounds = 1
	}
	for id, p := range all {
		res.Versions[id] = p.version
	}
	for _, m := range missing {
		res.Missing = append(res.Missing, l.withoutPaths(m))
	}
	return res
}

// withoutPaths takes the scratch folders out of a text that others read.
func (l *lab) withoutPaths(text string) string {
	for _, dir := range []string{l.work, l.memory, l.root} {
		if dir != "" {
			text = strings.ReplaceAll(text, dir, "…")
		}
	}
	return text
}

func readResults(file string) (*results, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var res results
	if err := json.Unmarshal(text, &res); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if res.Version != 1 || res.Rounds < 1 || res.Rounds > 100 || res.Sessions < 1 {
		return nil, fmt.Errorf("%s: these are no results of version 1", file)
	}
	return &res, nil
}

func (res *results) save(file string) error {
	text, err := json.MarshalIndent(res, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(text, '\n'), 0o644)
}

// figure returns what was measured in a round, as large as in the table.
func (res *results) figure(r *row, server, name string, round int) (float64, bool) {
	for _, m := range res.Measured {
		if m.Row == r.name && m.Server == server && m.X == r.size(server) && m.Round == round && m.Error == "" {
			f, ok := m.Figures[name]
			return f, ok
		}
	}
	return 0, false
}

// spread returns all rounds of a figure.
func (res *results) spread(r *row, server, name string, x int) (s spread, ok bool) {
	var all []float64
	for _, m := range res.Measured {
		if m.Row != r.name || m.Server != server || m.X != x || m.Error != "" {
			continue
		}
		if f, ok := m.Figures[name]; ok {
			all = append(all, f)
		}
	}
	if len(all) == 0 {
		return s, false
	}
	return spreadOf(all), true
}

// rows are those that such results can have.
func (res *results) rows() []row { return rows(res.Sessions) }

// row returns the row of that name, and the given one for "".
func (res *results) row(given *row, name string) *row {
	for _, r := range res.rows() {
		if r.name == name {
			return &r
		}
	}
	return given
}

// measured reports whether there is something of a row.
func (res *results) measured(r *row) bool {
	return slices.ContainsFunc(res.Measured, func(m measurement) bool { return m.Row == r.name })
}

// trouble is an error if a measurement failed, or Postfach made mistakes; and in a short
// run, where it matters that all works, if somebody is missing or made mistakes.
func (res *results) trouble() error {
	var all []error
	if res.Short {
		for _, m := range res.Missing {
			all = append(all, errors.New(m))
		}
	}
	for _, m := range res.Measured {
		switch n := m.Figures[mistakes]; {
		case m.Error != "":
			all = append(all, fmt.Errorf("%s, %s: %s", m.Row, m.Server, m.Error))
		case n > 0 && (res.Short || m.Server == postfach):
			all = append(all, fmt.Errorf("%s, %s: %.0f mistakes", m.Row, m.Server, n))
		}
	}
	return errors.Join(all...)
}

// words is a measurement in one line.
func (m measurement) words(r row) string {
	if m.Error != "" {
		return m.Error
	}
	var all []string
	for _, name := range r.figures {
		if f, ok := m.Figures[name]; ok {
			all = append(all, figureNames[name].format(f))
		}
	}
	if n := m.Figures[mistakes]; n > 0 {
		all = append(all, fmt.Sprintf("%.0f mistakes", n))
	}
	return strings.Join(all, ", ")
}

// ids are those of who took part, in order.
func (res *results) ids() []string { return slices.Sorted(maps.Keys(res.Versions)) }
