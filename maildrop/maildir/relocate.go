package maildir

import (
	"context"
	"errors"
	"io/fs"
)

// settledReading reads the folders until nothing changed meanwhile, or gives up
// and says so in the reading.
func (d *drop) settledReading(ctx context.Context) (*reading, error) {
	var earlier *reading
	for try := 1; ; try++ {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		r, err := d.readFolders(d.readPlaces)
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
	r, err := d.settledReading(ctx)
	if err != nil {
		return err
	}
	d.ownFiles()
	missing, found := d.missing(r, i), map[int]bool{}
	for _, p := range r.places {
		base := baseOf(p.name)
		if len(missing[base]) == 0 {
			continue
		}
		info, err := d.lstat(p)
		if errors.Is(err, fs.ErrNotExist) {
			r.steady = false
			continue
		}
		if err != nil {
			return err
		}
		for _, m := range missing[base] {
			if !found[m] && d.files[m].id == info.ID {
				d.files[m].name, d.files[m].folder = p.name, folderIndex(p.folder)
				found[m] = true
			}
		}
	}
	if !r.steady {
		return nil
	}
	for _, messages := range missing {
		for _, m := range messages {
			if !found[m] {
				d.files[m].name = ""
			}
		}
	}
	return nil
}

// missing returns the messages to look for, by the base of their names, and by
// their unique-ids: see giveNames.
func (d *drop) missing(r *reading, i int) map[string][]int {
	here := make(map[place]bool, len(r.places))
	for _, p := range r.places {
		here[p] = true
	}
	missing := map[string][]int{}
	if here[d.files[i].place()] || r.times == d.seen.folders {
		d.distrust() // another file is in its place, or it is gone and no time says so
	}
	for m := range d.files {
		f := &d.files[m]
		if !f.gone() && (m == i || !here[f.place()]) {
			base, id := baseOf(f.name), string(d.seen.messages[m].ID)
			missing[base] = append(missing[base], m)
			if id != base {
				missing[id] = append(missing[id], m)
			}
		}
	}
	return missing
}

// ownFiles makes the files those of this session alone, because a snapshot is shared.
// Nobody needs the one from before any more: it would only take memory.
func (d *drop) ownFiles() {
	d.moved = true
	if d.own {
		return
	}
	d.seen, d.own = d.seen.clone(), true
	d.files = d.seen.files
	d.before.snapshot = nil
	d.store.memory.forget(d.root)
}

// baseOf returns the part of a file's name that never changes.
func baseOf(name string) string {
	for i := range len(name) {
		if c := name[i]; c == ',' || c == ':' {
			return name[:i]
		}
	}
	return name
}
