package confine

import (
	"os"
	"path/filepath"
	"testing"
)

func TestRulesKnowWhatTheyHold(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	in := func(name string) string { return filepath.Join(dir, name) }
	for _, err := range []error{
		os.MkdirAll(in("mail/anna"), 0o700), os.MkdirAll(in("mailbox"), 0o700), os.Mkdir(in("conf"), 0o700),
		os.Symlink(in("mail"), in("link")), os.Symlink(in("mailbox"), in("mail/out")), os.Symlink("/nowhere/at/all", in("mail/broken")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	rules := Rules{Write: []string{in("link")}, Read: []string{in("conf"), in("missing")}, Run: []string{in("bin")}}
	for path, want := range map[string]bool{
		in("mail"): true, in("mail/anna"): true, in("mail/anna/Maildir/new"): true, in("link/berta"): true,
		in("mail/../conf/x"): false, in("mailbox"): false, in("mail/out/x"): false, dir: false, "/": false, in("conf/x"): false,
		in("mail/..x"): true,
	} {
		if got := rules.Writable(path); got != want {
			t.Errorf("%s: writable %v, want %v", path, got, want)
		}
	}
	for path, want := range map[string]bool{in("conf/a"): true, in("mail/anna"): true, in("bin/helper"): true, in("mailbox/x"): false, in("missing/x"): true} {
		if got := rules.Readable(path); got != want {
			t.Errorf("%s: readable %v, want %v", path, got, want)
		}
	}
	if got := rules.Existing(); len(got.Write) != 1 || len(got.Read) != 1 || len(got.Run) != 0 || len(rules.Read) != 2 {
		t.Errorf("existing: %+v of %+v", got, rules)
	}
}

// Where one folder holds the other, what is written can be run.
func TestOverlapIsWhatIsWrittenAndRun(t *testing.T) {
	dir := t.TempDir()
	mail := filepath.Join(dir, "mail")
	for _, err := range []error{os.Mkdir(mail, 0o700), os.Symlink(mail, filepath.Join(dir, "link"))} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		write, run string
		want       bool
	}{
		{"/srv/mail", "/srv/mail", true},
		{"/srv/mail", "/srv/mail/bin", true},
		{"/srv/mail", "/srv", true},
		{mail, filepath.Join(dir, "link", "bin"), true},
		{"/srv/mail", "/srv/mailbin", false},
		{"/srv/mail", "/usr/local/bin", false},
	} {
		rules := Rules{Write: []string{"/data", c.write}, Run: []string{"/bin", c.run}, Read: []string{"/srv"}}
		write, run := rules.Overlap()
		if (write != "") != c.want || c.want && (write != c.write || run != c.run) {
			t.Errorf("write %s, run %s: %q, %q", c.write, c.run, write, run)
		}
	}
}
