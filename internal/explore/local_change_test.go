package explore

import (
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// mailFiles are the files below a Maildir's new and cur, with their content.
func mailFiles(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := make(map[string]string)
	for _, folder := range []string{"new", "cur", "tmp"} {
		err := filepath.WalkDir(filepath.Join(dir, folder), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			octets, err := os.ReadFile(path)
			files[strings.TrimPrefix(path, dir)] = string(octets)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return files
}

func TestReadOnlyMaildropIsAsBeforeWhateverIsDone(t *testing.T) {
	store, dir := maildirOf(t, localMails...)
	before := mailFiles(t, dir)
	e := New(Local(store, "ada", dir, false), Options{})
	defer e.Close()
	if err := e.Connect(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	all := keys(e)
	known(t, e, len(all))
	e.list.mark(&e.list.rows[0], true) // as a bug would
	_, preview := e.Preview(t.Context(), all[0], 3)
	_, save := e.Save(t.Context(), all[1], io.Discard)
	_, export := e.ExportTo(t.Context(), "zip:"+filepath.Join(t.TempDir(), "x.zip"), all, nil)
	if err := errors.Join(preview, save, export); err != nil {
		t.Error(err)
	}
	mustOpen(t, e, all[2])
	if err := e.Mark(all...); !errors.Is(err, ErrReadOnly) {
		t.Error(err)
	}
	if out, err := e.Commit(t.Context(), all[:1]); !errors.Is(err, ErrReadOnly) || len(out.Deleted) != 0 {
		t.Errorf("%+v, %v", out, err)
	}
	e.a.ReadOnly = false // and as another one would: the store refuses
	if out, err := e.Commit(t.Context(), all[:1]); err == nil || len(out.Deleted) != 0 {
		t.Errorf("%+v, %v", out, err)
	}
	if err := errors.Join(e.Connect(t.Context(), ""), e.Release(t.Context())); err != nil {
		t.Error(err)
	}
	e.Close()
	if after := mailFiles(t, dir); !maps.Equal(after, before) {
		t.Errorf("before %q, after %q", before, after)
	}
}

// A mail program reads one message, moves another one away and gets new mail
// while the maildrop is explored.
func TestMaildirThatOthersChangeLosesOnlyWhatIsMarked(t *testing.T) {
	store, dir := maildirOf(t, localMails...)
	e, all := opened(t, Local(store, "ada", dir, true))
	markAll(t, e, all[0], all[1])
	names := entries(t, filepath.Join(dir, "new"))
	at := func(folder, name string) string { return filepath.Join(dir, folder, name) }
	err := errors.Join(
		os.Rename(at("new", names[0]), at("cur", names[0]+":2,S")),
		os.Rename(at("new", names[1]), filepath.Join(t.TempDir(), "away")),
	)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.Deliver(t.Context(), "ada", strings.NewReader("Subject: four\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	out, err := e.Commit(t.Context(), all[:2])
	files := mailFiles(t, dir)
	var left string
	for _, content := range files {
		left += content
	}
	if len(files)+len(out.Deleted) < 3 || !strings.Contains(left, "three") || !strings.Contains(left, "four") || strings.Contains(left, "two") {
		t.Errorf("%+v, %v, left are %q", out, err, files)
	}
	for _, was := range out.Deleted {
		if was.Key == all[0] && strings.Contains(left, "one") {
			t.Errorf("said to be deleted, and there: %q", files)
		}
	}
}
