package confine

import (
	"bufio"
	"io"
	"os"
	"strings"
)

// A Status tells what the kernel says of this process. It is opened before files
// are given up, and read afterwards.
type Status struct{ file *os.File }

// OpenStatus opens it. Close closes it.
func OpenStatus() (*Status, error) {
	file, err := os.Open("/proc/self/status")
	if err != nil {
		return nil, err
	}
	return &Status{file}, nil
}

// Close closes it.
func (s *Status) Close() error { return s.file.Close() }

// Values are names and values for a log: who the process is, and what is in force
// for it.
func (s *Status) Values() ([]any, error) {
	if _, err := s.file.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	var values []any
	lines := bufio.NewScanner(s.file)
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), ":")
		switch name {
		case "Uid", "Gid", "CapEff", "NoNewPrivs", "Seccomp":
			if fields := strings.Fields(value); len(fields) > 0 {
				values = append(values, strings.ToLower(name), fields[0])
			}
		}
	}
	return values, lines.Err()
}
