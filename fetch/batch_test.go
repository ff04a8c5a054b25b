package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"postfach/fetch/deliver"
	"postfach/internal/transcript"
	"postfach/internal/vfs"
)

// slow makes each sync take a while of fake time: so long that the server has
// sent whatever it can before one ends.
func slow(disk vfs.FS) vfs.FS { return slowDisk{disk} }

type slowDisk struct{ vfs.FS }

func (d slowDisk) Create(name string, perm fs.FileMode) (vfs.File, error) {
	f, err := d.FS.Create(name, perm)
	if err != nil {
		return nil, err
	}
	return slowFile{f}, nil
}

func (d slowDisk) SyncDir(name string) error {
	<-time.After(time.Millisecond)
	return d.FS.SyncDir(name)
}

func (d slowDisk) OpenFolder(dir string) (vfs.Folder, error) { return vfs.OpenThrough(d, d.FS, dir) }

func (d slowDisk) Lock(dir string) (vfs.Lock, error) { return vfs.LockThrough(d, d.FS, dir) }

type slowFile struct{ vfs.File }

func (f slowFile) Sync() error {
	<-time.After(time.Millisecond)
	return f.File.Sync()
}

// While the disk is busy with some messages, others come, up to a bound, and then
// share their syncs.
func TestMessagesShareSyncs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var many []string
		for i := range 5 * maxBatch {
			many = append(many, fmt.Sprintf("Subject: %d\r\n\r\n", i))
		}
		disk := &counted{FS: vfs.NewStrict()}
		r, err := getInto(t, fill(t, many...), slow(disk), "maildir:/mail", Options{}, nil)
		if err != nil || r.Fetched != len(many) {
			t.Fatal(r, err)
		}
		if n := disk.folders.Load(); n > 20 { // some are for Open
			t.Errorf("%d messages took %d syncs of folders", len(many), n)
		}
		if most := disk.most.Load(); most < maxBatch || most > 2*maxBatch+1 {
			t.Errorf("%d files were open at a time", most)
		}
		if open := disk.open.Load(); open != 0 {
			t.Errorf("%d files are still open", open)
		}
	})
}

// counted counts open files and syncs of folders.
type counted struct {
	vfs.FS
	open, most, folders atomic.Int64
}

func (c *counted) Create(name string, perm fs.FileMode) (vfs.File, error) {
	f, err := c.FS.Create(name, perm)
	if err != nil {
		return nil, err
	}
	n := c.open.Add(1)
	for most := c.most.Load(); n > most && !c.most.CompareAndSwap(most, n); most = c.most.Load() {
	}
	return countedFile{f, c}, nil
}

func (c *counted) SyncDir(name string) error {
	c.folders.Add(1)
	return c.FS.SyncDir(name)
}

func (c *counted) OpenFolder(dir string) (vfs.Folder, error) { return vfs.OpenThrough(c, c.FS, dir) }

func (c *counted) Lock(dir string) (vfs.Lock, error) { return vfs.LockThrough(c, c.FS, dir) }

type countedFile struct {
	vfs.File
	c *counted
}

func (f countedFile) Close() error {
	f.c.open.Add(-1)
	return f.File.Close()
}

// With a slow server nobody waits for a batch to fill up: a message is durable
// before the next one comes.
func TestSlowServersMessagesAreSoonHere(t *testing.T) {
	client, server := net.Pipe()
	fetched := make(chan bool, 2)
	over := make(chan error, 1)
	go func() {
		over <- func() error {
			defer server.Close()
			for i, script := range []string{
				"S: +OK\nC: CAPA\nS: +OK\nS: PIPELINING\nS: .\nC: USER u\nC: PASS p\nS: +OK\nS: +OK\nC: CAPA\nS: -ERR\nC: LIST\nS: +OK\nS: 1 3\nS: 2 3\nS: .\n" +
					"C: UIDL\nS: +OK\nS: 1 x\nS: 2 y\nS: .\nC: RETR 1\nC: RETR 2\nS: +OK\nS: a\nS: .\n",
				"S: +OK\nS: b\nS: .\n",
				"C: QUIT\nS: +OK\n",
			} {
				s, err := transcript.Parse("slow", script)
				if err != nil {
					return err
				}
				if err := transcript.Serve(context.Background(), unclosed{server}, s, transcript.Options{}); err != nil {
					return fmt.Errorf("part %d: %w", i, err)
				}
				if i < 2 {
					<-fetched // the server says nothing more before
				}
			}
			return nil
		}()
	}()
	fsys := vfs.NewStrict()
	r, err := get(t, client, fsys, Options{Report: func(e Event) {
		if e.Kind == Fetched {
			fetched <- true
		}
	}})
	if err != nil || r.Fetched != 2 {
		t.Error(r, err)
	}
	if err := <-over; err != nil {
		t.Error(err)
	}
}

// unclosed is a connection that a script leaves open.
type unclosed struct{ net.Conn }

func (unclosed) Close() error { return nil }

// A message that came whole before the connection was lost is delivered, though
// the disk had not got to it: the next run does not fetch it again.
func TestLostConnectionLosesNoWholeMessage(t *testing.T) {
	const login = "S: +OK\nC: CAPA\nS: +OK\nS: PIPELINING\nS: .\nC: USER u\nC: PASS p\nS: +OK\nS: +OK\nC: CAPA\nS: -ERR\nC: LIST\nS: +OK\nS: 1 3\nS: 2 3\nS: 3 3\nS: 4 3\nS: .\n" +
		"C: UIDL\nS: +OK\nS: 1 x\nS: 2 y\nS: 3 z\nS: 4 u\nS: .\n"
	synctest.Test(t, func(t *testing.T) {
		fsys := vfs.NewStrict()
		var events []Kind
		r, err := get(t, script(t, login+"C: RETR 1\nC: RETR 2\nC: RETR 3\nC: RETR 4\nS: +OK\nS: a\nS: .\nS: +OK\nS: b\nS: .\nS: +OK\nS: c\nS: .\nS: +OK\nS: d\n(close)\n"),
			slow(fsys), Options{Delete: true, Report: func(e Event) { events = append(events, e.Kind) }})
		if !errors.Is(err, io.ErrUnexpectedEOF) || r.Fetched != 3 || r.Failed != 1 || r.Deleted != 0 {
			t.Error(r, err)
		}
		if want := []Kind{Planned, Fetched, Fetched, Fetched}; !slices.Equal(events, want) {
			t.Error(events)
		}
		fsys.Crash(0)
		r, err = get(t, script(t, login+"C: RETR 4\nS: +OK\nS: d\nS: .\nC: QUIT\nS: +OK\n(close)\n"), slow(fsys), Options{})
		if err != nil || r.Known != 3 || r.Fetched != 1 {
			t.Error(r, err)
		}
		if got := stored(t, fsys); !slices.Equal(got, []string{"a\r\n", "b\r\n", "c\r\n", "d\r\n"}) {
			t.Errorf("%q", got)
		}
	})
}

// script is play for a server that announces what it wants.
func script(t *testing.T, text string) net.Conn {
	t.Helper()
	s, err := transcript.Parse(t.Name(), text)
	if err != nil {
		t.Fatal(err)
	}
	client, server := net.Pipe()
	played := make(chan error, 1)
	go func() { played <- transcript.Serve(t.Context(), server, s, transcript.Options{}) }()
	t.Cleanup(func() {
		client.Close()
		if err := <-played; err != nil {
			t.Errorf("script: %v", err)
		}
	})
	return client
}

// What waits for the disk is bounded in octets, but for one message that has more.
func TestBatchIsBoundedInOctets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := make(busyDisk)
		var done []int
		b := newBatcher(disk, func(batch []parcel, _ []error) {
			for _, p := range batch {
				done = append(done, p.number)
			}
		})
		var room atomic.Bool
		for number, step := range []struct {
			octets int64
			room   bool
			batch  int // that the disk then ends; 0: it goes on
		}{
			{1, true, 0}, // to the disk at once
			{maxBatchOctets / 2, true, 0},
			{maxBatchOctets / 2, true, 0},
			{1, false, 1},
			{2 * maxBatchOctets, false, 2},
			{1, false, 1},
		} {
			room.Store(false)
			go func() {
				b.put(parcel{message: message{number: number}, octets: step.octets})
				room.Store(true)
				if number == 0 {
					b.hurry()
				}
			}()
			synctest.Wait()
			if room.Load() != step.room {
				t.Errorf("message %d: there is room: %t", number, !step.room)
			}
			if step.batch == 0 {
				continue
			}
			if n := <-disk; n != step.batch {
				t.Errorf("message %d waits for a batch of %d, want %d", number, n, step.batch)
			}
			synctest.Wait()
			if !room.Load() {
				t.Errorf("message %d waits", number)
			}
		}
		go func() {
			if large, last := <-disk, <-disk; large != 1 || last != 1 {
				t.Error("a message that is larger than a batch is not alone")
			}
		}()
		b.close()
		if !slices.Equal(done, []int{0, 1, 2, 3, 4, 5}) {
			t.Error(done)
		}
	})
}

// A busyDisk commits one batch each time its length is taken.
type busyDisk chan int

func (d busyDisk) Commit(batch []*deliver.Staged) []error {
	d <- len(batch)
	return make([]error, len(batch))
}

func (busyDisk) Records(string) []deliver.Record { return nil }
func (busyDisk) Close() error                    { return nil }

func (busyDisk) Deliver(context.Context, io.Reader, func() (deliver.Record, bool)) error {
	return errors.ErrUnsupported
}

func (busyDisk) Stage(context.Context, io.Reader, func() (deliver.Record, bool)) (*deliver.Staged, error) {
	return nil, errors.ErrUnsupported
}

// A disk that syncs nothing any more ends the run, as a full one does.
func TestSyncsThatFailEndTheRun(t *testing.T) {
	var many []string
	for i := range 3 * maxBatch {
		many = append(many, fmt.Sprintf("Subject: %d\r\n\r\n%s", i, strings.Repeat("x\r\n", 100)))
	}
	store := fill(t, many...)
	failed := 0
	r, err := getInto(t, store, noSync{vfs.NewStrict()}, "maildir:/mail", Options{Delete: true, Report: func(e Event) {
		if e.Kind == Failed {
			failed++
		}
	}}, nil)
	if !errors.Is(err, errNoSync) || r.Fetched != 0 || r.Failed != len(many) || r.Deleted != 0 || failed < maxFailures || failed > 2*maxBatch+1 {
		t.Error(r, err, failed)
	}
	if got := left(t, store); len(got) != len(many) {
		t.Errorf("%d are left on the server", len(got))
	}
}

var errNoSync = errors.New("the disk is gone")

type noSync struct{ vfs.FS }

func (d noSync) Create(name string, perm fs.FileMode) (vfs.File, error) {
	f, err := d.FS.Create(name, perm)
	if err != nil {
		return nil, err
	}
	return noSyncFile{f}, nil
}

func (d noSync) OpenFolder(dir string) (vfs.Folder, error) { return vfs.OpenThrough(d, d.FS, dir) }
func (d noSync) Lock(dir string) (vfs.Lock, error)         { return vfs.LockThrough(d, d.FS, dir) }

type noSyncFile struct{ vfs.File }

func (noSyncFile) Sync() error { return errNoSync }
