package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"syscall"

	"postfach/internal/hint"
	"postfach/maildrop"
	"postfach/maildrop/maildir"
)

// An advising store says what to do about a maildrop that cannot be opened.
type advising struct{ maildrop.Store }

// Open implements maildrop.Store.
func (s advising) Open(ctx context.Context, user string) (maildrop.Maildrop, error) {
	drop, err := s.Store.Open(ctx, user)
	if err != nil {
		return nil, advise(err)
	}
	return drop, nil
}

// advise gives an error a hint, if it has none and there is one.
func advise(err error) error {
	switch {
	case hint.Of(err) != "":
		return err
	case errors.Is(err, syscall.EROFS):
		return hint.Add(err, "ReadWritePaths= in the unit file has to name the folder, unless the disk itself cannot be written")
	case errors.Is(err, fs.ErrPermission):
		return hint.Add(err, "uid %d must own the maildrop and be able to enter the folders above it", os.Getuid())
	case errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT):
		return hint.Add(err, "make room on that disk")
	case errors.Is(err, maildir.ErrNotFolder):
		return hint.Add(err, "put a folder there in place of the link: what it leads to can be mounted there instead")
	case errors.Is(err, syscall.ENOTDIR) || errors.Is(err, maildir.ErrNoFolders):
		return hint.Add(err, "a maildrop is a Maildir: a folder with tmp, new and cur in it")
	case errors.Is(err, maildrop.ErrNoUser) && errors.Is(err, fs.ErrNotExist):
		return hint.Add(err, "if its disk is mounted, make it for uid %d: postfach user mkdir NAME --config FILE", os.Getuid())
	}
	return err
}
