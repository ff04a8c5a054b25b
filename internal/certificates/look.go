package certificates

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"strings"

	"postfach/internal/hint"
)

// look says what the files look like from outside, so that a change shows. A
// program that renews certificates replaces files, or where links lead.
func look(f Files) string {
	var b strings.Builder
	for _, name := range f.names() {
		info, err := os.Stat(name)
		if err != nil {
			fmt.Fprintf(&b, "%s missing %t\n", name, errors.Is(err, fs.ErrNotExist))
			continue
		}
		fmt.Fprintf(&b, "%s %d %d %s\n", name, info.Size(), info.ModTime().UnixNano(), info.Mode())
	}
	return b.String()
}

func (f Files) names() []string {
	var names []string
	for _, p := range f.Pairs {
		names = append(names, p.Certificate, p.Key)
	}
	for _, name := range []string{f.ClientCA, f.ClientCRL} {
		if name != "" {
			names = append(names, name)
		}
	}
	return names
}

func logOr(log *slog.Logger) *slog.Logger {
	if log != nil {
		return log
	}
	return slog.Default()
}

// logError is an error with its hint, as values of a log line.
func logError(err error) []any {
	values := []any{"err", err}
	if h := hint.Of(err); h != "" {
		values = append(values, "hint", h)
	}
	return values
}
