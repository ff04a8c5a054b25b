package deliver

import (
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"postfach/internal/vfs"
)

// staging are the targets that are Stagers.
var staging = []string{"maildir:/home/Mail", "dir:/home/mail"}

// What is staged is no mail yet: nobody sees it, a crash forgets it. Commit makes
// all of it durable at once, and of what it says nil to a crash takes nothing.
func TestCommit(t *testing.T) {
	for _, spec := range staging {
		for seed := range uint64(8) {
			fsys := vfs.NewStrict()
			target := open(t, fsys, spec).(Stager)
			var batch []*Staged
			for i, mail := range mails {
				s, known, err := stage(t.Context(), target, Key(fmt.Sprint(i)), mail)
				if err != nil || known {
					t.Fatal(known, err)
				}
				batch = append(batch, s)
			}
			if got := content(t, fsys, spec); len(got) != 0 || len(target.Records(Key("0"))) != 0 {
				t.Errorf("%s: before the Commit there is %.100q", spec, got)
			}
			lost := fsys.Clone()
			lost.Crash(seed)
			again := open(t, lost, spec)
			if got := content(t, lost, spec); len(got) != 0 {
				t.Errorf("%s, seed %d: a crash before the Commit leaves %.100q", spec, seed, got)
			}
			again.Close()
			for i, err := range target.Commit(batch) {
				if err != nil {
					t.Errorf("%s: message %d: %v", spec, i, err)
				}
			}
			fsys.Crash(seed)
			if got := content(t, fsys, spec); !slices.Equal(got, sorted(mails...)) {
				t.Errorf("%s, seed %d: a crash after the Commit leaves %.100q", spec, seed, got)
			}
		}
	}
}

// Goal 1 before goal 4: a batch shares the folder's sync and no other. When a
// message gets its name, whatever the power does then, it is whole.
func TestNoNameBeforeTheContentIsDurable(t *testing.T) {
	for _, spec := range staging {
		disk := vfs.NewStrict()
		var mu sync.Mutex // guards count: files are synced at once
		count := map[string]int{}
		watch := &vfs.Fail{FS: disk}
		target := open(t, watch, spec).(Stager)
		var batch []*Staged
		for i, mail := range mails {
			s, _, err := stage(t.Context(), target, Key(fmt.Sprint(i)), mail)
			if err != nil {
				t.Fatal(err)
			}
			batch = append(batch, s)
		}
		watch.Before = func(op, name string) {
			mu.Lock()
			defer mu.Unlock()
			count[op]++
			if op != "rename" && op != "syncdir" {
				return
			}
			if count["sync"] != len(mails) {
				t.Errorf("%s: %s after %d syncs", spec, op, count["sync"])
			}
			for seed := range uint64(4) {
				after := disk.Clone()
				after.Crash(seed)
				for _, mail := range content(t, after, spec) {
					if !slices.Contains(mails, mail) {
						t.Errorf("%s: a crash before %s, seed %d, leaves part of a message: %.40q", spec, op, seed, mail)
					}
				}
			}
		}
		for i, err := range target.Commit(batch) {
			if err != nil {
				t.Errorf("%s: message %d: %v", spec, i, err)
			}
		}
		if count["rename"] != len(mails) || count["syncdir"] != 1 {
			t.Errorf("%s: %v", spec, count)
		}
	}
}

// A message that cannot be synced fails alone; when the folder cannot be, none is
// delivered.
func TestCommitTellsOfEachMessage(t *testing.T) {
	for _, spec := range staging {
		for _, op := range []string{"sync", "rename", "syncdir"} {
			disk := vfs.NewStrict()
			fail := &vfs.Fail{FS: disk}
			target := open(t, fail, spec).(Stager)
			var batch []*Staged
			for i := range 5 {
				s, _, err := stage(t.Context(), target, Key(fmt.Sprint(i)), fmt.Sprintf("%d\r\n", i))
				if err != nil {
					t.Fatal(err)
				}
				batch = append(batch, s)
			}
			var once sync.Once
			fail.Before = func(did, _ string) {
				if did == op {
					once.Do(func() { fail.Arm(1, false) }) // this one
				}
			}
			failed := 0
			for _, err := range target.Commit(batch) {
				if err != nil {
					failed++
				}
			}
			want := 1
			if op == "syncdir" {
				want = 5
			}
			if failed != want {
				t.Errorf("%s: %s failed for %d messages, want %d", spec, op, failed, want)
			}
			if got := content(t, disk, spec); op != "syncdir" && len(got) != 4 {
				t.Errorf("%s: after a %s that failed %d are there: %q", spec, op, len(got), got)
			}
			if left := leftovers(disk, spec); len(left) > 0 {
				t.Errorf("%s: left behind: %q", spec, left)
			}
		}
	}
}

// Files are synced at once, and none is left out when a disk becomes slow in the
// middle of a batch or quick again.
func TestNoSyncIsLeftOutWhenTheDiskChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := &moody{Strict: vfs.NewStrict()}
		target := open(t, disk, "maildir:/mail").(Stager)
		defer target.Close()
		want := 0
		for _, c := range []struct {
			slow []bool // the batch's syncs, in the order in which they begin
			took time.Duration
		}{
			{[]bool{true, true, true}, time.Millisecond},
			{[]bool{false, false, false}, 0},
			{[]bool{false, true, true, true}, time.Millisecond},
			{[]bool{true, true, true}, time.Millisecond},
			{[]bool{false, false, false}, 0},
			{[]bool{false, false, false}, 0},
			{[]bool{true, false}, time.Millisecond},
		} {
			var batch []*Staged
			for range c.slow {
				want++
				s, _, err := stage(t.Context(), target, Key(fmt.Sprint(want)), fmt.Sprintf("%d\r\n", want))
				if err != nil {
					t.Fatal(err)
				}
				batch = append(batch, s)
			}
			disk.slow = c.slow
			begin := time.Now()
			for _, err := range target.Commit(batch) {
				if err != nil {
					t.Fatal(err)
				}
			}
			if took := time.Since(begin); took != c.took {
				t.Errorf("%v took %v", c.slow, took)
			}
			after := disk.Clone()
			after.Crash(0)
			got := slices.DeleteFunc(content(t, after, "maildir:/mail"), func(mail string) bool { return mail == "" })
			if len(got) != want {
				t.Errorf("after %v: %d messages are durable, want %d", c.slow, len(got), want)
			}
		}
	})
}

// A moody disk takes its time for some syncs.
type moody struct {
	*vfs.Strict
	mu   sync.Mutex // guards slow
	slow []bool
}

func (d *moody) Create(name string, perm fs.FileMode) (vfs.File, error) {
	f, err := d.Strict.Create(name, perm)
	return moodyFile{f, d}, err
}

func (d *moody) OpenFolder(dir string) (vfs.Folder, error) { return vfs.OpenThrough(d, d.Strict, dir) }

func (d *moody) Lock(dir string) (vfs.Lock, error) { return vfs.LockThrough(d, d.Strict, dir) }

type moodyFile struct {
	vfs.File
	d *moody
}

func (f moodyFile) Sync() error {
	f.d.mu.Lock()
	slow := f.d.slow[0]
	f.d.slow = f.d.slow[1:]
	f.d.mu.Unlock()
	if slow {
		<-time.After(time.Millisecond)
	}
	return f.File.Sync()
}

// leftovers returns the names that are no mail.
func leftovers(fsys vfs.FS, spec string) (left []string) {
	kind, home, _ := strings.Cut(spec, ":")
	if kind == "maildir" {
		left, _ = fsys.ReadDir(path.Join(home, "tmp"))
		return left
	}
	names, _ := fsys.ReadDir(home)
	return slices.DeleteFunc(names, func(name string) bool { return strings.HasSuffix(name, eml) })
}

// A message that is known is not staged, and leaves no open file.
func TestStageOfAKnownMessage(t *testing.T) {
	for _, spec := range staging {
		fsys := vfs.NewStrict()
		target := open(t, fsys, spec).(Stager)
		if _, err := put(t.Context(), target, "k", "a\r\n"); err != nil {
			t.Fatal(err)
		}
		s, err := target.Stage(t.Context(), strings.NewReader("a\r\n"), func() (Record, bool) { return Record{}, false })
		if s != nil || err != nil {
			t.Error(s, err)
		}
		if left := leftovers(fsys, spec); len(left) > 0 {
			t.Errorf("%s: %q", spec, left)
		}
	}
}

// Blocks are full, however the octets come, and an end that came too early is no
// end.
func TestSpoolReadsWholeBlocks(t *testing.T) {
	text := strings.Repeat("0123456789", block/4)
	for _, end := range []error{io.EOF, io.ErrUnexpectedEOF} {
		s := &spooler{}
		var writes []int
		var got strings.Builder
		err := s.copy(writerFunc(func(p []byte) (int, error) {
			writes = append(writes, len(p))
			return got.Write(p)
		}), io.Discard, &dripping{text: text, end: end})
		if end == io.EOF && (err != nil || got.String() != text || !slices.Equal(writes, []int{block, block, len(text) - 2*block})) {
			t.Error(err, writes)
		}
		if end != io.EOF && err != end {
			t.Error(err)
		}
	}
}

type writerFunc func(p []byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// dripping gives few octets at a time, and the last ones together with the end.
type dripping struct {
	text string
	end  error
}

func (d *dripping) Read(p []byte) (int, error) {
	n := copy(p[:min(len(p), 1000)], d.text)
	d.text = d.text[n:]
	if d.text == "" {
		return n, d.end
	}
	return n, nil
}
