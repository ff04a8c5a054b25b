package maildir

import (
	"errors"
	"io/fs"

	"postfach/pop3"
)

// A naming is a file that gets a name whose base is a unique-id.
type naming struct {
	entry *entry
	id    pop3.UniqueID
	err   error // why it may have only the name before; with one, nothing is done
	moved bool  // without a link: the old name is gone already
}

// giveNames renames files so that their names are the unique-ids, with the hints
// and flags that they had. Links, and no renames: at every moment each file has
// a durable name, whatever a crash makes of this. Both names until then count as
// one message, because they are one file: see interrupted. All files of a folder
// share its two syncs.
func (d *drop) giveNames(namings []*naming) {
	if len(namings) == 0 {
		return
	}
	d.eachNaming(namings, d.link)
	d.syncNamings(namings)
	d.eachNaming(namings, d.removeOld)
	d.syncNamings(namings)
}

func (d *drop) eachNaming(namings []*naming, step func(*naming) error) {
	for _, n := range namings {
		if n.err == nil {
			n.err = step(n)
		}
	}
}

// syncNamings syncs the folders in which something was done.
func (d *drop) syncNamings(namings []*naming) {
	for _, folder := range folderNames {
		var err error
		synced := false
		for _, n := range namings {
			if n.err != nil || folderNames[n.entry.file.folder] != folder {
				continue
			}
			if !synced {
				err, synced = d.sync(folderIndex(folder)), true
			}
			n.err = err
		}
	}
}

// target is where the file goes.
func (n *naming) target() place {
	return place{folderNames[n.entry.file.folder], string(n.id) + n.entry.name().suffix()}
}

func (d *drop) link(n *naming) error {
	f, err := d.folder(n.entry.file.folder)
	if err != nil {
		return err
	}
	from, to := n.entry.file.name, n.target().name
	err = f.Link(from, f, to)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, fs.ErrExist):
		info, lstatErr := f.Lstat(to)
		if lstatErr == nil && info.ID == n.entry.file.id { // an earlier try
			return nil
		}
	case noLinks(err):
		err = moveTo(f, from, f, to)
		if err == nil {
			n.moved = true
			n.entry.rename(n.target())
		}
	}
	return err
}

// removeOld takes the old name away. A failure costs nothing: the file is found
// under both names.
func (d *drop) removeOld(n *naming) error {
	if n.moved {
		return nil
	}
	f, err := d.folder(n.entry.file.folder)
	if err != nil {
		return err
	}
	if err := f.Remove(n.entry.file.name); err != nil {
		return err
	}
	n.entry.rename(n.target())
	return nil
}

// rename notes where the file is now.
func (e *entry) rename(to place) {
	e.file.folder, e.file.name = folderIndex(to.folder), to.name
	e.end, e.legal = int32(len(baseOf(to.name))), false
}
