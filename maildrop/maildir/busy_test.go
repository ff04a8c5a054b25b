//go:build unix

package maildir

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"postfach/internal/vfs"
	"postfach/maildrop"
	"postfach/maildrop/maildroptest"
	"postfach/pop3"
)

// fillMany makes n files, not synced: these tests are not about power failures.
func fillMany(t testing.TB, dir string, n int) (all []string) {
	t.Helper()
	for i := range n {
		text := fmt.Sprintf("message %d\n", i)
		id := fmt.Sprintf("%d.M%dP1.host", 1000+i/10, i%10)
		name := fmt.Sprintf("cur/%s,S=%d,W=%d:2,", id, len(text), len(text)+1)
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		all = append(all, id)
	}
	return all
}

// Another mail program sets flags all the time, and moves what is new.
func TestBusyMaildir(t *testing.T) {
	root := t.TempDir()
	s := newStore(t, vfs.OS{}, root)
	dir := filepath.Join(root, maildroptest.User)
	left := fillMany(t, dir, 60)

	ctx, stop := context.WithCancel(t.Context())
	stopped := make(chan error, 1)
	go func() { stopped <- touch(ctx, dir) }()
	for round := 0; len(left) > 0; round++ {
		d := mustOpen(t, s)
		if got := ids(d); !slices.Equal(got, left) {
			t.Errorf("round %d: listed %q, want %q", round, got, left)
		}
		for _, m := range d.Messages() {
			if got, err := fetch(t, d, m.ID); err == nil && !strings.HasPrefix(got, "message ") {
				t.Errorf("%s: %q", m.ID, got)
			} else if err != nil && !errors.Is(err, errRestless) {
				t.Errorf("%s: %v", m.ID, err)
			}
		}
		marked := min(10, len(left))
		err := d.Update(t.Context(), messageIDs(left[:marked]))
		d.Close()
		left = slices.Concat(remaining(t, err), left[marked:])
		if t.Failed() || round > 200 {
			break
		}
	}
	stop()
	if err := <-stopped; err != nil {
		t.Error(err)
	}
	d := mustOpen(t, s)
	defer d.Close()
	if got := ids(d); !slices.Equal(got, left) {
		t.Errorf("in the end: listed %q, want %q", got, left)
	}
}

// touch changes the flags of one file after the other.
func touch(ctx context.Context, dir string) error {
	for ctx.Err() == nil {
		names, err := vfs.OS{}.ReadDir(filepath.Join(dir, curFolder))
		if err != nil {
			return err
		}
		for _, name := range names {
			to := name + "S"
			if rest, ok := strings.CutSuffix(name, "S"); ok {
				to = rest
			}
			err := os.Rename(filepath.Join(dir, curFolder, name), filepath.Join(dir, curFolder, to))
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	return nil
}

func messageIDs(names []string) (ids []pop3.UniqueID) {
	for _, n := range names {
		ids = append(ids, pop3.UniqueID(n))
	}
	return ids
}

func remaining(t *testing.T, err error) (names []string) {
	var failed *maildrop.UpdateError
	switch {
	case err == nil:
		return nil
	case !errors.As(err, &failed):
		t.Fatal(err)
	}
	for _, id := range failed.Remaining {
		names = append(names, string(id))
	}
	return names
}

// Thousands of deletions are one pass and one sync of each folder.
func TestThousands(t *testing.T) {
	root, disk := t.TempDir(), &vfs.Fail{FS: vfs.OS{}}
	s := newStore(t, disk, root)
	const n = 10_000
	all := fillMany(t, filepath.Join(root, maildroptest.User), n)
	settle(t, filepath.Join(root, maildroptest.User))
	disk.Arm(0, false)
	d := mustOpen(t, s)
	if len(d.Messages()) != n {
		t.Fatalf("%d messages, want %d", len(d.Messages()), n)
	}
	if count := disk.Count(); count > n+20 {
		t.Errorf("open: %d operations", count)
	}
	disk.Arm(0, false)
	if err := d.Update(t.Context(), messageIDs(all[1:])); err != nil {
		t.Fatal(err)
	}
	if count := disk.Count(); count > 2*n+20 {
		t.Errorf("update: %d operations", count)
	}
	d.Close()
	d = mustOpen(t, s)
	defer d.Close()
	if got := ids(d); !slices.Equal(got, all[:1]) {
		t.Errorf("left: %q", got)
	}
}

// settle makes the folders look as if nothing had changed lately.
func settle(t *testing.T, dir string) {
	t.Helper()
	past := time.Now().Add(-time.Hour)
	for _, folder := range []string{newFolder, curFolder} {
		if err := os.Chtimes(filepath.Join(dir, folder), past, past); err != nil {
			t.Fatal(err)
		}
	}
}

// killEnv tells the test binary to be the process that is killed.
const killEnv = "POSTFACH_TEST_UPDATE"

// Promise 3: after kill -9 in an UPDATE each message is there once, with its
// unique-id, or, if it was marked, gone.
func TestKilledInUpdate(t *testing.T) {
	if root := os.Getenv(killEnv); root != "" {
		updateEven(t, root)
		return
	}
	const n = 2000
	for round := range 8 {
		root := t.TempDir()
		s := newStore(t, vfs.OS{}, root)
		all := fillMany(t, filepath.Join(root, maildroptest.User), n)
		killedAfter := round * n / 16
		if !killAfter(t, root, killedAfter) {
			t.Fatal("the process ended before it was killed")
		}
		d := mustOpen(t, s) // no lock outlives the process (promise 8)
		got := ids(d)
		d.Close()
		if !slices.IsSorted(got) || len(slices.Compact(slices.Clone(got))) != len(got) {
			t.Errorf("round %d: the list is out of order or has something twice", round)
		}
		for i, id := range all {
			if _, there := slices.BinarySearch(got, id); !there && i%2 == 1 {
				t.Errorf("round %d: %s is gone and was not marked", round, id)
			}
		}
		for _, id := range got {
			if !slices.Contains(all, id) {
				t.Errorf("round %d: %s was not there before", round, id)
			}
		}
		if len(got) != n-killedAfter {
			t.Errorf("round %d: %d of %d left after %d were removed", round, len(got), n, killedAfter)
		}
	}
}

// killAfter starts the process, and kills it when it has removed k messages and
// is about to remove the next.
func killAfter(t *testing.T, root string, k int) bool {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestKilledInUpdate$")
	cmd.Env = append(os.Environ(), killEnv+"="+root, killAfterEnv+"="+strconv.Itoa(k))
	stdin, err := cmd.StdinPipe() // open for as long as the process may wait
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(out); lines.Scan() && lines.Text() != reached; {
	}
	cmd.Process.Kill()
	return cmd.Wait() != nil
}

// What the two processes agree on.
const (
	killAfterEnv = "POSTFACH_TEST_UPDATE_AFTER"
	reached      = "reached"
)

// updateEven is the process that is killed.
func updateEven(t *testing.T, root string) {
	after, err := strconv.Atoi(os.Getenv(killAfterEnv))
	if err != nil {
		t.Fatal(err)
	}
	d := mustOpen(t, storeOn(&waitsForDeath{FS: vfs.OS{}, after: after}, root))
	var marked []pop3.UniqueID
	for i, m := range d.Messages() {
		if i%2 == 0 {
			marked = append(marked, m.ID)
		}
	}
	d.Update(t.Context(), marked)
}

// A waitsForDeath stops before it removes one file more.
type waitsForDeath struct {
	vfs.FS
	after int
}

func (f *waitsForDeath) Remove(name string) error {
	if f.after == 0 {
		fmt.Println(reached)
		os.Stdin.Read(make([]byte, 1)) // until the end
	}
	f.after--
	return f.FS.Remove(name)
}

func (f *waitsForDeath) Lock(dir string) (vfs.Lock, error) { return lockThrough(f, f.FS, dir) }

func (f *waitsForDeath) OpenFolder(dir string) (vfs.Folder, error) { return openThrough(f, f.FS, dir) }
