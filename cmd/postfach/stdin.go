package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// stdinLine reads one line, which is what.
func stdinLine(ctx context.Context, stdin *bufio.Reader, what string) (string, error) {
	line, err := await(ctx, func() (string, error) { return stdin.ReadString('\n') })
	if err != nil && (!errors.Is(err, io.EOF) || line == "") {
		return "", fmt.Errorf("read the %s from standard input: %w", what, err)
	}
	return strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r"), nil
}

// prompt reads a line from the terminal, without showing it.
func prompt(ctx context.Context, text string) (string, error) {
	fd := int(os.Stdin.Fd())
	state, err := term.GetState(fd)
	if err != nil {
		return "", err
	}
	fmt.Fprint(os.Stderr, text)
	line, err := await(ctx, func() ([]byte, error) { return term.ReadPassword(fd) })
	fmt.Fprintln(os.Stderr)
	if err != nil {
		return "", errors.Join(err, term.Restore(fd, state))
	}
	return string(line), nil
}

// await returns what f returns, or ctx's error: a read from a terminal cannot
// be interrupted, but it can be left behind by a program that ends.
func await[T any](ctx context.Context, f func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		value, err := f()
		done <- result{value, err}
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
}

// interruptible is a reader whose Read ends with ctx.
type interruptible struct {
	ctx context.Context
	r   io.Reader
}

func (i interruptible) Read(p []byte) (int, error) {
	buf := make([]byte, len(p)) // a read that is left behind must not write into p
	n, err := await(i.ctx, func() (int, error) { return i.r.Read(buf) })
	return copy(p, buf[:n]), err
}
