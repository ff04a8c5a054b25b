//go:build unix

package maildir

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"math"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"postfach/internal/vfs"
	"postfach/maildrop"
	"postfach/maildrop/maildroptest"
)

// indexedStore is strictStore with an index on the disk.
func indexedStore(t *testing.T, n int) (s *Store, disk *vfs.Fail, dir string) {
	t.Helper()
	s, disk, dir = strictStore(t, n)
	s.Index, s.indexed = "/index", 1
	poll(t, s)
	if _, err := disk.Lstat(s.indexName(dir)); err != nil {
		t.Fatal(err)
	}
	return s, disk, dir
}

// restart returns the store of the process that comes after.
func restart(s *Store) *Store {
	after := storeOn(s.FS, strictRoot)
	after.Index, after.indexed = s.Index, s.indexed
	return after
}

// After a restart an unchanged maildrop is known.
func TestIndexOutlivesTheProcess(t *testing.T) {
	s, disk, _ := indexedStore(t, 50)
	want := poll(t, s)
	s = restart(s)
	ops := operations(disk, func() {
		if got := poll(t, s); !slices.Equal(got, want) {
			t.Errorf("listed %q, want %q", got, want)
		}
	})
	if got := strings.Join(ops, " "); got != "lock stat open fstat read close lstat lstat" {
		t.Errorf("operations: %s", got)
	}
}

// What changed meanwhile is seen, and sizes of what stayed are known.
func TestIndexOfAnEarlierTime(t *testing.T) {
	s, disk, dir := indexedStore(t, 50)
	s = restart(s)
	if err := errors.Join(put(disk, dir, "new/2000.y", "y\n"), disk.Remove(filepath.Join(dir, "new/1000.x"))); err != nil {
		t.Fatal(err)
	}
	ops := operations(disk, func() {
		if got := poll(t, s); len(got) != 50 || got[0] != "1001.x" || got[49] != "2000.y" {
			t.Errorf("listed %q", got)
		}
	})
	if len(ops) > 25 {
		t.Errorf("%d operations: %q", len(ops), ops)
	}
}

// Promise 3: after a power failure the times of the folders prove nothing. They are
// read again; the sizes of files that are still there are known.
func TestIndexFromBeforeACrash(t *testing.T) {
	s, disk, dir := indexedStore(t, 5)
	strict := disk.FS.(*vfs.Strict)
	if err := errors.Join(disk.SyncDir(filepath.Join(dir, newFolder)), disk.SyncDir("/"), disk.SyncDir("/index")); err != nil {
		t.Fatal(err)
	}
	if err := disk.Remove(filepath.Join(dir, "new/1002.x")); err != nil { // and not synced
		t.Fatal(err)
	}
	for range 2 { // the second session knows that an index is worth it
		if got := poll(t, s); len(got) != 4 {
			t.Fatalf("listed %q", got)
		}
	}
	index, err := disk.Append(s.indexName(dir), 0)
	if err == nil {
		err = errors.Join(index.Sync(), index.Close(), disk.SyncDir("/index"))
	}
	if err != nil {
		t.Fatal(err)
	}
	strict.Crash(0)
	if got := poll(t, restart(s)); len(got) != 5 {
		t.Errorf("after the power failure: listed %q", got)
	}
}

// An index that is damaged, cut off, or of another Maildir, is as if there were none.
func TestBadIndexIsIgnored(t *testing.T) {
	s, disk, dir := indexedStore(t, 3)
	want, name := poll(t, s), s.indexName(dir)
	good := readAll(t, disk, name)
	bad := map[string][]byte{"empty": nil, "foreign": formatIndex(mustOpenAndClose(t, s).seen, "/mail/other", "0")}
	for i := range good {
		damaged := slices.Clone(good)
		damaged[i] ^= 1 << (i % 8)
		bad[fmt.Sprint("octet ", i)], bad[fmt.Sprint("cut at ", i)] = damaged, good[:i]
	}
	for what, octets := range bad {
		if x, err := parse(octets, dir, "0"); err == nil {
			t.Errorf("%s: %d messages", what, len(x.messages))
		}
	}
	for _, octets := range [][]byte{nil, good[:len(good)/2], append(slices.Clone(good), 0)} {
		err := errors.Join(disk.Remove(name), put(disk, "/", name, string(octets)))
		if err != nil {
			t.Fatal(err)
		}
		after := restart(s)
		if got := poll(t, after); !slices.Equal(got, want) {
			t.Errorf("listed %q, want %q", got, want)
		}
		if !slices.Equal(readAll(t, disk, name), good) {
			t.Error("it was not written anew")
		}
	}
}

// Nothing depends on the index: a session goes well whatever fails in its folder.
func TestIndexThatCannotBeWritten(t *testing.T) {
	s, disk, dir := indexedStore(t, 3)
	for n := 1; ; n++ {
		if err := disk.Remove(s.indexName(dir)); err != nil && n == 1 {
			t.Fatal(err)
		}
		after := restart(s)
		d := mustOpen(t, after)
		disk.Arm(n, true)
		if err := d.Close(); err != nil {
			t.Errorf("operation %d fails: %v", n, err)
		}
		fired := disk.Fired()
		disk.Arm(0, false)
		if got := poll(t, after); len(got) != 3 {
			t.Errorf("operation %d failed: listed %q", n, got)
		}
		if !fired {
			return
		}
	}
}

// An index is not written again for a maildrop to which a message came.
func TestIndexIsNotWrittenForEachMessage(t *testing.T) {
	s, disk, dir := indexedStore(t, 100)
	for n := range 10 {
		if err := put(disk, dir, fmt.Sprintf("new/%d.y", 2000+n), "y\n"); err != nil {
			t.Fatal(err)
		}
		ops := operations(disk, func() { poll(t, s) })
		if slices.Contains(ops, "rename") {
			t.Errorf("message %d: %q", n, ops)
		}
	}
	if ops := operations(disk, func() { poll(t, s) }); !slices.Contains(ops, "rename") {
		t.Errorf("nothing comes any more: %q", ops)
	}
}

// Indexes of Maildirs that are no more are removed, and nothing else is.
func TestOldIndexesAreRemoved(t *testing.T) {
	strict := vfs.NewStrict()
	now := time.Unix(1_000_000_000, 0)
	strict.Clock = func() time.Time { now = now.Add(time.Millisecond); return now }
	s := newStore(t, strict, strictRoot)
	s.Index, s.indexed = "/index", 1
	gone := s.indexName("/mail/gone")
	later := func(d time.Duration, names ...string) {
		for _, name := range names {
			if err := put(strict, "/", name, "x"); err != nil {
				t.Fatal(err)
			}
		}
		now = now.Add(d)
	}
	if err := strict.Mkdir("/index", 0o700); err != nil {
		t.Fatal(err)
	}
	later(indexKept, gone, gone+"0", "/index/keep", "/index/0123"+partOf+"x")
	later(partKept+time.Hour, gone+partOf+"x", s.indexName("/mail/kept"))
	later(0, gone+partOf+"y", strictRoot+"/"+maildroptest.User+"/new/1.x")
	poll(t, s)
	got, err := strict.ReadDir("/index")
	want := []string{gone + "0", "/index/keep", "/index/0123" + partOf + "x", s.indexName("/mail/kept"), gone + partOf + "y", s.indexName("/mail/" + maildroptest.User)}
	for i := range want {
		want[i] = filepath.Base(want[i])
	}
	slices.Sort(want)
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("left: %q, %v, want %q", got, err, want)
	}
}

func mustOpenAndClose(t testing.TB, s *Store) *drop {
	t.Helper()
	d := mustOpen(t, s)
	d.Close()
	return d.(*drop)
}

func readAll(t *testing.T, fsys vfs.FS, name string) []byte {
	t.Helper()
	f, err := fsys.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Info()
	octets := make([]byte, info.Size)
	if _, readErr := f.ReadAt(octets, 0); readErr != nil && info.Size > 0 {
		t.Fatal(err, readErr)
	}
	return octets
}

// sealed gives octets the length and the checksum of an index.
func sealed(b []byte) []byte {
	b = slices.Clone(b)
	if len(b) >= len(indexMagic)+8 {
		copy(b, indexMagic)
		binary.LittleEndian.PutUint64(b[len(indexMagic):], uint64(len(b)-len(indexMagic)+4))
	}
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

// Whatever lies there: what is parsed is within bounds, and formats and parses again.
func FuzzIndex(f *testing.F) {
	x := &snapshot{
		home: vfs.FileID{Device: 1, Inode: 2}, whole: true, unsettled: []int32{1}, text: 17, held: 17,
		folders:  [2]folderTime{{vfs.FileID{Device: 1, Inode: 3}, 4, 5}, {vfs.FileID{Device: 1, Inode: 6}, 7, math.MinInt64}},
		messages: []maildrop.Message{{ID: "1.x", Size: 8}, {ID: "hashed", Size: 9}},
		files: []file{
			{name: "1.x:2,S", id: vfs.FileID{Device: 1, Inode: 10}, mtime: 11, length: 12, folder: 1},
			{name: "long", id: vfs.FileID{Device: 2, Inode: 13}, mtime: -14, length: 15},
		},
	}
	const root = "/mail/" + maildroptest.User
	good := formatIndex(x, root, "boot")
	if y, err := parse(good, root, "boot"); err != nil || !reflect.DeepEqual(y, x) {
		f.Fatalf("%+v, %v", y, err)
	}
	f.Add(good[:len(good)-4])
	f.Add(formatIndex(&snapshot{}, root, "")[:len(indexMagic)+indexHead])
	f.Fuzz(func(t *testing.T, octets []byte) {
		x, err := parse(sealed(octets), root, "boot")
		if err != nil {
			return
		}
		for i := range x.files {
			name := x.files[i].name
			if strings.ContainsAny(name, "/\x00") || name == "" || name[0] == '.' || len(x.messages[i].ID) > 70 || x.messages[i].ID == "" {
				t.Errorf("message %q in file %q", x.messages[i].ID, name)
			}
		}
		again, err := parse(formatIndex(x, root, "boot"), root, "boot")
		if err != nil || !reflect.DeepEqual(again.messages, x.messages) || !reflect.DeepEqual(again.files, x.files) || again.folders != x.folders {
			t.Errorf("%+v, then %+v, %v", x, again, err)
		}
	})
}

func parse(octets []byte, root, boot string) (*snapshot, error) {
	return parseIndex(bytes.NewReader(octets), int64(len(octets)), root, boot)
}

// formatIndex returns the index of a snapshot, or nil when it has none.
func formatIndex(x *snapshot, root, boot string) []byte {
	size, ok := sizeIndex(x)
	if !ok {
		return nil
	}
	var b bytes.Buffer
	if err := writeIndexTo(&b, x, size, root, boot); err != nil {
		return nil
	}
	return b.Bytes()
}

// A largestWrite notes the longest part of a file that is written at once.
type largestWrite struct {
	vfs.FS
	most *int
}

func (l largestWrite) Create(name string, perm fs.FileMode) (vfs.File, error) {
	f, err := l.FS.Create(name, perm)
	return largestFile{f, l.most}, err
}

type largestFile struct {
	vfs.File
	most *int
}

func (f largestFile) Write(p []byte) (int, error) {
	*f.most = max(*f.most, len(p))
	return f.File.Write(p)
}

// Promise 15: no index is in memory as a whole.
func TestIndexIsWrittenInParts(t *testing.T) {
	s, disk, dir := indexedStore(t, 5000)
	if err := disk.Remove(s.indexName(dir)); err != nil {
		t.Fatal(err)
	}
	most := 0
	s.FS = largestWrite{s.FS, &most}
	poll(t, restart(s))
	if info, err := disk.Lstat(s.indexName(dir)); err != nil || most == 0 || most > indexPart+1<<10 || info.Size < int64(2*most) {
		t.Errorf("%d of %d octets were written at once, %v", most, info.Size, err)
	}
}

// A file that is gone is not in an index: one without a name could not be read again.
func TestIndexHasNoFileWithoutAName(t *testing.T) {
	s, disk, dir := strictStore(t, 20)
	s.Index, s.indexed = "/index", 1
	d := mustOpen(t, s)
	if err := disk.Remove(filepath.Join(dir, "new/1003.x")); err != nil {
		t.Fatal(err)
	}
	if _, err := fetch(t, d, "1003.x"); !errors.Is(err, maildrop.ErrGone) {
		t.Fatal(err)
	}
	d.Close()
	if _, err := s.readIndex(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the index that was just written: %v", err)
	}
	if got := poll(t, s); len(got) != 19 {
		t.Errorf("the next session lists %q", got)
	}
	if x, err := s.readIndex(dir); err != nil || len(x.messages) != 19 {
		t.Errorf("its index: %v", err)
	}
}
