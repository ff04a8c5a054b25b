package remotes

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"time"
	"unicode"

	"postfach/internal/hint"
)

// ErrNoCommand: the account has neither PasswordCommand nor TokenCommand.
var ErrNoCommand = errors.New("there is no command that knows the password")

// Password runs PasswordCommand or TokenCommand. The command has no terminal: one
// that wants to ask a person needs a window of its own.
func (a *Account) Password(ctx context.Context) (string, error) {
	kind, command := "password", a.PasswordCommand
	if a.TokenCommand != "" {
		kind, command = "token", a.TokenCommand
	}
	if command == "" {
		return "", ErrNoCommand
	}
	var complaint bounded
	line, err := FirstLine(ctx, command, nil, &complaint)
	switch {
	case ctx.Err() != nil:
		return "", context.Cause(ctx)
	case err != nil:
		if said := lastLine(complaint.String()); said != "" {
			err = fmt.Errorf("%w: %s", err, said)
		}
		err = fmt.Errorf("the %s command %q: %w", kind, command, err)
		return "", hint.Add(err, "try it in a shell; it is run with sh, without a terminal")
	case line == "":
		err := fmt.Errorf("the %[1]s command %[2]q printed no %[1]s", kind, command)
		return "", hint.Add(err, "the %s is the first line of what it prints", kind)
	}
	return line, nil
}

// FirstLine runs a command with sh and returns the first line that it prints. That it
// leaves a program behind, as an agent for passwords, is no error.
func FirstLine(ctx context.Context, command string, stdin io.Reader, stderr io.Writer) (string, error) {
	var out bounded
	cmd := exec.CommandContext(ctx, "sh", "-c", command)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, &out, stderr
	cmd.WaitDelay = time.Second // for what it started and left behind
	err := cmd.Run()
	if errors.Is(err, exec.ErrWaitDelay) { // an agent stays: the command itself went well
		err = nil
	}
	line, _, _ := strings.Cut(out.String(), "\n")
	return strings.TrimSuffix(line, "\r"), err
}

// bounded keeps the beginning of what is written to it: a password and a
// complaint are short.
type bounded struct{ bytes.Buffer }

const maxOutput = 64 << 10

// Write implements io.Writer. It takes all, and keeps what has room.
func (b *bounded) Write(p []byte) (int, error) {
	b.Buffer.Write(p[:min(len(p), maxOutput-b.Len())])
	return len(p), nil
}

// lastLine is what a program said at last, fit for a terminal.
func lastLine(text string) string {
	text = strings.TrimSpace(text)
	text = text[strings.LastIndexByte(text, '\n')+1:]
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, text[:min(len(text), 200)])
}
