package shell

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"postfach/internal/explain"
	"postfach/internal/popwire"
)

// mostHistory is how many lines are remembered.
const mostHistory = 500

// A history is the lines that were typed, latest last. What holds a secret, or
// could be one, is never in it.
type history struct {
	lines []string
	file  *os.File // nil: they are forgotten
	off   bool     // what is typed now is no command
}

// openHistory reads a file, which is made if it is not there. A file that
// cannot be used is no reason not to go on.
func openHistory(name string) *history {
	h := &history{}
	if name == "" {
		return h
	}
	if os.MkdirAll(filepath.Dir(name), 0o700) != nil {
		return h
	}
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return h
	}
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() || f.Chmod(0o600) != nil || info.Size() > 1<<20 {
		f.Close()
		return h
	}
	text, err := os.ReadFile(name)
	if err != nil {
		f.Close()
		return h
	}
	h.file = f
	for line := range bytes.Lines(text) {
		if line := string(popwire.TrimLine(line)); memorable(line) {
			h.lines = append(h.lines, line)
		}
	}
	if len(h.lines) > mostHistory {
		h.lines = slices.Clone(h.lines[len(h.lines)-mostHistory/2:])
		if f.Truncate(0) == nil {
			_, _ = f.WriteString(strings.Join(h.lines, "\n") + "\n") // lost history is no loss
		}
	}
	return h
}

func (h *history) close() {
	if h.file != nil {
		h.file.Close()
	}
}

// Add implements term.History.
func (h *history) Add(line string) {
	line = strings.TrimRight(line, " ") // behind it a secret was asked for
	if h.off || !memorable(line) || len(h.lines) > 0 && h.lines[len(h.lines)-1] == line {
		return
	}
	h.lines = append(h.lines, line)
	if len(h.lines) > mostHistory {
		h.lines = h.lines[1:]
	}
	if h.file != nil {
		_, _ = h.file.WriteString(line + "\n") // lost history is no loss
	}
}

// Len implements term.History. There is no history where an answer is typed: an
// arrow key would send an old line as the password.
func (h *history) Len() int {
	if h.off {
		return 0
	}
	return len(h.lines)
}

// At implements term.History: 0 is the latest.
func (h *history) At(i int) string { return h.lines[len(h.lines)-1-i] }

// memorable says that a line is a command, and has no secret in it. Anything
// else may be a password that was typed in the wrong place.
func memorable(line string) bool {
	fields := strings.Fields(line)
	if len(fields) == 0 || visible(line) != line || len(line) > 1000 {
		return false
	}
	if slices.Contains(localCommands(), fields[0]) {
		return true
	}
	return slices.Contains(explain.Keywords(), strings.ToUpper(fields[0])) &&
		line[0] != ' ' && string(popwire.Redact([]byte(line))) == line
}
