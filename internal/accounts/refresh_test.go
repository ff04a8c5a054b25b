package accounts

import (
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"postfach/internal/vfs"
	"postfach/pop3server"
)

// What the log says is in force is in force.
func TestUnreadableKeyIsSaidToCostAPOPOnly(t *testing.T) {
	f, log := newLogged(t, blf("anna")+"\n")
	login(t, f, "anna", "p w", nil)
	must(t, editorOf(f).Add(NewAccount{User: "berta", Password: "p", APOP: "0123456789abcdef"}))
	must(t, os.Chmod(f.Key, 0o640))
	for range 3 {
		login(t, f, "berta", "p", nil)
	}
	if strings.Contains(log.String(), "kept=") {
		t.Errorf("the new accounts are in force, and the log says:\n%s", log)
	}
	if n := strings.Count(log.String(), "level=ERROR"); n != 1 || !strings.Contains(log.String(), "chmod 600") || !strings.Contains(log.String(), "APOP") {
		t.Errorf("logged %d times:\n%s", n, log)
	}
}

func TestKeyThatIsMendedIsReadAgain(t *testing.T) {
	f, log := newLogged(t, "")
	must(t, editorOf(f).Add(NewAccount{User: "anna", Password: "p", APOP: "0123456789abcdef"}))
	must(t, os.Chmod(f.Key, 0o640))
	d := dirOf(f)
	if d.Available() {
		t.Fatal("APOP with an open key")
	}
	must(t, os.Chmod(f.Key, 0o600))
	if !d.Available() {
		t.Errorf("no APOP after chmod 600:\n%s", log)
	}
	if _, secret, err := d.Secret(t.Context(), nil, "anna"); err != nil || secret != "0123456789abcdef" {
		t.Errorf("%q, %v", secret, err)
	}
	must(t, os.Rename(f.Key, f.Key+".away")) // it is read once, and not needed any more
	if !d.Available() {
		t.Error("APOP ends without the key that was read")
	}
}

// opens counts how often files are read.
type opens struct {
	vfs.FS
	count int
}

func (o *opens) Open(name string) (vfs.File, error) {
	o.count++
	return o.FS.Open(name)
}

// A clock that was wrong once, or a copy that keeps times, must not cost a reading
// of the file at each login for years.
func TestFileFromTheFutureIsReadOnceItRests(t *testing.T) {
	for name, content := range map[string]string{"good": blf("anna") + "\n", "bad": "nonsense\n"} {
		t.Run(name, func(t *testing.T) {
			f := newFile(t, content)
			now := time.Now()
			f.Now = func() time.Time { return now }
			far := now.AddDate(10, 0, 0)
			must(t, os.Chtimes(f.Path, far, far))
			counted := &opens{FS: vfs.OS{}}
			f.FS = counted
			look := func() int {
				before := counted.count
				f.look()
				return counted.count - before
			}
			for range 2 {
				if look() != 1 {
					t.Error("a file that may have changed within the tick is not read again")
				}
			}
			now = now.Add(tick / 2)
			if look() != 1 {
				t.Error("settled too early")
			}
			now = now.Add(tick)
			look()
			for range 3 {
				if look() != 0 {
					t.Error("read again, although it rests")
				}
			}
			write(t, f.Path, blf("otto")+"\n", 0o600)
			must(t, os.Chtimes(f.Path, far, far)) // the change time tells
			if look() == 0 {
				t.Error("a change is not seen")
			}
			login(t, f, "otto", "p w", nil)
		})
	}
}

// What changes behind one and the same time of the file begins the wait anew.
func TestFileFromTheFutureThatChangesIsNotSettled(t *testing.T) {
	f := newFile(t, blf("anna")+"\n")
	now := time.Now()
	f.Now = func() time.Time { return now }
	fixed := &sameTimes{FS: vfs.OS{}, at: now.AddDate(10, 0, 0)}
	f.FS = fixed
	for i, user := range []string{"anna", "otto", "anna", "otto"} {
		write(t, f.Path, blf(user)+"\n", 0o600)
		login(t, f, user, "p w", nil)
		now = now.Add(tick / 2)
		if f.settled {
			t.Errorf("change %d: settled", i)
		}
	}
	now = now.Add(tick)
	login(t, f, "otto", "p w", nil)
	if !f.settled {
		t.Error("never settled")
	}
}

// sameTimes is a file system whose clock stands, ahead of ours.
type sameTimes struct {
	vfs.FS
	at time.Time
}

func (s *sameTimes) Lstat(name string) (vfs.Info, error) {
	info, err := s.FS.Lstat(name)
	info.ModTime, info.ChangeTime = s.at, s.at
	return info, err
}

func (s *sameTimes) Open(name string) (vfs.File, error) {
	f, err := s.FS.Open(name)
	if err != nil {
		return nil, err
	}
	return sameTimesFile{f, s, name}, nil
}

type sameTimesFile struct {
	vfs.File
	fs   *sameTimes
	name string
}

func (f sameTimesFile) Info() (vfs.Info, error) {
	info, err := f.File.Info()
	info.ModTime, info.ChangeTime = f.fs.at, f.fs.at
	return info, err
}

// What could not be read for a moment has not changed when it can be read again.
func TestFileThatCouldNotBeOpenedIsReadOnceItCan(t *testing.T) {
	f, log := newLogged(t, blf("anna")+"\n")
	fail := &vfs.Fail{FS: vfs.OS{}, Err: syscall.EMFILE}
	f.FS = fail
	login(t, f, "anna", "p w", nil)
	write(t, f.Path, blf("otto")+"\n", 0o600)
	fail.Arm(2, false) // to look is possible, to open is not
	f.look()
	if !fail.Fired() || !strings.Contains(log.String(), "too many open files") {
		t.Errorf("logged:\n%s", log)
	}
	login(t, f, "otto", "p w", nil)
	login(t, f, "anna", "p w", pop3server.ErrCredentials)
}
