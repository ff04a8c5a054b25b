package maildir

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"postfach/internal/vfs"
	"postfach/maildrop"
	"postfach/pop3"
)

// A snapshot is a maildrop as a session found it. It never changes, and sessions
// that come later share it.
//
// It may be taken for what is there only while nothing can have changed: see whole
// and unchanged. Otherwise it is knowledge of single files: see known.
type snapshot struct {
	home     vfs.FileID // the folder of the Maildir
	folders  [2]folderTime
	messages []maildrop.Message
	files    []file // of the messages with the same index
	// unsettled are the indices of files that could be written to and look the same,
	// or whose size is a guess.
	unsettled []int32
	// whole: it shows all that was there at the times of the folders, nothing was in
	// doubt, and no later change can hide behind the same times.
	whole bool
	// fresh is how many files were not known from the snapshot before, nor from those
	// before that, since one was written to the index.
	fresh int
	text  int64 // octets of names and ids
	// held are those that names and ids keep in memory: after a restart they are parts of
	// longer texts.
	held int64

	add   sync.Once
	total int64 // of the sizes of messages, in octets

	sort sync.Once
	byID []int32 // indices in the order of the unique-ids; nil: it is that of the messages
}

// A file says where a message was last seen, and which file it is, whatever
// its name may be by now.
type file struct {
	name  string     // empty: it is gone
	id    vfs.FileID // zero: could not be found out
	mtime int64
	// length is that of the file, with its line ends as they are.
	length int64
	folder uint8 // in folderNames
}

// folderNames are the folders that hold messages, in the order in which they are
// read.
var folderNames = [2]string{newFolder, curFolder}

func fileOf(p place, info vfs.Info) file {
	return file{p.name, info.ID, info.ModTime.UnixNano(), info.Size, folderIndex(p.folder)}
}

func folderIndex(folder string) uint8 {
	if folder == curFolder {
		return 1
	}
	return 0
}

func (f *file) gone() bool { return f.name == "" }

func (f *file) place() place { return place{folderNames[f.folder], f.name} }

// is reports whether info is of the very file that Open saw. An inode's number
// may be given to another file; then the time of its content is another, too,
// unless both were written in one tick of the file system's clock, and most
// often its length.
func (f *file) is(info vfs.Info) bool {
	return f.same(&file{id: info.ID, mtime: info.ModTime.UnixNano(), length: info.Size})
}

// same is the same for what was seen elsewhere.
func (f *file) same(as *file) bool {
	return f.id != vfs.FileID{} && f.id == as.id && f.mtime == as.mtime && f.length == as.length
}

// find returns the index of a message.
func (x *snapshot) find(id pop3.UniqueID) (i int, ok bool) {
	x.sort.Do(x.sortIDs)
	if x.byID == nil {
		return slices.BinarySearchFunc(x.messages, id, func(m maildrop.Message, id pop3.UniqueID) int {
			return strings.Compare(string(m.ID), string(id))
		})
	}
	k, ok := slices.BinarySearchFunc(x.byID, id, func(i int32, id pop3.UniqueID) int {
		return strings.Compare(string(x.messages[i].ID), string(id))
	})
	if !ok {
		return 0, false
	}
	return int(x.byID[k]), true
}

// sortIDs makes byID where it is needed. Only who asks for a message pays for it.
func (x *snapshot) sortIDs() {
	compare := func(a, b maildrop.Message) int { return strings.Compare(string(a.ID), string(b.ID)) }
	if slices.IsSortedFunc(x.messages, compare) {
		return
	}
	x.byID = make([]int32, len(x.messages))
	for i := range x.byID {
		x.byID[i] = int32(i)
	}
	slices.SortFunc(x.byID, func(a, b int32) int { return compare(x.messages[a], x.messages[b]) })
}

// sum adds up the sizes, once for all sessions that share them.
func (x *snapshot) sum() int64 {
	x.add.Do(func() {
		for i := range x.messages {
			x.total += x.messages[i].Size
		}
	})
	return x.total
}

// clone returns a snapshot with the same messages, in files of its own. It is not
// whole: a file is not where it was.
func (x *snapshot) clone() *snapshot {
	x.sort.Do(x.sortIDs)
	c := &snapshot{home: x.home, folders: x.folders, messages: x.messages, files: slices.Clone(x.files), unsettled: x.unsettled, fresh: x.fresh, text: x.text, held: x.held, byID: x.byID}
	c.sort.Do(func() {}) // it is
	return c
}

// octets is about how much memory it takes.
func (x *snapshot) octets() int64 {
	const each, other = 24 + 56 + 4, 512 // on 64 bits
	return other + each*int64(len(x.messages)) + 4*int64(len(x.unsettled)) + max(x.text, x.held)
}

// hold notes what the names keep in memory, which came from a snapshot before and from
// fresh readings. It copies them where most of that is of messages that are gone.
func (x *snapshot) hold(before *snapshot) {
	x.held = x.text
	if before == nil || before.held <= 2*x.text {
		if before != nil {
			x.held = max(x.text, before.held)
		}
		return
	}
	for i := range x.files {
		f, m := &x.files[i], &x.messages[i]
		own := startsWith(f.name, m.ID)
		f.name = strings.Clone(f.name)
		if own {
			m.ID = pop3.UniqueID(f.name[:len(m.ID)])
		} else {
			m.ID = pop3.UniqueID(strings.Clone(string(m.ID)))
		}
	}
}

// unchanged reports whether a snapshot still shows what is in the maildrop: each
// folder is the one that it was, and nothing has been added, removed or renamed in
// it. That takes a look at the folders, and at the files that were too young to be
// trusted. settled is the snapshot to use from now on.
//
// What is written into a file in place shows when the file is opened: see openHere.
func (d *drop) unchanged(ctx context.Context, x *snapshot) (settled *snapshot, err error) {
	if !x.whole || x.home != d.home {
		return nil, nil
	}
	for i, folder := range folderNames {
		now, err := d.lookAt(folder)
		if err != nil || now.folderTime != x.folders[i] {
			return nil, err
		}
	}
	if len(x.unsettled) == 0 {
		return x, nil
	}
	return d.settle(ctx, x)
}

// settle looks at the files that were young when the snapshot was taken: nil when one
// was written to.
func (d *drop) settle(ctx context.Context, x *snapshot) (*snapshot, error) {
	places := make([]place, len(x.unsettled))
	for k, i := range x.unsettled {
		places[k] = x.files[i].place()
	}
	limit := time.Now().Add(-settledAfter) // before the look
	infos, errs := make([]vfs.Info, len(places)), make([]error, len(places))
	err := d.lstatAll(ctx, places, func(i int, info vfs.Info, err error) { infos[i], errs[i] = info, err })
	if err != nil {
		return nil, err
	}
	var left []int32
	for k, i := range x.unsettled {
		if errs[k] != nil || !x.files[i].is(infos[k]) {
			return nil, nil
		}
		if young(changeTime(infos[k]), limit) {
			left = append(left, i)
		}
	}
	if len(left) == len(x.unsettled) {
		return x, nil
	}
	return &snapshot{home: x.home, folders: x.folders, messages: x.messages, files: x.files, unsettled: left, whole: true, fresh: x.fresh, text: x.text, held: x.held}, nil
}

// settledAfter is how old a file must be before it is not looked at again: by then
// a further change moves its times.
const settledAfter = 2 * time.Second

// young reports whether a file changed after the limit.
func young(changed int64, limit time.Time) bool { return changed > limit.UnixNano() }

// changeTime is when a file changed. Its time may be set to anything, that of the inode
// may not.
func changeTime(info vfs.Info) int64 {
	if info.ChangeTime.IsZero() {
		return info.ModTime.UnixNano()
	}
	return info.ChangeTime.UnixNano()
}
