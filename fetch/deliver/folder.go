package deliver

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"postfach/internal/vfs"
)

// A folder holds a file a message, <record>.eml, octets as received, with
// CRLF. A second message with the same octets is <record>-2.eml.
type folder struct {
	records
	spooler
	lock vfs.Lock
}

const (
	eml       = ".eml"
	tmpPrefix = ".postfach-"
)

func openFolder(fsys vfs.FS, dir string) (*folder, error) {
	if err := vfs.MkdirAll(fsys, dir, folderPerm); err != nil {
		return nil, err
	}
	lock, err := fsys.Lock(dir)
	if err != nil {
		return nil, err
	}
	f := &folder{spooler: spooler{in: lock}, lock: lock}
	if err := f.load(fsys, dir); err != nil {
		lock.Close()
		return nil, err
	}
	return f, nil
}

func (f *folder) load(fsys vfs.FS, dir string) error {
	if err := fsys.SyncDir(dir); err != nil {
		return err
	}
	names, err := fsys.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, name := range names {
		if r, ok := parseEML(name); ok {
			f.add(r)
		}
	}
	return removeAll(fsys, dir, func(name string) bool { return strings.HasPrefix(name, tmpPrefix) })
}

// parseEML finds the record in a name.
func parseEML(name string) (Record, bool) {
	name, ok := strings.CutSuffix(name, eml)
	if !ok {
		return Record{}, false
	}
	if parts := strings.SplitN(name, "-", 4); len(parts) == 4 { // the copy's number
		name = strings.Join(parts[:3], "-")
	}
	return parseRecord(name)
}

// Deliver implements Target.
func (f *folder) Deliver(ctx context.Context, r io.Reader, record func() (Record, bool)) error {
	return deliverOne(ctx, f, r, record)
}

// Stage implements Stager.
func (f *folder) Stage(ctx context.Context, r io.Reader, record func() (Record, bool)) (*Staged, error) {
	return f.stage(ctx, tmpPrefix+rand.Text(), r, io.Discard, record)
}

// Commit implements Stager.
func (f *folder) Commit(batch []*Staged) []error {
	return commit(f.lock, f.lock, batch, func(s *Staged) (string, error) { return f.free(s.record) }, f.add)
}

// free returns a name that nothing has: Rename would replace it.
func (f *folder) free(r Record) (string, error) {
	name := r.String()
	for n := 1; ; n++ {
		try := name + eml
		if n > 1 {
			try = fmt.Sprintf("%s-%d%s", name, n, eml)
		}
		_, err := f.lock.Lstat(try)
		if errors.Is(err, fs.ErrNotExist) {
			return try, nil
		}
		if err != nil {
			return "", err
		}
	}
}

// Close implements Target.
func (f *folder) Close() error { return f.lock.Close() }
