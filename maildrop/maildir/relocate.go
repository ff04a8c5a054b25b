package maildir

import (
	"context"
	"errors"
	"io/fs"
	"strings"
)

// settledReading reads the folders until nothing changed meanwhile, or gives up
// and says so in the reading.
func (s *Store) settledReading(ctx context.Context, root string) (*reading, error) {
	var earlier *reading
	for try := 1; ; try++ {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		r, err := s.readFolders(root)
		if err != nil {
			return nil, err
		}
		r.steady = r.steady || r.again(earlier)
		if r.steady || try == maxReadings {
			return r, nil
		}
		earlier = r
	}
}

// relocate finds all messages again that are not where they were last seen, and
// message i in any case. It does so for all at once: another program that sets
// a flag on each message must not cost a reading for each.
func (d *drop) relocate(ctx context.Context, i int) error {
	r, err := d.store.settledReading(ctx, d.root)
	if err != nil {
		return err
	}
	missing := d.missing(r, i)
	for _, p := range r.places {
		base := baseOf(p.name)
		if len(missing[base]) == 0 {
			continue
		}
		info, err := d.store.fs().Lstat(p.path(d.root))
		if errors.Is(err, fs.ErrNotExist) {
			r.steady = false
			continue
		}
		if err != nil {
			return err
		}
		for k, m := range missing[base] {
			if m >= 0 && d.files[m].id == info.ID {
				d.files[m].place = p
				missing[base][k] = -1
			}
		}
	}
	if !r.steady {
		return nil
	}
	for _, messages := range missing {
		for _, m := range messages {
			if m >= 0 {
				d.files[m].place = place{}
			}
		}
	}
	return nil
}

// missing returns the messages to look for, by the base of their names.
func (d *drop) missing(r *reading, i int) map[string][]int {
	here := make(map[place]bool, len(r.places))
	for _, p := range r.places {
		here[p] = true
	}
	missing := map[string][]int{}
	for m, f := range d.files {
		if f.folder != "" && (m == i || !here[f.place]) {
			missing[baseOf(f.name)] = append(missing[baseOf(f.name)], m)
		}
	}
	return missing
}

// baseOf returns the part of a file's name that never changes.
func baseOf(name string) string {
	if i := strings.IndexAny(name, ",:"); i >= 0 {
		return name[:i]
	}
	return name
}
