// Package tui is the terminal face of package explore.
package tui

import (
	"context"
	"io"

	"postfach/internal/explore"
)

// Options say where the face is shown and what it may do. The zero value is
// the terminal of the process.
type Options struct {
	In  io.Reader // nil: standard input
	Out io.Writer // nil: standard output
	// SaveTo is the folder that attachments and messages are saved to unless a
	// person types another. Empty: the current one.
	SaveTo string
}

// Run shows the explorer until a person leaves it or ctx ends.
func Run(ctx context.Context, p explore.Picker, o Options) error { return nil }
