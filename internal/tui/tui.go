// Package tui is the terminal face of package explore.
//
// One app owns the screen. What is seen is a stack of screens; each has a table of
// keys, from which its footer and its help are made. Work that waits for the
// network is a job. text.go is the border that all strange text passes.
package tui

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	tea "charm.land/bubbletea/v2"

	"postfach/internal/explore"
	"postfach/internal/hint"
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

// Run shows the explorer until a person leaves it or ctx ends. The terminal is as
// before when it returns, whatever happens. Leaving deletes nothing, and SIGINT
// and SIGTERM are leaving; ctx ending is its error.
func Run(ctx context.Context, p explore.Picker, o Options) error {
	a := newApp(ctx, p, o)
	defer a.close()
	options := []tea.ProgramOption{tea.WithContext(ctx), tea.WithFilter(interruptIsQuit)}
	if o.In != nil {
		options = append(options, tea.WithInput(o.In))
	}
	if o.Out != nil {
		options = append(options, tea.WithOutput(o.Out))
	}
	_, err := tea.NewProgram(a, options...).Run()
	a.sayForgotten(cmp.Or[io.Writer](o.Out, os.Stdout))
	if ctx.Err() != nil && errors.Is(err, tea.ErrProgramKilled) && !errors.Is(err, tea.ErrProgramPanic) {
		return ctx.Err()
	}
	if err != nil && !errors.Is(err, tea.ErrProgramKilled) {
		return hint.Add(fmt.Errorf("terminal: %w", err), "the terminal face needs a terminal; --web shows the mailbox in a browser")
	}
	return err
}

// sayForgotten tells, behind the screen, of marks that end with the program.
func (a *app) sayForgotten(w io.Writer) {
	a.cancel()
	a.running.Wait()
	if a.e == nil {
		return
	}
	if n := a.e.Status().Marked; n > 0 {
		fmt.Fprintf(w, "%s forgotten; leaving deleted nothing\n", many(n, "mark"))
	}
}

// interruptIsQuit makes SIGINT an orderly end.
func interruptIsQuit(_ tea.Model, msg tea.Msg) tea.Msg {
	if _, ok := msg.(tea.InterruptMsg); ok {
		return tea.QuitMsg{}
	}
	return msg
}
