package deliver

import (
	"fmt"
	"io/fs"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"postfach/internal/vfs"
)

// patient is a disk whose syncs take their time, and that counts those that wait.
type patient struct {
	vfs.FS
	waiting, most atomic.Int64
}

func (d *patient) Create(name string, perm fs.FileMode) (vfs.File, error) {
	f, err := d.FS.Create(name, perm)
	return patientFile{f, d}, err
}

func (d *patient) OpenFolder(dir string) (vfs.Folder, error) { return vfs.OpenThrough(d, d.FS, dir) }

func (d *patient) Lock(dir string) (vfs.Lock, error) { return vfs.LockThrough(d, d.FS, dir) }

type patientFile struct {
	vfs.File
	d *patient
}

func (f patientFile) Sync() error {
	n := f.d.waiting.Add(1)
	defer f.d.waiting.Add(-1)
	for most := f.d.most.Load(); n > most && !f.d.most.CompareAndSwap(most, n); most = f.d.most.Load() {
	}
	<-time.After(time.Millisecond)
	return f.File.Sync()
}

// A sync holds a thread, and a process that gets no more threads dies (promise
// 17). So few syncs go on at a time, however many messages there are, and each of
// them many times.
func TestSyncsTakeFewThreads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := &patient{FS: vfs.NewStrict()}
		target := open(t, disk, "maildir:/mail").(Stager)
		defer target.Close()
		var batch []*Staged
		for i := range 128 {
			s, _, err := stage(t.Context(), target, Key(fmt.Sprint(i)), fmt.Sprintf("%d\r\n", i))
			if err != nil {
				t.Fatal(err)
			}
			batch = append(batch, s)
		}
		begin := time.Now()
		for _, err := range target.Commit(batch) {
			if err != nil {
				t.Fatal(err)
			}
		}
		if most := disk.most.Load(); most > 16 || time.Since(begin) > 8*time.Millisecond {
			t.Errorf("%d syncs at once, all of them took %v", most, time.Since(begin))
		}
	})
}
