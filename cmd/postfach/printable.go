package main

import (
	"strings"
	"unicode"
)

// printable returns err with a text that cannot steer a terminal: servers
// write parts of it.
func printable(err error) error {
	if err == nil {
		return nil
	}
	text := visible(err.Error())
	if text == err.Error() {
		return err
	}
	return &printableError{err, text}
}

type printableError struct {
	error
	text string
}

func (e *printableError) Error() string { return e.text }
func (e *printableError) Unwrap() error { return e.error }

func visible(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, s)
}
