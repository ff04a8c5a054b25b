package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"syscall"
)

// newLog writes lines of key=value. For the journal each begins with its priority
// (sd-daemon(3)), which the journal takes off again: the lines are the same.
func newLog(w io.Writer, journal bool) *slog.Logger {
	if !journal {
		return slog.New(hints{slog.NewTextHandler(w, nil)})
	}
	return slog.New(hints{byPriority{
		slog.NewTextHandler(prefixed{w, "<6>"}, nil), // LOG_INFO
		slog.NewTextHandler(prefixed{w, "<4>"}, nil), // LOG_WARNING
		slog.NewTextHandler(prefixed{w, "<3>"}, nil), // LOG_ERR
	}})
}

// failures is where errors are written that end the program.
func failures(w io.Writer, journal bool) io.Writer {
	if journal {
		return prefixed{w, "<3>"}
	}
	return w
}

// isJournal reports whether the journal reads what is written to a file, as
// systemd says (JOURNAL_STREAM).
func isJournal(w io.Writer) bool {
	file, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	if err != nil {
		return false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && os.Getenv("JOURNAL_STREAM") == fmt.Sprintf("%d:%d", stat.Dev, stat.Ino)
}

// byPriority is a handler for each priority.
type byPriority struct{ info, warn, err slog.Handler }

func (p byPriority) of(level slog.Level) slog.Handler {
	switch {
	case level >= slog.LevelError:
		return p.err
	case level >= slog.LevelWarn:
		return p.warn
	}
	return p.info
}

func (p byPriority) Enabled(ctx context.Context, level slog.Level) bool {
	return p.of(level).Enabled(ctx, level)
}

func (p byPriority) Handle(ctx context.Context, r slog.Record) error {
	return p.of(r.Level).Handle(ctx, r)
}

func (p byPriority) WithAttrs(attrs []slog.Attr) slog.Handler {
	return byPriority{p.info.WithAttrs(attrs), p.warn.WithAttrs(attrs), p.err.WithAttrs(attrs)}
}

func (p byPriority) WithGroup(name string) slog.Handler {
	return byPriority{p.info.WithGroup(name), p.warn.WithGroup(name), p.err.WithGroup(name)}
}

// prefixed puts a prefix before each line: a TextHandler writes one at a time.
type prefixed struct {
	w      io.Writer
	prefix string
}

func (p prefixed) Write(line []byte) (int, error) {
	if _, err := p.w.Write(append([]byte(p.prefix), line...)); err != nil {
		return 0, err
	}
	return len(line), nil
}
