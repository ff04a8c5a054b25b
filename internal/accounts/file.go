package accounts

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"postfach/internal/vfs"
	"postfach/maildrop"
	"postfach/sasl"
)

// A File is the accounts of one file: a Source. What is changed in the file holds
// from the next look-up on. A change that cannot be used is logged, again each
// minute while there are look-ups, and what held before goes on to hold.
//
// Fields are not changed once it is used. Its methods may be called from many
// goroutines.
type File struct {
	Path string // the accounts file
	// Shared says that another program reads the file, too: its group may. Without
	// it, nobody but the owner.
	Shared bool
	Key    string // the file with the key that opens APOP secrets; empty: no APOP
	// DecoyKey makes that an unknown name always gets the same decoy, beyond the
	// life of the process. nil: as long as the File.
	DecoyKey []byte

	FS  vfs.FS           // nil: the real one
	Log *slog.Logger     // nil: slog.Default
	Now func() time.Time // nil: time.Now

	once sync.Once

	mu      sync.Mutex // guards what follows
	current *table     // nil: never read
	content []byte     // what current was made of
	seen    stamp
	last    []byte    // what the file had then; nil: nobody knows
	since   time.Time // since when it has been the same, by our clock
	settled bool      // no change can hide behind seen

	sealer  *sealer   // nil: no APOP
	apop    bool      // some account can use APOP
	dummy   string    // a sealed secret of nobody's
	keySeen stamp     // of a key that cannot be read
	keyTold time.Time // when that was logged last; zero: it can be read, or is not needed

	refused   error     // why the file as it is now cannot be used; nil: it can
	complaint string    // what was logged about that: news is logged at once
	told      time.Time // when
	weak      string    // what was logged about schemes
	odd       string    // what was logged about fields
}

func (f *File) setUp() {
	f.once.Do(func() {
		if f.DecoyKey == nil {
			f.DecoyKey = NewKey()
		}
	})
}

// Lookup implements Source.
func (f *File) Lookup(_ context.Context, user string) (*Entry, error) {
	t, err := f.look()
	if err != nil {
		return nil, err
	}
	a, ok := t.byName[user]
	if !ok {
		return nil, maildrop.ErrNoUser
	}
	return a.entry(f.opener(user, a.sealed)), nil
}

// Decoy implements Source: what it returns costs what some account costs, so that
// schemes and work factors among unknown names are as common as among known ones.
func (f *File) Decoy(_ context.Context, name string) *Entry {
	f.setUp()
	var c classes
	if t, err := f.look(); err == nil {
		c = t.classes
	}
	d := c.decoy(f.DecoyKey, name)
	f.mu.Lock()
	dummy := f.dummy
	f.mu.Unlock()
	d.Secret = f.opener("", dummy)
	return d
}

// Offers implements Source.
func (f *File) Offers(h sasl.ScramHash) bool {
	t, err := f.look()
	return err == nil && t.offers[h]
}

// count implements accountCounter.
func (f *File) count() int {
	t, err := f.look()
	if err != nil {
		return 0
	}
	return len(t.inFile)
}

// without implements scramCounter.
func (f *File) without(h sasl.ScramHash) (names []string, lack, have int) {
	t, err := f.look()
	if err != nil {
		return nil, 0, 0
	}
	for _, a := range t.inFile {
		switch {
		case a.Closed != "":
		case a.offers(h):
			have++
		default:
			if lack++; lack <= maxLacking {
				names = append(names, a.User)
			}
		}
	}
	return names, lack, have
}

// Secrets implements Source.
func (f *File) Secrets() bool {
	if _, err := f.look(); err != nil {
		return false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.apop
}

// owner implements certificateIndex.
func (f *File) owner(fingerprint string) string {
	t, err := f.look()
	if err != nil {
		return ""
	}
	return t.byCertificate[fingerprint]
}

// opener returns what opens a sealed secret; nil: there is none, or no key.
func (f *File) opener(user, sealed string) func() (string, error) {
	f.mu.Lock()
	s := f.sealer
	f.mu.Unlock()
	if s == nil || sealed == "" {
		return nil
	}
	return func() (string, error) { return s.open(user, sealed) }
}
