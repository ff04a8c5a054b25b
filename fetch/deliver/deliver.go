// Package deliver puts fetched messages where people want them: a Maildir, an
// mbox file, a folder of .eml files. The target itself is the record of what
// it has, so that no second file can disagree with it: every message carries a
// Record in its name, or in its separator line.
package deliver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"postfach/internal/vfs"
)

// A Target takes messages. One run uses it at a time; opening it locks it.
type Target interface {
	// Records returns what is there under this key, whoever moved or flagged
	// it since.
	Records(key string) []Record

	// Deliver stores what r gives, octet for octet. When r has come to its
	// end, record says under which Record; false throws the octets away,
	// because they are there already. nil means that the message is durable:
	// it survives a power failure. On an error nothing of it stays, or it is
	// found whole by a later run.
	Deliver(ctx context.Context, r io.Reader, record func() (Record, bool)) error

	// Close gives the lock back.
	Close() error
}

// A Stager is a Target in which many messages become durable together: several
// syncs at once cost little more than one. Deliver is Stage and Commit of one
// message.
type Stager interface {
	Target

	// Stage is Deliver without the promise: the message is stored, but nobody
	// sees it, a crash may lose it, and Records does not know it. nil without
	// an error: record said false. Where no more files may be open (EMFILE,
	// ENFILE) nothing of r has been read, and after a Commit of others it can be
	// tried again. One goroutine stages at a time.
	Stage(ctx context.Context, r io.Reader, record func() (Record, bool)) (*Staged, error)

	// Commit delivers what was staged. errs[i] is what Deliver would have
	// returned for batch[i]: only with nil that message is durable. Others may
	// be staged meanwhile; one Commit runs at a time. Each Staged is an open
	// file until then.
	Commit(batch []*Staged) (errs []error)
}

// Errors of Open.
var (
	ErrSpec   = errors.New("want maildir:FOLDER, mbox:FILE or dir:FOLDER")
	ErrLocked = errors.New("another program is delivering there")
)

// Open opens the target that spec names: maildir:FOLDER, mbox:FILE or
// dir:FOLDER. It makes what is missing, and cleans up what an interrupted run
// left behind. The caller closes the Target. A nil fsys is the real file
// system; others are for tests.
func Open(fsys vfs.FS, spec string) (Target, error) {
	if fsys == nil {
		fsys = vfs.OS{}
	}
	kind, name, _ := strings.Cut(spec, ":")
	if name == "" {
		return nil, ErrSpec
	}
	var t Target
	var err error
	switch kind {
	case "maildir":
		t, err = openMaildir(fsys, name)
	case "mbox":
		t, err = openMbox(fsys, name)
	case "dir":
		t, err = openFolder(fsys, name)
	default:
		return nil, ErrSpec
	}
	if errors.Is(err, vfs.ErrLocked) {
		err = ErrLocked
	}
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", spec, err)
	}
	return t, nil
}

// Files and folders are for their owner only: mail is private.
const (
	folderPerm = 0o700
	filePerm   = 0o600
)
