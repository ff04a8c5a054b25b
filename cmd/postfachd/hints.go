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
	line := slog.NewRecord(r.Time, r.Level, r.Message, r.PC)
	advice, given := "", false
	r.Attrs(func(a slog.Attr) bool {
		err, isError := a.Value.Any().(error)
		switch {
		case a.Key == "hint" && a.Value.String() == "":
			return true
		case a.Key == "hint":
			given = true
		case isError && advice == "":
			advice = hint.Of(err)
		}
		line.AddAttrs(a)
		return true
	})
	if advice != "" && !given {
		line.AddAttrs(slog.String("hint", advice))
	}
	return h.Handler.Handle(ctx, line)
}

func (h hints) WithAttrs(attrs []slog.Attr) slog.Handler { return hints{h.Handler.WithAttrs(attrs)} }

func (h hints) WithGroup(name string) slog.Handler { return hints{h.Handler.WithGroup(name)} }
