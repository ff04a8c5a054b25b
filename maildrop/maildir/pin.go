package maildir

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"

	"postfach/pop3"
)

// pin renames the files that would inherit the unique-id of a marked message:
// of two files with one name the later has an id of its own only while the
// earlier is there. A client that saw the freed id before would take the other
// message for one that it has, and might delete it unread. So goal 1, no mail
// is lost, wins here over "files are served as they are". This comes before the
// removal and is durable by then; where it fails, the marked message stays.
func (u *update) pin(others []*entry) {
	others = u.known(others)
	for {
		heir := u.heir(others)
		if heir == nil {
			return
		}
		freed := u.marked[heir.id]
		id := u.drop.listedAs(heir)
		if id == "" {
			id = u.unusedID(heir)
		}
		if err := u.drop.giveName(heir, id); err != nil {
			freed.fail(fmt.Errorf("another message would get the unique-id %q: %w", freed.id, err))
		}
	}
}

// known returns the files that the disk says something about. A marked message
// that has to do with one of the others stays: it could be its twin.
func (u *update) known(others []*entry) (known []*entry) {
	for _, e := range others {
		if e.known() {
			known = append(known, e)
			continue
		}
		for _, m := range u.order {
			if m.base == e.name.base || m.id == e.name.uniqueID() {
				m.fail(errAmbiguous)
			}
		}
	}
	return known
}

// heir returns a file that will have the unique-id of a message which is about
// to go, if there is one.
func (u *update) heir(others []*entry) *entry {
	if len(others) == 0 {
		return nil
	}
	messages, _ := identify(slices.Clone(others)) // all are known: no error
	for _, e := range messages {
		if m := u.marked[e.id]; m != nil && m.err == nil {
			return e
		}
	}
	return nil
}

// unusedID returns an id for a file that Open did not see.
func (u *update) unusedID(e *entry) pop3.UniqueID {
	for text := e.name.whole; ; text += "+" {
		id := hashID(text)
		if _, used := u.drop.find(id); !used {
			return id
		}
	}
}

// giveName renames a file so that its name is the unique-id, with the hints and
// flags that it had. A link, and not a rename: at every moment the file has a
// durable name, whatever a crash makes of this. Both names until then count as
// one message, because they are one file.
func (d *drop) giveName(e *entry, id pop3.UniqueID) error {
	fsys, folder := d.store.fs(), filepath.Join(d.root, e.folder)
	renamed := place{e.folder, string(id) + e.name.suffix}
	err := fsys.Link(e.path(d.root), renamed.path(d.root))
	if errors.Is(err, fs.ErrExist) {
		info, lstatErr := fsys.Lstat(renamed.path(d.root))
		if lstatErr == nil && info.ID == e.info.ID { // an earlier try
			err = nil
		}
	}
	if err == nil {
		err = fsys.SyncDir(folder)
		if err == nil {
			err = fsys.Remove(e.path(d.root))
		}
	} else if noLinks(err) {
		err = moveTo(fsys, e.path(d.root), renamed.path(d.root))
	}
	if err == nil {
		err = fsys.SyncDir(folder)
	}
	if err != nil {
		return err
	}
	e.place, e.name = renamed, parseName(renamed.name)
	return nil
}
