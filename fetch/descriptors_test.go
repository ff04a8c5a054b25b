package fetch

import (
	"fmt"
	"io/fs"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"

	"postfach/internal/vfs"
)

// few has only so many descriptors.
type few struct {
	vfs.FS
	open, most atomic.Int64
}

func (f *few) Create(name string, perm fs.FileMode) (vfs.File, error) {
	if f.open.Load() >= f.most.Load() {
		return nil, &fs.PathError{Op: "open", Path: name, Err: syscall.EMFILE}
	}
	file, err := f.FS.Create(name, perm)
	if err == nil {
		f.open.Add(1)
		file = fewFile{file, f}
	}
	return file, err
}

func (f *few) OpenFolder(dir string) (vfs.Folder, error) { return vfs.OpenThrough(f, f.FS, dir) }
func (f *few) Lock(dir string) (vfs.Lock, error)         { return vfs.LockThrough(f, f.FS, dir) }

type fewFile struct {
	vfs.File
	of *few
}

func (f fewFile) Close() error {
	f.of.open.Add(-1)
	return f.File.Close()
}

// With fewer descriptors than messages want, fewer of them wait at a time, and
// none fails (promise 17).
func TestFewDescriptorsAreEnough(t *testing.T) {
	for _, most := range []int64{1, 2, 7, 100} {
		t.Run(fmt.Sprint(most), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var many []string
				for i := range 640 {
					many = append(many, fmt.Sprintf("Subject: %d\r\n\r\n", i))
				}
				disk := &few{FS: vfs.NewStrict()}
				disk.most.Store(most)
				failed := 0
				r, err := getInto(t, fill(t, many...), slow(disk), "maildir:/mail", Options{Delete: true, Report: func(e Event) {
					if e.Kind == Failed {
						failed++
					}
				}}, nil)
				if err != nil || r.Fetched != len(many) || r.Deleted != len(many) || failed != 0 {
					t.Error(r, err, failed)
				}
			})
		})
	}
}

// Without any descriptor the run ends, as on a full disk.
func TestNoDescriptorsEndTheRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, err := getInto(t, fill(t, mails...), &few{FS: vfs.NewStrict()}, "maildir:/mail", Options{Delete: true}, nil)
		if err == nil || r.Failed != len(mails) || r.Deleted != 0 {
			t.Error(r, err)
		}
	})
}
