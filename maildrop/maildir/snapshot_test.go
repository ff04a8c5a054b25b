//go:build unix

package maildir

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"postfach/internal/vfs"
	"postfach/maildrop"
	"postfach/maildrop/maildroptest"
	"postfach/pop3"
)

// operations returns what is done below the store until the function is done.
func operations(disk *vfs.Fail, do func()) (ops []string) {
	var mu sync.Mutex // guards ops
	disk.Before = func(op, _ string) {
		mu.Lock()
		defer mu.Unlock()
		ops = append(ops, op)
	}
	do()
	disk.Before = nil
	return ops
}

// strictStore returns a store with n messages without hints.
func strictStore(t testing.TB, n int) (s *Store, disk *vfs.Fail, dir string) {
	t.Helper()
	disk = &vfs.Fail{FS: vfs.NewStrict()}
	s, dir = newStore(t, disk, strictRoot), filepath.Join(strictRoot, maildroptest.User)
	for i := range n {
		if err := put(disk, dir, fmt.Sprintf("new/%d.x", 1000+i), fmt.Sprintf("message %d\n", i)); err != nil {
			t.Fatal(err)
		}
	}
	return s, disk, dir
}

// poll is a session that only looks.
func poll(t testing.TB, s *Store) []string {
	t.Helper()
	d := mustOpen(t, s)
	defer d.Close()
	return ids(d)
}

// An unchanged maildrop is answered without a look at its messages: it takes a look
// at its folders, and no reading of them.
func TestUnchangedMaildropIsNotRead(t *testing.T) {
	s, disk, _ := strictStore(t, 50)
	want := poll(t, s)
	ops := operations(disk, func() {
		if got := poll(t, s); !slices.Equal(got, want) || len(got) != 50 {
			t.Errorf("listed %q, want %q", got, want)
		}
	})
	if got := strings.Join(ops, " "); got != "lock stat lstat lstat" {
		t.Errorf("operations: %s", got)
	}
}

// What comes is examined, and nothing else is.
func TestOnlyNewFilesAreExamined(t *testing.T) {
	s, disk, dir := strictStore(t, 50)
	poll(t, s)
	if err := errors.Join(put(disk, dir, "new/2000.y", "new\n"), disk.Remove(filepath.Join(dir, "new/1003.x"))); err != nil {
		t.Fatal(err)
	}
	ops := operations(disk, func() {
		if got := poll(t, s); len(got) != 50 || got[49] != "2000.y" || slices.Contains(got, "1003.x") {
			t.Errorf("listed %q", got)
		}
	})
	if n := len(ops); n > 20 {
		t.Errorf("%d operations: %q", n, ops)
	}
}

// A message whose flags change, or that is moved to cur/, is not read again.
func TestFlagsKeepSizes(t *testing.T) {
	s, disk, dir := strictStore(t, 50)
	before := mustOpen(t, s)
	want := slices.Clone(before.Messages())
	before.Close()
	for i := range 50 {
		name := fmt.Sprintf("%d.x", 1000+i)
		if err := disk.Rename(filepath.Join(dir, "new", name), filepath.Join(dir, "cur", name+":2,S")); err != nil {
			t.Fatal(err)
		}
	}
	ops := operations(disk, func() {
		d := mustOpen(t, s)
		defer d.Close()
		if !slices.Equal(d.Messages(), want) {
			t.Errorf("listed %v, want %v", d.Messages(), want)
		}
	})
	if slices.Contains(ops, "read") {
		t.Errorf("a message was read: %q", ops)
	}
}

// Goal 1: whatever comes, goes and moves between two sessions, however fast, the
// second one sees it: also on a file system that shows one time for all that
// happens within a tick.
func TestNoChangeHidesInATick(t *testing.T) {
	for _, tick := range []time.Duration{time.Nanosecond, 4 * time.Millisecond, 10 * time.Millisecond, 2 * time.Second} {
		for seed := range uint64(6) {
			t.Run(fmt.Sprint(tick, " ", seed), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { liveInTicks(t, tick, rand.New(rand.NewPCG(seed, 2))) })
			})
		}
	}
}

func liveInTicks(t *testing.T, tick time.Duration, dice *rand.Rand) {
	strict := vfs.NewStrict()
	strict.Clock = func() time.Time { return time.Now().Truncate(tick) }
	s, dir := newStore(t, strict, strictRoot), filepath.Join(strictRoot, maildroptest.User)
	s.Index, s.indexed = "/index", 1
	there := map[string]string{} // ids, and names
	pauses := []time.Duration{0, 0, time.Millisecond, 5 * time.Millisecond, 20 * time.Millisecond, 60 * time.Millisecond, 3 * time.Second}
	for n := range 300 {
		time.Sleep(pauses[dice.IntN(len(pauses))])
		id := fmt.Sprintf("%d.x", 1000+n)
		switch dice.IntN(6) {
		case 0:
			there[id] = "new/" + id
			if err := put(strict, dir, there[id], id+"\n"); err != nil {
				t.Fatal(err)
			}
		case 1:
			for old, name := range there {
				delete(there, old)
				if err := strict.Remove(filepath.Join(dir, name)); err != nil {
					t.Fatal(err)
				}
				break
			}
		case 2:
			for old, name := range there {
				there[old] = fmt.Sprintf("cur/%s:2,%d", old, n)
				if err := strict.Rename(filepath.Join(dir, name), filepath.Join(dir, there[old])); err != nil {
					t.Fatal(err)
				}
				break
			}
		case 3: // the server starts again
			s = storeOn(strict, strictRoot)
			s.Index, s.indexed = "/index", 1
		default:
			want := make([]string, 0, len(there))
			for id := range there {
				want = append(want, id)
			}
			slices.Sort(want)
			d := mustOpen(t, s)
			if got := ids(d); !slices.Equal(got, want) {
				t.Fatalf("step %d: listed %q, want %q", n, got, want)
			}
			for _, id := range want {
				if text, err := fetch(t, d, pop3.UniqueID(id)); text != id+"\n" || err != nil {
					t.Fatalf("step %d: %s: %q, %v", n, id, text, err)
				}
			}
			d.Close()
		}
	}
}

// A session removes what it has marked, and nothing that came since the snapshot.
func TestUpdateFromASnapshot(t *testing.T) {
	s, disk, dir := strictStore(t, 20)
	all := poll(t, s)
	d := mustOpen(t, s)
	if !d.(*drop).reused {
		t.Fatal("the snapshot was not used")
	}
	err := errors.Join(
		disk.Rename(filepath.Join(dir, "new/1004.x"), filepath.Join(dir, "cur/1004.x:2,S")),
		put(disk, dir, "new/3000.z", "late\n"),
	)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Update(t.Context(), messageIDs(all[3:7])); err != nil {
		t.Error(err)
	}
	d.Close()
	if got, want := poll(t, s), append(slices.Delete(slices.Clone(all), 3, 7), "3000.z"); !slices.Equal(got, want) {
		t.Errorf("left: %q, want %q", got, want)
	}
}

// A message that is renamed in a session is found, and the snapshot of others stays as
// it is.
func TestSnapshotIsNotWrittenTo(t *testing.T) {
	s, disk, dir := strictStore(t, 5)
	poll(t, s)
	d := mustOpen(t, s)
	defer d.Close()
	shared := d.(*drop).seen
	before := slices.Clone(shared.files)
	if err := disk.Rename(filepath.Join(dir, "new/1001.x"), filepath.Join(dir, "cur/1001.x:2,S")); err != nil {
		t.Fatal(err)
	}
	if text, err := fetch(t, d, "1001.x"); text != "message 1\n" || err != nil {
		t.Errorf("%q, %v", text, err)
	}
	if !slices.Equal(shared.files, before) {
		t.Error("the snapshot has changed")
	}
}

// One bad file is looked for again in each session, and is served when it is mended.
func TestFailureIsNotRemembered(t *testing.T) {
	for op, listed := range map[string]int{"lstat": 3, "open": 3, "read": 3} {
		s, disk, _ := strictStore(t, 3)
		bad := true
		s.FS = unwilling{disk, op, &bad}
		if got := poll(t, s); len(got) != listed {
			t.Errorf("%s fails: listed %q", op, got)
		}
		bad = false
		d := mustOpen(t, s)
		for _, m := range d.Messages() {
			if text, err := fetch(t, d, m.ID); err != nil || int64(len(text))+1 != m.Size {
				t.Errorf("%s has failed: %q of %d octets, %v", op, text, m.Size, err)
			}
		}
		d.Close()
	}
}

// An unwilling disk fails at one kind of operation on files of messages.
type unwilling struct {
	vfs.FS
	op  string
	bad *bool
}

var errBad = errors.New("bad sector")

func (u unwilling) fails(op, name string) bool {
	return *u.bad && u.op == op && strings.HasSuffix(name, "1.x")
}

func (u unwilling) Lstat(name string) (vfs.Info, error) {
	if u.fails("lstat", name) {
		return vfs.Info{}, errBad
	}
	return u.FS.Lstat(name)
}

func (u unwilling) Open(name string) (vfs.File, error) {
	if u.fails("open", name) {
		return nil, errBad
	}
	f, err := u.FS.Open(name)
	if err == nil && u.fails("read", name) {
		f = unreadable{f}
	}
	return f, err
}

type unreadable struct{ vfs.File }

func (unreadable) Read([]byte) (int, error) { return 0, errBad }

// The memory has a bound: what was not used for the longest time goes.
func TestMemoryForgets(t *testing.T) {
	strict := vfs.NewStrict()
	s := storeOn(strict, strictRoot)
	users := []string{"a", "b", "c", "d"}
	var each int64
	for _, user := range users {
		if err := s.Create(filepath.Join(strictRoot, user)); err != nil {
			t.Fatal(err)
		}
		for i := range 100 {
			if err := put(strict, filepath.Join(strictRoot, user), fmt.Sprintf("new/%d.x", 1000+i), "text\n"); err != nil {
				t.Fatal(err)
			}
		}
	}
	open := func(user string) (reused bool) {
		m, err := s.Open(t.Context(), user)
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		each = m.(*drop).seen.octets()
		return m.(*drop).reused
	}
	open("a")
	s.Memory = 3*each + each/2
	for _, user := range []string{"b", "c", "a", "d"} { // b goes
		open(user)
	}
	if s.memory.octets != 3*each {
		t.Errorf("%d octets are kept, want %d", s.memory.octets, 3*each)
	}
	for _, user := range []string{"a", "c", "d"} {
		if !open(user) {
			t.Errorf("%s was forgotten", user)
		}
	}
	if open("b") {
		t.Error("b was not forgotten")
	}
	s = storeOn(strict, strictRoot)
	s.Memory = -1
	open("a")
	if open("a") || s.memory.octets != 0 {
		t.Error("something is kept, and nothing may be")
	}
}

// Many sessions and deliveries at the same time: what was delivered before a session
// began is in it.
func TestSessionsAndDeliveriesAtOnce(t *testing.T) {
	root := t.TempDir()
	s := storeOn(vfs.OS{}, root)
	s.Index, s.indexed, s.LockWait = filepath.Join(root, ".index"), 1, time.Minute
	var all sync.WaitGroup
	for u := range 3 {
		user := fmt.Sprint("u", u)
		if err := s.Create(filepath.Join(root, user)); err != nil {
			t.Fatal(err)
		}
		var mu sync.Mutex // guards there
		var there []pop3.UniqueID
		for range 2 {
			all.Go(func() {
				for n := range 15 {
					id, err := s.Deliver(t.Context(), user, strings.NewReader(fmt.Sprint("Subject: x\n\n", n)))
					if err != nil {
						t.Error(err)
						return
					}
					mu.Lock()
					there = append(there, id)
					mu.Unlock()
				}
			})
			all.Go(func() {
				for range 30 {
					mu.Lock()
					want := slices.Clone(there)
					mu.Unlock()
					m, err := s.Open(t.Context(), user)
					if err != nil {
						t.Error(err)
						return
					}
					for _, id := range want {
						if !slices.ContainsFunc(m.Messages(), func(l maildrop.Message) bool { return l.ID == id }) {
							t.Errorf("%s was delivered and is not listed", id)
						}
					}
					m.Close()
				}
			})
		}
	}
	all.Wait()
}

// Promise 15: 200 octets a listed message. Here it is names of 80 octets.
func TestMemoryOfAMessage(t *testing.T) {
	const n, most = 50_000, 190
	x := &snapshot{home: vfs.FileID{Device: 1, Inode: 1}}
	for i := range n {
		name := fmt.Sprintf("%d.M%06dP1234Q%dR0123456789abcdef.mail.example.org,S=4096,W=4160:2,S", 1_700_000_000+i, i, i)
		x.files = append(x.files, file{name: name, id: vfs.FileID{Device: 1, Inode: uint64(i)}, length: 4096, folder: 1})
		x.messages = append(x.messages, maildrop.Message{ID: pop3.UniqueID(baseOf(name)), Size: 4160})
	}
	octets := formatIndex(x, "/mail/user", "boot")
	heap := func() int64 {
		runtime.GC()
		var stats runtime.MemStats
		runtime.ReadMemStats(&stats)
		return int64(stats.HeapAlloc)
	}
	before := heap()
	y, err := parse(octets, "/mail/user", "boot")
	if err != nil {
		t.Fatal(err)
	}
	y.find("x")
	took := (heap() - before) / n
	if said := y.octets() / n; took > most || said > most || said < took-16 {
		t.Errorf("%d octets a message, and %d by its own account", took, said)
	}
	t.Logf("%d octets a message", took)
	runtime.KeepAlive(octets)
	runtime.KeepAlive(x)
}

func (u unwilling) Lock(dir string) (vfs.Lock, error) { return lockThrough(u, u.FS, dir) }

func (u unwilling) OpenFolder(dir string) (vfs.Folder, error) { return openThrough(u, u.FS, dir) }

// Goal 1, promise 5: two clocks need not agree. What was delivered in the same tick as a
// session that had just looked is listed, however far the clock of a file server is behind
// ours, or ahead of it.
func TestNoChangeHidesBehindAnotherClock(t *testing.T) {
	for _, tick := range []time.Duration{4 * time.Millisecond, time.Second} {
		for _, skew := range []time.Duration{0, -5 * time.Second, 5 * time.Second, -mostSkew + 3*time.Second} {
			for seed := range uint64(3) {
				t.Run(fmt.Sprint(tick, skew, seed), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) { liveWithSkew(t, tick, skew, rand.New(rand.NewPCG(seed, 2))) })
				})
			}
		}
	}
}

func liveWithSkew(t *testing.T, tick, skew time.Duration, dice *rand.Rand) {
	strict := vfs.NewStrict()
	strict.Clock = func() time.Time { return time.Now().Add(skew).Truncate(tick) }
	s, dir := newStore(t, strict, strictRoot), filepath.Join(strictRoot, maildroptest.User)
	for n := range 50 {
		time.Sleep(time.Duration(dice.IntN(1500)) * time.Millisecond)
		for i := range 3 {
			if err := put(strict, dir, fmt.Sprintf("new/%d.x", 1000+3*n+i), "a\n"); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Duration(dice.IntN(3)) * time.Millisecond)
			if i < 2 {
				poll(t, s)
			}
			time.Sleep(time.Duration(dice.IntN(3)) * time.Millisecond)
		}
		time.Sleep(time.Hour)
		if got := poll(t, s); len(got) != 3*n+3 {
			t.Fatalf("an hour later: %d of %d messages are listed", len(got), 3*n+3)
		}
	}
}

// A maildrop that has just changed is known in the third session, and after a restart: the
// first whole snapshot takes the place of an index that is not.
func TestWholeIndexReplacesAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		strict := vfs.NewStrict()
		strict.Clock = time.Now
		disk := &vfs.Fail{FS: strict}
		s, dir := newStore(t, disk, strictRoot), filepath.Join(strictRoot, maildroptest.User)
		s.Index, s.indexed = "/index", 1
		for i := range 20 {
			if err := put(strict, dir, fmt.Sprintf("new/%d.x", 1000+i), "text\n"); err != nil {
				t.Fatal(err)
			}
		}
		for range 2 {
			time.Sleep(3 * time.Second)
			poll(t, s)
		}
		ops := operations(disk, func() { poll(t, restart(s)) })
		if slices.Contains(ops, "readdir") {
			t.Errorf("after a restart: %q", ops)
		}
		ops = operations(disk, func() { poll(t, s) })
		if slices.Contains(ops, "readdir") || slices.Contains(ops, "rename") {
			t.Errorf("the next session: %q", ops)
		}
	})
}

// heap returns how many octets are in use.
func heap() int64 {
	runtime.GC()
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}

// longName is the name of a file as most MTAs make them.
func longName(i int) string {
	return fmt.Sprintf("cur/%d.M%06dP1234Q%dR0123456789abcdef.mail.example.org,S=2,W=3:2,S", 1_700_000_000+i, i, i)
}

// longStore returns a store with n messages whose names are long.
func longStore(t *testing.T, n int) (s *Store, dir string) {
	t.Helper()
	strict := vfs.NewStrict()
	s, dir = newStore(t, strict, strictRoot), filepath.Join(strictRoot, maildroptest.User)
	for i := range n {
		if err := put(strict, dir, longName(i), "a\n"); err != nil {
			t.Fatal(err)
		}
	}
	return s, dir
}

// Promise 15: of names that came from an index nothing stays when their messages are gone.
func TestNamesOfWhatIsGoneAreForgotten(t *testing.T) {
	const n = 5000
	s, dir := longStore(t, n)
	s.Index, s.indexed = "/index", 1
	poll(t, s)
	for i := 1; i < n; i++ {
		if err := s.FS.Remove(filepath.Join(dir, longName(i))); err != nil {
			t.Fatal(err)
		}
	}
	s = restart(s)
	before := heap()
	if got := poll(t, s); len(got) != 1 {
		t.Fatal(len(got))
	}
	if took := heap() - before; took > 20*n {
		t.Errorf("one message is left: memory says %d octets, the heap has %d more", s.memory.octets, took)
	}
	runtime.KeepAlive(s)
}

// Promise 15: a session in which a message was looked for keeps its own files and not those
// of the snapshot before, too.
func TestMemoryAfterAMove(t *testing.T) {
	const n = 5000
	s, dir := longStore(t, n)
	poll(t, s)
	d := mustOpen(t, s).(*drop)
	defer d.Close()
	before := heap()
	name := filepath.Join(dir, longName(5))
	if err := s.FS.Rename(name, name+"T"); err != nil {
		t.Fatal(err)
	}
	if _, err := fetch(t, d, d.Messages()[5].ID); err != nil {
		t.Fatal(err)
	}
	if took := (heap() - before) / n; took > 8 {
		t.Errorf("%d octets a message more than before", took)
	}
}

// A lateDisk needs three seconds for a look at a file.
type lateDisk struct{ vfs.FS }

func (l lateDisk) Lock(dir string) (vfs.Lock, error) { return lockThrough(l, l.FS, dir) }

func (l lateDisk) OpenFolder(dir string) (vfs.Folder, error) { return openThrough(l, l.FS, dir) }

func (l lateDisk) Lstat(name string) (vfs.Info, error) {
	info, err := l.FS.Lstat(name)
	if strings.HasSuffix(name, ".x") {
		time.Sleep(settledAfter + time.Second)
	}
	return info, err
}

// Promise 6: whether a file is too young to be trusted is a matter of the moment in which it
// was looked at, not of one after that.
func TestFilesAreYoungWhenTheyAreLookedAt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		strict := vfs.NewStrict()
		strict.Clock = time.Now
		s, dir := newStore(t, lateDisk{strict}, strictRoot), filepath.Join(strictRoot, maildroptest.User)
		if err := put(strict, dir, "new/1.x", "text\n"); err != nil {
			t.Fatal(err)
		}
		if d := mustOpenAndClose(t, s); !slices.Equal(d.seen.unsettled, []int32{0}) {
			t.Errorf("files that are looked at again: %v", d.seen.unsettled)
		}
	})
}
