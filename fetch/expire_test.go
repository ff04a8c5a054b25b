package fetch

import (
	"errors"
	"fmt"
	"io/fs"
	"sync/atomic"
	"testing"

	"postfach/internal/vfs"
)

// expiring is the session of a server that says before the login, and after it,
// when fetched mail goes, up to the listings of two messages.
func expiring(before, after string) string {
	return "S: +OK\nC: CAPA\nS: +OK\nS: PIPELINING\nS: UIDL\n" + before + "S: .\nC: USER u\nC: PASS p\nS: +OK\nS: +OK\nC: CAPA\n" + after +
		"C: LIST\nS: +OK\nS: 1 3\nS: 2 3\nS: .\nC: UIDL\nS: +OK\nS: 1 x\nS: 2 y\nS: .\n"
}

const (
	expire0  = "S: EXPIRE 0\n"
	bothCame = "C: RETR 1\nC: RETR 2\nS: +OK\nS: a\nS: .\nS: +OK\nS: b\nS: .\n"
	goodbye  = "C: QUIT\nS: +OK\n(close)\n"
)

// badDisk fails the n-th operation of a kind.
type badDisk struct {
	vfs.FS
	op string
	n  atomic.Int64
}

var errBad = errors.New("bad disk")

func bad(op string, n int64) *badDisk {
	d := &badDisk{FS: vfs.NewStrict(), op: op}
	d.n.Store(n)
	return d
}

func (d *badDisk) fails(op string) bool { return op == d.op && d.n.Add(-1) == 0 }

func (d *badDisk) Create(name string, perm fs.FileMode) (vfs.File, error) {
	if d.fails("create") {
		return nil, errBad
	}
	f, err := d.FS.Create(name, perm)
	return badFile{f, d}, err
}

func (d *badDisk) Rename(from, to string) error {
	if d.fails("rename") {
		return errBad
	}
	return d.FS.Rename(from, to)
}

func (d *badDisk) OpenFolder(dir string) (vfs.Folder, error) { return vfs.OpenThrough(d, d.FS, dir) }

func (d *badDisk) Lock(dir string) (vfs.Lock, error) { return vfs.LockThrough(d, d.FS, dir) }

type badFile struct {
	vfs.File
	d *badDisk
}

func (f badFile) Write(p []byte) (int, error) {
	if f.d.fails("write") {
		return 0, errBad
	}
	return f.File.Write(p)
}

func (f badFile) Sync() error {
	if f.d.fails("sync") {
		return errBad
	}
	return f.File.Sync()
}

// With EXPIRE 0, QUIT removes what was retrieved (P3-CAPA-14). What was retrieved
// and failed at home is nowhere else: there is no QUIT, and so no DELE. The next
// run fetches it, and deletes what this one was to.
func TestNoQUITWhereExpire0TakesWhatFailed(t *testing.T) {
	for _, op := range []string{"create", "write", "sync", "rename"} {
		for _, target := range []string{"dir:/mail", "mbox:/mail/mbox"} {
			for _, remove := range []bool{false, true} {
				t.Run(fmt.Sprint(op, " ", target, " ", remove), func(t *testing.T) {
					if op == "rename" && target != "dir:/mail" {
						return // an mbox renames nothing
					}
					disk := bad(op, 0)
					warned, failed := "", 0
					var kinds []Kind
					o := Options{Delete: remove, Report: func(e Event) {
						kinds = append(kinds, e.Kind)
						switch e.Kind {
						case Warning:
							warned = e.Text
						case Planned:
							disk.n.Store(1)
						case Failed:
							failed = e.Number
						}
					}}
					in := expiring(expire0, "S: +OK\nS: PIPELINING\nS: UIDL\n"+expire0+"S: .\n")
					r, err := getTo(t, script(t, in+bothCame+"(hangup)\n"), disk, target, o)
					if err != nil || r.Failed != 1 || r.Fetched != 1 || r.Deleted != 0 || !errors.Is(r.Quit, ErrNoQuit) {
						t.Errorf("%+v %v", r, err)
					}
					if kinds[len(kinds)-1] != Warning || warned != ErrNoQuit.Error() {
						t.Errorf("%v %q", kinds, warned)
					}
					again, dele := fmt.Sprintf("C: RETR %d\nS: +OK\nS: %s\nS: .\n", failed, []string{"", "a", "b"}[failed]), ""
					if remove {
						dele = "C: DELE 1\nC: DELE 2\nS: +OK\nS: +OK\n"
					}
					disk.op = ""
					r, err = getTo(t, script(t, in+again+dele+goodbye), disk, target, o)
					if err != nil || r.Failed != 0 || r.Fetched != 1 || r.Known != 1 || r.Quit != nil || remove != (r.Deleted == 2) {
						t.Errorf("again: %+v %v", r, err)
					}
				})
			}
		}
	}
}

// The word after the login is the exact one, where there is one (P3-CAPA-13).
func TestWhichExpireCounts(t *testing.T) {
	const refused, silent = "S: -ERR\n", "S: +OK\nS: UIDL\nS: PIPELINING\nS: .\n"
	said := func(expire string) string { return "S: +OK\nS: UIDL\nS: PIPELINING\n" + expire + "S: .\n" }
	for name, test := range map[string]struct {
		before, after string
		quit          bool
	}{
		"only before, CAPA refused": {expire0, refused, false},
		"only before, for some":     {"S: EXPIRE 0 USER\n", silent, false},
		"before, and taken back":    {expire0, said("S: EXPIRE 30\n"), true},
		"only after":                {"", said(expire0), false},
		"after, more exact":         {"S: EXPIRE 5 USER\n", said("S: expire 0\n"), false},
		"never":                     {"S: EXPIRE NEVER\n", said("S: EXPIRE NEVER\n"), true},
		"nothing said":              {"", silent, true},
	} {
		t.Run(name, func(t *testing.T) {
			end := "(hangup)\n"
			if test.quit {
				end = goodbye
			}
			r, err := get(t, script(t, expiring(test.before, test.after)+bothCame+end), bad("create", 1), Options{})
			if err != nil || r.Failed != 1 || (r.Quit == nil) != test.quit {
				t.Errorf("%+v %v", r, err)
			}
		})
	}
}

// What the server refused to send was not retrieved, and what is at home may go.
func TestQUITWhereExpire0TakesNothingThatIsMissing(t *testing.T) {
	in := expiring(expire0, "S: -ERR\n")
	disk := vfs.NewStrict()
	r, err := get(t, script(t, in+"C: RETR 1\nC: RETR 2\nS: -ERR no\nS: +OK\nS: b\nS: .\n"+goodbye), disk, Options{})
	if err != nil || r.Failed != 1 || r.Fetched != 1 || r.Quit != nil {
		t.Errorf("%+v %v", r, err)
	}
	r, err = get(t, script(t, in+"C: RETR 1\nS: +OK\nS: a\nS: .\n"+goodbye), disk, Options{})
	if err != nil || r.Fetched != 1 || r.Known != 1 || r.Quit != nil {
		t.Errorf("%+v %v", r, err)
	}
}
