package maildir

import (
	"errors"
	"fmt"
	"io/fs"

	"postfach/maildrop"
)

// provide asks Missing for a Maildir that is not there. nil: there is one now.
func (s *Store) provide(root string) error {
	s.making.Lock() // whoever comes second finds it
	defer s.making.Unlock()
	if _, err := s.fs().Lstat(root); !errors.Is(err, fs.ErrNotExist) {
		return err // nil: somebody else has made it meanwhile
	}
	if s.Missing == nil {
		return fmt.Errorf("%w: %w", maildrop.ErrNoUser, &fs.PathError{Op: "open", Path: root, Err: fs.ErrNotExist})
	}
	if err := s.Missing(root); err != nil {
		return fmt.Errorf("%w: %w", maildrop.ErrNoUser, err)
	}
	return nil
}
