package main

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"
	"testing"

	"postfach/internal/hint"
	"postfach/maildrop"
	"postfach/maildrop/maildir"
)

// Lines with an error say what its hint says, and have no hint where there is none.
func TestLogHasTheHintsOfErrors(t *testing.T) {
	advised := fmt.Errorf("outer: %w", hint.Add(errors.New("inner"), "do %s", "this"))
	for name, c := range map[string]struct {
		values []any
		want   string // behind msg=
	}{
		"of an error":      {[]any{"err", advised}, `m err="outer: inner" hint="do this"`},
		"its own":          {[]any{"err", advised, "hint", "that"}, `m err="outer: inner" hint=that`},
		"an empty one":     {[]any{"err", errors.New("x"), "hint", ""}, "m err=x"},
		"none":             {[]any{"n", 1, "err", errors.New("x")}, "m n=1 err=x"},
		"empty, and error": {[]any{"err", advised, "hint", hint.Of(nil)}, `m err="outer: inner" hint="do this"`},
	} {
		for _, journal := range []bool{false, true} {
			var b strings.Builder
			newLog(&b, journal).With("session", "1").Error("m", c.values...)
			_, got, _ := strings.Cut(strings.TrimSpace(b.String()), "msg=")
			if want := strings.Replace(c.want, "m ", "m session=1 ", 1); got != want {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
		}
	}
}

func TestMaildropThatCannotBeOpenedHasAHint(t *testing.T) {
	for _, err := range []error{
		&fs.PathError{Op: "open", Path: "/x", Err: syscall.EACCES},
		&fs.PathError{Op: "open", Path: "/x", Err: syscall.EROFS},
		&fs.PathError{Op: "open", Path: "/x", Err: syscall.ENOTDIR},
		&fs.PathError{Op: "open", Path: "/x", Err: syscall.ENOSPC},
		&fs.PathError{Op: "open", Path: "/x/cur", Err: maildir.ErrNotFolder},
		&fs.PathError{Op: "open", Path: "/x", Err: maildir.ErrNoFolders},
		fmt.Errorf("%w: %w", maildrop.ErrNoUser, fs.ErrNotExist),
	} {
		if got := advise(err); !errors.Is(got, err) || hint.Of(got) == "" || got.Error() != err.Error() {
			t.Errorf("%v: %v, hint %q", err, got, hint.Of(got))
		}
	}
	for _, err := range []error{maildrop.ErrLocked, maildrop.ErrNoUser, syscall.EIO, hint.Add(syscall.EACCES, "its own")} {
		if got := advise(err); got != err {
			t.Errorf("%v: hint %q", err, hint.Of(got))
		}
	}
}
