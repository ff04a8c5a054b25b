package maildir

import (
	"errors"
	"testing"
	"time"

	"postfach/maildrop"
)

// Open waits for a lock in maildrop.Rest, in steps, and whatever that says ends it.
func TestOpenRestsWhileAnotherSessionHasTheLock(t *testing.T) {
	dir := t.TempDir()
	s := &Store{Path: func(string) (string, error) { return dir, nil }, LockWait: time.Hour}
	if err := s.Create(dir); err != nil {
		t.Fatal(err)
	}
	first, err := s.Open(t.Context(), "u")
	if err != nil {
		t.Fatal(err)
	}
	rests, enough := 0, errors.New("enough")
	ctx := maildrop.WithRest(t.Context(), func(wait func() error) error {
		if rests++; rests == 3 {
			return enough
		}
		return wait()
	})
	if _, err := s.Open(ctx, "u"); !errors.Is(err, enough) || rests != 3 {
		t.Errorf("%v after %d rests", err, rests)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second, err := s.Open(ctx, "u")
	if err != nil || rests != 3 {
		t.Fatalf("%v after %d rests", err, rests)
	}
	second.Close()
}
