package maildir

import (
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"postfach/internal/vfs"
	"postfach/maildrop/maildroptest"
)

// Each place in this package that syncs is there for a reason: with that one
// sync left out, the suite finds a message that is lost or a promise that is
// broken. A sync that is added and that no test needs fails here, too.
func TestEverySyncIsNeeded(t *testing.T) {
	lives := lifeOfClones(t)
	all := &lazySync{seen: map[string]bool{}}
	if err := lives.Check(func() maildroptest.Subject { return strictSubject(t, all.wrap) }); err != nil {
		t.Fatal(err)
	}
	for _, place := range slices.Sorted(maps.Keys(all.seen)) {
		t.Run(place, func(t *testing.T) {
			lazy := &lazySync{seen: map[string]bool{}, leaveOut: place}
			err := lives.Check(func() maildroptest.Subject { return strictSubject(t, lazy.wrap) })
			if err == nil {
				t.Error("nobody misses this sync")
			}
			t.Log(err)
		})
	}
}

func lifeOfClones(t *testing.T) maildroptest.Case {
	t.Helper()
	for _, c := range maildroptest.Cases() {
		if c.Name == "CrashClones" {
			return c
		}
	}
	t.Fatal("no such case")
	return maildroptest.Case{}
}

// A lazySync leaves out the sync of one place in the program, and notes all.
type lazySync struct {
	leaveOut string
	mu       sync.Mutex // guards seen
	seen     map[string]bool
}

func (l *lazySync) wrap(fsys vfs.FS) vfs.FS { return &lazyFS{fsys, l} }

// skip reports whether to leave out the sync that is being asked for.
func (l *lazySync) skip(what string) bool {
	place := what + " in " + caller()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.seen[place] = true
	return place == l.leaveOut
}

// caller returns the function of this package that asks, the line, and who
// called it.
func caller() string {
	pcs := make([]uintptr, 32)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs)])
	var chain []string
	for more := true; more && len(chain) < 2; {
		var f runtime.Frame
		f, more = frames.Next()
		_, function, ours := strings.Cut(f.Function, "/maildrop/maildir.")
		if ours && !strings.HasSuffix(f.File, "_test.go") {
			chain = append(chain, fmt.Sprintf("%s %s:%d", function, filepath.Base(f.File), f.Line))
		}
	}
	return strings.Join(chain, " from ")
}

type lazyFS struct {
	vfs.FS
	*lazySync
}

func (l *lazyFS) SyncDir(name string) error {
	if l.skip("SyncDir") {
		return nil
	}
	return l.FS.SyncDir(name)
}

func (l *lazyFS) Create(name string, perm fs.FileMode) (vfs.File, error) {
	f, err := l.FS.Create(name, perm)
	return &lazyFile{f, l.lazySync}, err
}

type lazyFile struct {
	vfs.File
	*lazySync
}

func (f *lazyFile) Sync() error {
	if f.skip("Sync") {
		return nil
	}
	return f.File.Sync()
}

func (l *lazyFS) Lock(dir string) (vfs.Lock, error) { return lockThrough(l, l.FS, dir) }

func (l *lazyFS) OpenFolder(dir string) (vfs.Folder, error) { return openThrough(l, l.FS, dir) }
