package lastlogin

import (
	"crypto/rand"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"postfach/internal/vfs"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func at(d time.Duration) Login {
	return Login{Time: noon.Add(d), Address: "192.0.2.1", Mechanism: "PLAIN", TLS: "TLS 1.3"}
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func read(t *testing.T, dir, user string) map[string]Login {
	t.Helper()
	logins, err := Read(nil, dir, user)
	must(t, err)
	return logins
}

func TestEachCredentialHasItsLastLogin(t *testing.T) {
	dir := t.TempDir()
	r := NewRecorder(nil, dir, quiet())
	r.Note("anna", "", at(0))
	r.Note("anna", "phone", at(time.Second))
	r.Note("otto@example.org", "", at(2*time.Second))
	must(t, r.Close())
	r = NewRecorder(nil, dir, quiet()) // another process
	r.Note("anna", "phone", at(time.Hour))
	must(t, r.Close())
	if got, want := read(t, dir, "anna"), (map[string]Login{"": at(0), "phone": at(time.Hour)}); !maps.Equal(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := read(t, dir, "nobody"); len(got) > 0 {
		t.Errorf("nobody: %+v", got)
	}
	for _, user := range []string{"anna", "otto@example.org"} {
		if info, err := os.Stat(filepath.Join(dir, user)); err != nil || info.Mode() != 0o600 {
			t.Errorf("%s: %v, %v", user, info, err)
		}
	}
	if names, err := os.ReadDir(dir); err != nil || len(names) != 2 {
		t.Errorf("left behind: %v, %v", names, err)
	}
}

func TestRemoveForgets(t *testing.T) {
	dir := t.TempDir()
	r := NewRecorder(nil, dir, quiet())
	r.Note("anna", "", at(0))
	r.Note("anna", "phone", at(0))
	must(t, r.Close())
	must(t, Remove(nil, dir, "anna", "phone"))
	if got := read(t, dir, "anna"); len(got) != 1 {
		t.Errorf("got %+v", got)
	}
	must(t, Remove(nil, dir, "anna"))
	must(t, Remove(nil, dir, "anna"))
	must(t, Remove(nil, dir, "anna", "phone"))
	if got := read(t, dir, "anna"); len(got) != 0 {
		t.Errorf("got %+v", got)
	}
}

func TestNamesStayInTheFolder(t *testing.T) {
	dir := t.TempDir()
	inner := filepath.Join(dir, "inner")
	must(t, os.Mkdir(inner, 0o700))
	r := NewRecorder(nil, inner, quiet())
	for _, user := range []string{"", ".", "..", "../anna", "/etc/x", ".anna", "a\x00b"} {
		r.Note(user, "", at(0))
		if _, err := Read(nil, inner, user); err == nil {
			t.Errorf("%q is read", user)
		}
		if err := Remove(nil, inner, user); err == nil {
			t.Errorf("%q is removed", user)
		}
	}
	must(t, r.Close())
	for folder, want := range map[string]int{dir: 1, inner: 0} {
		if names, err := os.ReadDir(folder); err != nil || len(names) != want {
			t.Errorf("%v, %v", names, err)
		}
	}
}

// counting counts what is written.
type counting struct {
	vfs.FS
	renames int
	gate    chan struct{} // nil: always open
}

func (c *counting) Rename(from, to string) error {
	if c.gate != nil {
		<-c.gate
	}
	c.renames++
	return c.FS.Rename(from, to)
}

func TestACredentialIsWrittenOnceAMinute(t *testing.T) {
	dir := t.TempDir()
	fs := &counting{FS: vfs.OS{}}
	r := NewRecorder(fs, dir, quiet())
	for i := range 100 {
		r.Note("anna", "", at(time.Duration(i)*time.Second))
	}
	r.Note("anna", "phone", at(0))
	must(t, r.Close())
	if fs.renames != 3 { // at 0 s, at 60 s, and the other credential
		t.Errorf("%d writes", fs.renames)
	}
	if got := read(t, dir, "anna")[""]; got != at(time.Minute) {
		t.Errorf("got %+v", got)
	}
}

// A disk that hangs costs last logins, and no login.
func TestNoteNeverWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fs := &counting{FS: vfs.NewStrict(), gate: make(chan struct{})}
		must(t, fs.Mkdir("/l", 0o700))
		r := NewRecorder(fs, "/l", quiet())
		for i := range 3 * queued {
			r.Note(fmt.Sprint("user", i), "", at(0))
		}
		synctest.Wait() // at the gate
		close(fs.gate)
		must(t, r.Close())
		if fs.renames < queued || fs.renames > queued+2 {
			t.Errorf("%d writes", fs.renames)
		}
		r.Note("anna", "", at(0)) // after Close, too
		must(t, r.Close())
		must(t, (*Recorder)(nil).Close())
		(*Recorder)(nil).Note("anna", "", at(0))
	})
}

func TestFailuresAreToldOnceAndPass(t *testing.T) {
	dir := t.TempDir()
	log := &strings.Builder{}
	fail := &vfs.Fail{FS: vfs.OS{}}
	for n := 1; ; n++ {
		log.Reset()
		fail.Arm(n, false)
		r := NewRecorder(fail, dir, slog.New(slog.NewTextHandler(log, nil)))
		first, second := at(time.Duration(n)*time.Hour), at(time.Duration(n)*time.Hour+30*time.Minute)
		r.Note("anna", "", first)
		r.Note("anna", "", second)
		must(t, r.Close())
		fired := fail.Fired()
		if got := read(t, dir, "anna")[""]; got != second && got != first { // one of the two failed, at most
			t.Errorf("operation %d: neither login is there: %+v", n, got)
		}
		if strings.Count(log.String(), "level=WARN") > 1 {
			t.Errorf("operation %d:\n%s", n, log)
		}
		if !fired {
			return
		}
	}
}

func TestWhatCannotBeReadIsBegunAnew(t *testing.T) {
	dir := t.TempDir()
	for _, content := range []string{"", "{", "[]", strings.Repeat("x", 2*maxFile)} {
		must(t, os.WriteFile(filepath.Join(dir, "anna"), []byte(content), 0o600))
		r := NewRecorder(nil, dir, quiet())
		r.Note("anna", "", at(0))
		must(t, r.Close())
		if got := read(t, dir, "anna"); len(got) != 1 {
			t.Errorf("after %.10q: %+v", content, got)
		}
	}
}

func TestFileIsBounded(t *testing.T) {
	dir := t.TempDir()
	r := NewRecorder(nil, dir, quiet())
	for i := range maxCredentials + 50 {
		r.Note("anna", fmt.Sprint("app", i), at(time.Duration(i)*time.Second))
	}
	must(t, r.Close())
	got := read(t, dir, "anna")
	if _, latest := got[fmt.Sprint("app", maxCredentials+49)]; len(got) != maxCredentials || !latest {
		t.Errorf("%d logins", len(got))
	}
}

// What writes have left that were killed goes with the next one, and with the user.
func TestLeftoversOfKilledWritesGo(t *testing.T) {
	dir := t.TempDir()
	leave := func() {
		must(t, os.WriteFile(filepath.Join(dir, ".anna."+rand.Text()), []byte("x"), 0o600))
		must(t, os.WriteFile(filepath.Join(dir, ".anna.note"), nil, 0o600)) // somebody else's
	}
	left := func(want ...string) {
		t.Helper()
		names, err := (vfs.OS{}).ReadDir(dir)
		must(t, err)
		slices.Sort(names)
		if !slices.Equal(names, want) {
			t.Errorf("left %q, want %q", names, want)
		}
	}
	leave()
	must(t, update(vfs.OS{}, dir, "anna", "", at(0)))
	left(".anna.note", "anna")
	leave()
	must(t, Remove(nil, dir, "anna"))
	left(".anna.note")
}
