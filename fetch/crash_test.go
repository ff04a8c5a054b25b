package fetch

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net"
	"path"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"postfach/fetch/deliver"
	"postfach/internal/vfs"
	"postfach/maildrop/memory"
	"postfach/pop3client"
	"postfach/pop3server"
)

// Promise 22, first half: when a DELE is sent, its message is durable at home. A
// power failure in that very moment, whatever it leaves of what was not synced,
// leaves the message, whole. The same for messages that an earlier run stored,
// which was killed at any operation: what it did not sync is still in memory
// only, and must be durable before it counts.
func TestNoDELEBeforeTheMailIsDurable(t *testing.T) {
	for _, spec := range specs {
		t.Run(spec, func(t *testing.T) {
			for more, n := true, 0; more && !t.Failed(); n++ {
				more = noDELETooEarly(t, spec, n, func(disk vfs.FS) vfs.FS { return disk })
			}
		})
		// On a slow disk many messages become durable together.
		t.Run(spec+" in batches", func(t *testing.T) {
			for more, n := true, 0; more && !t.Failed(); n++ {
				synctest.Test(t, func(t *testing.T) { more = noDELETooEarly(t, spec, n, slow) })
			}
		})
	}
}

var specs = []string{"dir:/mail", "maildir:/mail", "mbox:/mail"}

// noDELETooEarly is a run that deletes after one that was killed at operation n;
// 0: after none. It reports whether there was such an operation.
func noDELETooEarly(t *testing.T, spec string, n int, kind func(vfs.FS) vfs.FS) bool {
	t.Helper()
	disk := vfs.NewStrict()
	killed := &vfs.Fail{FS: disk}
	killed.Arm(n, true)
	if n > 0 { // an earlier run, which left all on the server
		getInto(t, fill(t, mails...), kind(killed), spec, Options{}, nil)
	}
	witness := &deleWitness{t: t, disk: disk, spec: spec, at: n}
	store := fill(t, mails...)
	r, err := getInto(t, store, kind(disk), spec, Options{Delete: true}, witness)
	if err != nil || r.Deleted != len(mails) || witness.seen != len(mails) {
		t.Errorf("operation %d: %+v, %v, %d DELE seen", n, r, err, witness.seen)
	}
	return n == 0 || killed.Fired()
}

// "Fetched" is said of a message that is durable: a power failure in that very
// moment leaves it, whole.
func TestFetchedMeansDurable(t *testing.T) {
	for _, spec := range specs {
		t.Run(spec, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				disk := vfs.NewStrict()
				var fetched []string
				r, err := getInto(t, fill(t, mails...), slow(disk), spec, Options{Report: func(e Event) {
					if e.Kind != Fetched {
						return
					}
					fetched = append(fetched, mails[e.Number-1])
					for seed := range uint64(6) {
						after := disk.Clone()
						after.Crash(seed)
						have := whole(t, after, spec)
						for _, mail := range fetched {
							i := slices.Index(have, mail)
							if i < 0 {
								t.Fatalf("message %d was fetched, power failure with seed %d: not durable: %.40q", e.Number, seed, mail)
							}
							have = slices.Delete(have, i, i+1)
						}
					}
				}}, nil)
				if err != nil || r.Fetched != len(mails) || len(fetched) != len(mails) {
					t.Errorf("%+v, %v, %d reported", r, err, len(fetched))
				}
			})
		})
	}
}

// A folder whose sync fails has delivered nothing: no DELE is sent, and the next
// run brings all that a power failure has taken.
func TestFolderThatIsNotSyncedDeletesNothing(t *testing.T) {
	for _, spec := range []string{"dir:/mail", "maildir:/mail"} {
		for seed := range uint64(6) {
			synctest.Test(t, func(t *testing.T) {
				disk := vfs.NewStrict()
				fail := &vfs.Fail{FS: disk}
				var renamed, failed atomic.Bool
				fail.Before = func(op, _ string) {
					if op == "rename" {
						renamed.Store(true)
					}
					if op == "syncdir" && renamed.Load() && failed.CompareAndSwap(false, true) {
						fail.Arm(1, true)
					}
				}
				store := fill(t, mails...)
				r, err := getInto(t, store, slow(fail), spec, Options{Delete: true}, nil)
				if err == nil || r.Fetched != 0 || r.Deleted != 0 {
					t.Errorf("%s: %+v, %v", spec, r, err)
				}
				disk.Crash(seed)
				if r, err := getInto(t, store, slow(disk), spec, Options{Delete: true}, nil); err != nil || r.Deleted != len(mails) {
					t.Errorf("%s: %+v, %v", spec, r, err)
				}
				if got := slices.Sorted(slices.Values(whole(t, disk, spec))); !slices.Equal(got, slices.Sorted(slices.Values(mails))) {
					t.Errorf("%s, seed %d: %.200q", spec, seed, got)
				}
			})
		}
	}
}

// getInto is a whole run into a target of any kind. The witness sees what the
// client says before the server does.
func getInto(t *testing.T, store *memory.Store, fsys vfs.FS, spec string, o Options, w *deleWitness) (Result, error) {
	t.Helper()
	client, server := net.Pipe()
	s := &pop3server.Server{Store: store, Auth: anybody{}, AllowCleartext: true, Log: slog.New(slog.DiscardHandler)}
	over := make(chan bool)
	go func() { s.ServeConn(server); close(over) }()
	defer func() { client.Close(); <-over; s.Close() }()
	var conn net.Conn = client
	if w != nil {
		w.Conn = client
		conn = w
	}
	c, err := pop3client.New(t.Context(), conn, nil)
	if err != nil {
		return Result{}, err
	}
	defer c.Close()
	if err := Login(t.Context(), c, "u", "p", ""); err != nil {
		return Result{}, err
	}
	target, err := deliver.Open(fsys, spec)
	if err != nil {
		return Result{}, err
	}
	defer target.Close()
	o.Host, o.User = "h", "u"
	return Get(t.Context(), c, target, o)
}

// A deleWitness looks at the disk at home whenever the client sends a DELE or
// QUIT.
type deleWitness struct {
	net.Conn
	t    *testing.T
	disk *vfs.Strict
	spec string
	at   int
	said []byte
	dele []string // the messages that were to be deleted so far
	seen int
}

func (w *deleWitness) Write(p []byte) (int, error) {
	w.said = append(w.said, p...)
	for {
		line, rest, whole := bytes.Cut(w.said, []byte("\r\n"))
		if !whole {
			return w.Conn.Write(p)
		}
		w.said = rest
		var n int
		if _, err := fmt.Sscanf(string(line), "DELE %d", &n); err == nil {
			w.seen++
			w.dele = append(w.dele, mails[n-1])
			w.look(string(line))
		}
		if string(line) == "QUIT" {
			w.look("QUIT")
		}
	}
}

// look lets the power fail in several ways, each on a copy of the disk.
func (w *deleWitness) look(when string) {
	for seed := range uint64(6) {
		after := w.disk.Clone()
		after.Crash(seed)
		have := whole(w.t, after, w.spec)
		for _, mail := range w.dele {
			i := slices.Index(have, mail)
			if i < 0 {
				w.t.Errorf("earlier run killed at operation %d, %s, power failure with seed %d: not durable: %.40q", w.at, when, seed, mail)
				return
			}
			have = slices.Delete(have, i, i+1) // two that are the same are two
		}
	}
}

// whole returns the messages that are whole on the disk. It knows the formats
// by itself: what the target would say of them proves nothing.
func whole(t *testing.T, fsys vfs.FS, spec string) (found []string) {
	t.Helper()
	var files []string
	switch spec {
	case "maildir:/mail":
		files = list(fsys, "/mail/new")
	case "dir:/mail":
		files = slices.DeleteFunc(list(fsys, "/mail"), func(name string) bool { return !strings.HasSuffix(name, ".eml") })
	case "mbox:/mail":
		return unbox(text(t, fsys, "/mail"))
	}
	for _, name := range files {
		found = append(found, text(t, fsys, name))
	}
	return found
}

func list(fsys vfs.FS, dir string) (files []string) {
	names, _ := fsys.ReadDir(dir)
	for _, name := range names {
		files = append(files, path.Join(dir, name))
	}
	return files
}

func text(t *testing.T, fsys vfs.FS, name string) string {
	t.Helper()
	f, err := fsys.Open(name)
	if err != nil {
		return ""
	}
	defer f.Close()
	octets, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return string(octets)
}

// unbox returns the messages that stand in an mbox file. None has a line that
// needs quoting there.
func unbox(mbox string) (found []string) {
	for _, mail := range slices.Compact(slices.Sorted(slices.Values(mails))) {
		stands := "\n" + strings.ReplaceAll(mail, "\r\n", "\n") + "\n" // below its separator, above an empty line
		for range strings.Count(mbox, stands) {
			found = append(found, mail)
		}
	}
	return found
}
