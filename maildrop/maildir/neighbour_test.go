package maildir

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"

	"postfach/internal/vfs"
)

// A neighbour is another program that works on the same Maildir, and syncs what
// it does: what it loses itself is not our concern.
type neighbour struct {
	fs    vfs.FS
	dir   string
	added int
}

// disturb sets a flag, moves a message to cur/, adds one, or adds one with the
// name of another, or removes a folder that is empty.
func (n *neighbour) disturb(dice *rand.Rand, inSession bool) (added []string, err error) {
	places, err := n.places()
	if err != nil {
		return nil, err
	}
	if !inSession && dice.IntN(4) == 0 {
		return nil, n.tidy()
	}
	if len(places) > 0 && dice.IntN(3) == 0 {
		return nil, n.flag(places[dice.IntN(len(places))], "SFRT"[dice.IntN(4):])
	}
	n.added++
	text := fmt.Sprintf("Subject: other program %d\n\nThis is its number %[1]d.\n", n.added)
	name := fmt.Sprintf("new/%d.neighbour", 5000+n.added)
	if dice.IntN(4) == 0 {
		name = fmt.Sprintf("new/%d.%s", 5000+n.added, strings.Repeat("long", 30))
	}
	if twins := foreign(places); len(twins) > 0 && dice.IntN(4) > 0 {
		twin := twins[dice.IntN(len(twins))]
		name = fmt.Sprintf("cur/%s:2,%d", baseOf(twin.name), n.added)
		if twin.folder == curFolder && dice.IntN(2) == 0 {
			name = fmt.Sprintf("new/%s,%d", baseOf(twin.name), n.added)
		}
	}
	err = n.makeFolders()
	if err == nil {
		err = errors.Join(put(n.fs, n.dir, name, text), n.sync())
	}
	return []string{text}, err
}

// tidy moves what is new to cur/, and removes the folders that are empty then:
// who delivers makes them anew.
func (n *neighbour) tidy() error {
	places, err := n.places()
	if err != nil {
		return err
	}
	for _, p := range places {
		if p.folder == newFolder {
			if err := n.flag(p, ""); err != nil {
				return err
			}
		}
	}
	for _, folder := range []string{newFolder, tmpFolder} {
		n.fs.Remove(filepath.Join(n.dir, folder)) // fails when it has something in it
	}
	return n.fs.SyncDir(n.dir)
}

func (n *neighbour) makeFolders() error {
	for _, folder := range []string{newFolder, curFolder} {
		if err := vfs.MkdirAll(n.fs, filepath.Join(n.dir, folder), 0o700); err != nil {
			return err
		}
	}
	return nil
}

func (n *neighbour) places() (places []place, err error) {
	for _, folder := range []string{newFolder, curFolder} {
		names, err := n.fs.ReadDir(filepath.Join(n.dir, folder))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		slices.Sort(names)
		for _, name := range names {
			places = append(places, place{folder, name})
		}
	}
	return places, nil
}

// foreign returns those that Deliver did not name. What others are called is
// the same in each run, and with it the unique-ids of their twins: a seed then
// leads to the same life again.
func foreign(places []place) []place {
	return slices.DeleteFunc(slices.Clone(places), func(p place) bool { return parseName(p.name).micros() != "" })
}

// flag gives a message flags, and moves it to cur/ if it is not there.
func (n *neighbour) flag(p place, flags string) error {
	to := place{curFolder, p.name + ":2," + flags}
	if before, _, ok := strings.Cut(p.name, ":2,"); ok {
		to.name = before + ":2," + flags
	}
	if _, err := n.fs.Lstat(to.path(n.dir)); err == nil {
		return nil // it would replace another message
	}
	return errors.Join(n.fs.Rename(p.path(n.dir), to.path(n.dir)), n.sync())
}

func (n *neighbour) sync() error {
	for _, folder := range []string{newFolder, curFolder} {
		if err := n.fs.SyncDir(filepath.Join(n.dir, folder)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}
