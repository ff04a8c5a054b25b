package maildir

import (
	"errors"
	"fmt"

	"postfach/pop3"
)

// errAmbiguous: two files have one name, and the disk does not say whether they
// are one file. To guess would give a message an id that is not its own.
var errAmbiguous = errors.New("cannot tell whether two files are one message")

// pin renames the files that could inherit the unique-id of a marked message:
// of two files with one name the later has an id of its own only while the
// earlier is there. Open has renamed those that were there and could be renamed;
// this is for twins that came since, and for what went wrong then. A client that saw the freed id before would take the other
// message for one that it has, and might delete it unread. So goal 1, no mail
// is lost, wins here over "files are served as they are". Marked files are
// pinned, too: a crash may undo one removal and not another. All this comes
// before the removals and is durable by then; where it fails, the marked
// message stays.
func (u *update) pin(near []*entry) {
	var namings []*naming
	heirs := map[*naming][]*removal{}
	for _, e := range near {
		heirTo := u.heirTo(e)
		if len(heirTo) == 0 {
			continue
		}
		n := &naming{entry: e, err: errAmbiguous}
		if e.known() {
			n.id, n.err = u.ownID(e), nil
		}
		namings = append(namings, n)
		heirs[n] = heirTo
	}
	u.drop.giveNames(namings)
	for _, n := range namings {
		if n.err == nil {
			continue
		}
		if m := u.marked[n.entry.id]; m != nil {
			m.fail(n.err)
		}
		for _, m := range heirs[n] {
			m.fail(fmt.Errorf("another message would get its unique-id: %w", n.err))
		}
	}
}

// heirTo returns the marked messages whose unique-ids e could come to have.
func (u *update) heirTo(e *entry) (heirTo []*removal) {
	own := e.id
	// More than two files would have to have one name in one folder for e to
	// need more steps than these.
	for step := range 4 {
		if step > 0 && !e.known() {
			break // nothing to hash
		}
		id := e.candidate(step)
		if id == own {
			break
		}
		m := u.marked[id]
		if m == nil || m.err != nil {
			continue
		}
		// A stranger may be the marked message itself, written anew, as long
		// as that was not found elsewhere.
		if own != "" || !e.known() || len(m.found) > 0 {
			heirTo = append(heirTo, m)
		}
	}
	return heirTo
}

// ownID returns the unique-id that e has, or, when Open did not see it, one
// that no message has.
func (u *update) ownID(e *entry) pop3.UniqueID {
	if id := e.id; id != "" {
		return id
	}
	for step := 1; ; step++ {
		id := e.candidate(step)
		if _, used := u.drop.seen.find(id); !used {
			return id
		}
	}
}
