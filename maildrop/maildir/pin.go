package maildir

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"postfach/pop3"
)

// pin renames the files that could inherit the unique-id of a marked message:
// of two files with one name the later has an id of its own only while the
// earlier is there. A client that saw the freed id before would take the other
// message for one that it has, and might delete it unread. So goal 1, no mail
// is lost, wins here over "files are served as they are". Marked files are
// pinned, too: a crash may undo one removal and not another. All this comes
// before the removals and is durable by then; where it fails, the marked
// message stays.
func (u *update) pin(near []*entry) {
	for _, e := range near {
		heirTo := u.heirTo(e)
		if len(heirTo) == 0 {
			continue
		}
		err := errAmbiguous
		if e.known() {
			err = u.drop.giveName(e, u.ownID(e))
		}
		if err == nil {
			continue
		}
		if m := u.marked[u.drop.listedAs(e)]; m != nil {
			m.fail(err)
		}
		for _, m := range heirTo {
			m.fail(fmt.Errorf("another message would get its unique-id: %w", err))
		}
	}
}

// heirTo returns the marked messages whose unique-ids e could come to have.
func (u *update) heirTo(e *entry) (heirTo []*removal) {
	own := u.drop.listedAs(e)
	// More than two files would have to have one name in one folder for e to
	// need more steps than these.
	for step := range 4 {
		id := e.name.candidate(step)
		if id == own {
			break
		}
		m := u.marked[id]
		if m == nil || m.err != nil {
			continue
		}
		// A stranger may be the marked message itself, written anew, as long
		// as that was not found elsewhere.
		if own != "" || !e.known() || step < 2 && len(m.found) > 0 {
			heirTo = append(heirTo, m)
		}
	}
	return heirTo
}

// ownID returns the unique-id that e has, or, when Open did not see it, one
// that no message has.
func (u *update) ownID(e *entry) pop3.UniqueID {
	if id := u.drop.listedAs(e); id != "" {
		return id
	}
	for step := 1; ; step++ {
		id := e.name.candidate(step)
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
