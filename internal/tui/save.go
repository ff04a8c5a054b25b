package tui

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	tea "charm.land/bubbletea/v2"

	"postfach/internal/explore"
	"postfach/internal/hint"
	"postfach/internal/message"
)

// saveMessage saves a message as it is. Nothing of it is parsed.
func (a *app) saveMessage(entry explore.Entry) tea.Cmd {
	e := a.e
	name := "message.eml"
	if entry.Number > 0 {
		name = fmt.Sprintf("message-%d.eml", entry.Number)
	}
	return a.saveAs(name, func(ctx context.Context, w io.Writer) error {
		_, err := e.Save(ctx, entry.Key, w)
		return err
	})
}

// savePart saves what is in a part, under the name that its sender gave it.
func (a *app) savePart(m *message.Message, p *message.Part) tea.Cmd {
	return a.saveAs(p.FileName(), func(ctx context.Context, w io.Writer) error {
		r, err := m.Content(p)
		if err != nil {
			return err
		}
		_, err = io.Copy(w, patient{ctx, r})
		return err
	})
}

// A patient reader ends when a person stops the job.
type patient struct {
	ctx context.Context
	r   io.Reader
}

func (p patient) Read(b []byte) (int, error) {
	if err := p.ctx.Err(); err != nil {
		return 0, err
	}
	return p.r.Read(b)
}

// saveAs asks for a place, and writes there. What is there already stays: another
// name is proposed.
func (a *app) saveAs(name string, write func(ctx context.Context, w io.Writer) error) tea.Cmd {
	p := &prompt{label: "save as:", input: newInput(free(filepath.Join(a.saveTo, name)))}
	p.enter = func(a *app, typed string) tea.Cmd {
		path, err := place(typed)
		if err != nil {
			p.again(a, err)
			return nil
		}
		return a.start("saving", func(ctx context.Context, _ *job) then {
			err := explore.SaveFile(path, func(w io.Writer) error { return write(ctx, w) })
			return func(a *app) tea.Cmd {
				switch {
				case err == nil:
					a.tell(good, "saved "+line(filepath.Base(path))+" in "+whole(filepath.Dir(path)))
				case errors.Is(err, explore.ErrExists):
					p.input = newInput(free(path))
					p.again(a, hint.Add(fmt.Errorf("%s is there already", path), "it stays as it is; this name is free"))
				default:
					a.fail(stopped(err))
				}
				return nil
			}
		})
	}
	a.prompt = p
	return nil
}

// place is what a person means by a path: "~/" is their home.
func place(typed string) (string, error) {
	typed = strings.TrimSpace(typed)
	if typed == "" {
		return "", hint.Add(errors.New("there is no name"), "type where it shall go; esc goes back")
	}
	if rest, ok := strings.CutPrefix(typed, "~/"); ok {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", err
		}
		return filepath.Join(home, rest), nil
	}
	return typed, nil
}

// whole is a path that says where it is.
func whole(path string) shown {
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	return line(path)
}

// free returns path, or the first of name-2.pdf, name-3.pdf that is not there.
// Whoever creates the file checks again.
func free(path string) string {
	ext := filepath.Ext(path)
	base := strings.TrimSuffix(path, ext)
	for n := 2; n < 10_000; n++ {
		if _, err := os.Lstat(path); errors.Is(err, os.ErrNotExist) {
			return path
		}
		path = fmt.Sprintf("%s-%d%s", base, n, ext)
	}
	return path
}
