package main

import (
	"context"
	"log/slog"

	"postfach/internal/hint"
)

// hints is a handler that adds hint= to lines with an error that has one. Packages
// that serve others than people know errors only.
type hints struct{ slog.Handler }

// Handle implements slog.Handler. A hint that the line has already stays; an empty
// one is none.
func (h hints) Handle(ctx context.Context, r slog.Record) error {
	advice, given, empty := "", false, false
	r.Attrs(func(a slog.Attr) bool {
		switch {
		case a.Key == "hint" && a.Value.String() == "":
			empty = true
		case a.Key == "hint":
			given = true
		case a.Value.Kind() == slog.KindAny && advice == "":
			if err, ok := a.Value.Any().(error); ok {
				advice = hint.Of(err)
			}
		}
		return true
	})
	if given {
		advice = ""
	}
	if advice != "" || empty {
		r = withHint(r, advice)
	}
	return h.Handler.Handle(ctx, r)
}

// withHint is a record without its empty hint, and with advice, if there is some.
func withHint(r slog.Record, advice string) slog.Record {
	line := slog.NewRecord(r.Time, r.Level, r.Message, r.PC)
	r.Attrs(func(a slog.Attr) bool {
		if a.Key != "hint" || a.Value.String() != "" {
			line.AddAttrs(a)
		}
		return true
	})
	if advice != "" {
		line.AddAttrs(slog.String("hint", advice))
	}
	return line
}

func (h hints) WithAttrs(attrs []slog.Attr) slog.Handler { return hints{h.Handler.WithAttrs(attrs)} }

func (h hints) WithGroup(name string) slog.Handler { return hints{h.Handler.WithGroup(name)} }
