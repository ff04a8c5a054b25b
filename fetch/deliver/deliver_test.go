package deliver

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"go.uber.org/goleak"

	"postfach/internal/vfs"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var specs = []string{"maildir:/home/Mail", "dir:/home/mail", "mbox:/home/mail.mbox"}

// mails are awkward in every way, but end their lines with CRLF.
var mails = []string{
	"Subject: one\r\n\r\nFrom here\r\n>From there\r\n>>>From\r\n.\r\n\r\n",
	"Subject: two\r\n\r\n\x00\xff\r alone\r\n" + strings.Repeat("x", 70000) + "\r\n",
	"From me@example.org now\r\nFrom \r\n>\r\n\r\n",
	"",
}

func put(ctx context.Context, t Target, key, mail string) (stored bool, err error) {
	h := NewContentHash()
	err = t.Deliver(ctx, io.TeeReader(strings.NewReader(mail), h), func() (Record, bool) {
		r := Record{Key: key, Announced: int64(len(mail)), Content: h.String()}
		stored = !slices.Contains(t.Records(key), r)
		return r, stored
	})
	return stored, err
}

// content returns the messages that other programs would see in the target.
func content(t *testing.T, fsys vfs.FS, spec string) []string {
	t.Helper()
	kind, name, _ := strings.Cut(spec, ":")
	var found []string
	switch kind {
	case "maildir":
		for _, sub := range []string{"new", "cur"} {
			found = append(found, files(t, fsys, path.Join(name, sub), "")...)
		}
	case "dir":
		found = files(t, fsys, name, eml)
	case "mbox":
		found = split(t, read(t, fsys, name))
	}
	slices.Sort(found)
	return found
}

func files(t *testing.T, fsys vfs.FS, dir, suffix string) (found []string) {
	t.Helper()
	names, err := fsys.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, suffix) {
			found = append(found, read(t, fsys, path.Join(dir, name)))
		}
	}
	return found
}

func read(t *testing.T, fsys vfs.FS, name string) string {
	t.Helper()
	f, err := fsys.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return ""
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

var quoted = regexp.MustCompile(`(?m)^>(>*From )`)

// split reads an mbox as any mboxrd program does.
func split(t *testing.T, file string) (found []string) {
	t.Helper()
	if file == "" {
		return nil
	}
	if !strings.HasPrefix(file, "From ") || !strings.HasSuffix(file, "\n") {
		t.Fatalf("no mbox: %q", file)
	}
	for _, m := range strings.Split("\n"+strings.TrimSuffix(file, "\n"), "\nFrom ")[1:] {
		_, body, _ := strings.Cut(m, "\n")
		body = quoted.ReplaceAllString(body, "$1")
		if body != "" && !strings.HasSuffix(body, "\n") {
			body += "\n"
		}
		found = append(found, strings.ReplaceAll(body, "\n", "\r\n"))
	}
	return found
}

func sorted(s ...string) []string {
	s = slices.Clone(s)
	slices.Sort(s)
	return s
}

func open(t *testing.T, fsys vfs.FS, spec string) Target {
	t.Helper()
	target, err := Open(fsys, spec)
	if err != nil {
		t.Fatal(err)
	}
	return target
}

// TestDeliver: octets as received, once, also for a later run.
func TestDeliver(t *testing.T) {
	for _, spec := range specs {
		t.Run(spec, func(t *testing.T) {
			fsys := vfs.NewStrict()
			for run := range 2 {
				target := open(t, fsys, spec)
				for i, mail := range mails {
					stored, err := put(t.Context(), target, Key("h", "u", fmt.Sprint(i)), mail)
					if err != nil {
						t.Fatal(err)
					}
					if stored != (run == 0) {
						t.Errorf("run %d, message %d: stored %v", run, i, stored)
					}
				}
				if err := target.Close(); err != nil {
					t.Fatal(err)
				}
				if got := content(t, fsys, spec); !slices.Equal(got, sorted(mails...)) {
					t.Errorf("%.200q", got)
				}
			}
		})
	}
}

// TestCopies: one record may stand for two messages.
func TestCopies(t *testing.T) {
	for _, spec := range specs {
		fsys := vfs.NewStrict()
		for run := range 2 {
			target := open(t, fsys, spec)
			if run == 1 {
				if n := len(target.Records("k2aaaaaaaaaaaaaaaaaaaaaaaa")); n != 3 {
					t.Errorf("%s: %d copies", spec, n)
				}
			}
			for range 3 {
				if run == 1 {
					continue
				}
				err := target.Deliver(t.Context(), strings.NewReader("x\r\n"), func() (Record, bool) {
					return Record{Key: "k2aaaaaaaaaaaaaaaaaaaaaaaa", Content: strings.Repeat("b", hashLength), Announced: -1}, true
				})
				if err != nil {
					t.Fatal(err)
				}
			}
			target.Close()
		}
		if got := content(t, fsys, spec); len(got) != 3 {
			t.Errorf("%s: %q", spec, got)
		}
	}
}

// TestFailedRead: what could not be read to its end leaves nothing.
func TestFailedRead(t *testing.T) {
	for _, spec := range specs {
		fsys := vfs.NewStrict()
		target := open(t, fsys, spec)
		broken := io.MultiReader(strings.NewReader("half"), iotest.ErrReader(io.ErrUnexpectedEOF))
		err := target.Deliver(t.Context(), broken, func() (Record, bool) {
			t.Error("asked for a record")
			return Record{}, true
		})
		if !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%s: %v", spec, err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := put(ctx, target, "k", "whole"); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", spec, err)
		}
		target.Close()
		if got := content(t, fsys, spec); len(got) != 0 {
			t.Errorf("%s: %q", spec, got)
		}
	}
}

// TestLocked: one run at a time.
func TestLocked(t *testing.T) {
	for _, spec := range specs {
		fsys := vfs.NewStrict()
		target := open(t, fsys, spec)
		if _, err := Open(fsys, spec); !errors.Is(err, ErrLocked) {
			t.Errorf("%s: %v", spec, err)
		}
		target.Close()
		open(t, fsys, spec).Close()
	}
}

func TestSpec(t *testing.T) {
	for _, spec := range []string{"", "maildir", "maildir:", "/tmp/x", "imap:x"} {
		if _, err := Open(vfs.NewStrict(), spec); !errors.Is(err, ErrSpec) {
			t.Errorf("%q: %v", spec, err)
		}
	}
}

// run delivers all mails that are not there, as far as it can, and returns for
// which it has a promise.
func run(ctx context.Context, fsys vfs.FS, spec string, batch int) (promised []int) {
	target, err := Open(fsys, spec)
	if err != nil {
		return nil
	}
	defer target.Close()
	if batch > 1 {
		return runBatches(ctx, target.(Stager), batch)
	}
	for i, mail := range mails {
		if _, err := put(ctx, target, Key(fmt.Sprint(i)), mail); err == nil {
			promised = append(promised, i)
		}
	}
	return promised
}

// runBatches is run with so many messages in a batch. The next one is staged
// before the one before is committed.
func runBatches(ctx context.Context, target Stager, size int) (promised []int) {
	var batch, before []*Staged
	var number, numbers []int // of the messages in both
	commit := func() {
		for i, err := range target.Commit(before) {
			if err == nil {
				promised = append(promised, numbers[i])
			}
		}
		before, numbers, batch, number = batch, number, nil, nil
	}
	for i, mail := range mails {
		staged, known, err := stage(ctx, target, Key(fmt.Sprint(i)), mail)
		switch {
		case err != nil:
		case known:
			promised = append(promised, i)
		default:
			batch, number = append(batch, staged), append(number, i)
		}
		if len(batch) == size {
			commit()
		}
	}
	commit()
	commit()
	slices.Sort(promised)
	return promised
}

// stage is put for a Stager.
func stage(ctx context.Context, t Stager, key, mail string) (s *Staged, known bool, err error) {
	h := NewContentHash()
	s, err = t.Stage(ctx, io.TeeReader(strings.NewReader(mail), h), func() (Record, bool) {
		r := Record{Key: key, Announced: int64(len(mail)), Content: h.String()}
		known = slices.Contains(t.Records(key), r)
		return r, !known
	})
	return s, known, err
}

// TestEveryFailure makes each operation fail once, and then lets a second run
// repeat the first: all mail is there, once. What a run promised is there even
// when the power fails right after it.
func TestEveryFailure(t *testing.T) {
	for _, spec := range specs {
		for _, batch := range []int{1, 2, len(mails)} {
			if batch > 1 && strings.HasPrefix(spec, "mbox:") {
				continue // only a file's end can be torn: messages come one by one
			}
			for _, dead := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s dead %v batch %d", spec, dead, batch), func(t *testing.T) { everyFailure(t, spec, dead, batch) })
			}
		}
	}
}

func everyFailure(t *testing.T, spec string, dead bool, batch int) {
	// A crash of Strict may also change what was synced before in a file that
	// grows; an mbox is only asked to survive what disks do. See TestTorn.
	seeds := uint64(8)
	if strings.HasPrefix(spec, "mbox:") {
		seeds = 1
	}
	for n := 1; ; n++ {
		disk := vfs.NewStrict()
		disk.Mkdir("/home", 0o700)
		disk.SyncDir("/")
		fail := &vfs.Fail{FS: disk}
		fail.Arm(n, dead)
		promised := run(t.Context(), fail, spec, batch)
		if !fail.Fired() {
			if len(promised) != len(mails) || n < 20 {
				t.Fatalf("operation %d: %v", n, promised)
			}
			return
		}
		for seed := range seeds {
			after := disk.Clone()
			after.Crash(seed)
			run2 := run(t.Context(), after, spec, batch)
			if len(run2) != len(mails) {
				t.Fatalf("operation %d, seed %d: the second run delivered %v", n, seed, run2)
			}
			if got := content(t, after, spec); !slices.Equal(got, sorted(mails...)) {
				t.Fatalf("operation %d, seed %d: %.300q", n, seed, got)
			}
		}
		after := disk.Clone()
		after.Crash(0)
		target, err := Open(after, spec)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range promised {
			if len(target.Records(Key(fmt.Sprint(i)))) != 1 {
				t.Fatalf("operation %d: message %d was promised and is lost", n, i)
			}
		}
		target.Close()
		if !dead { // no crash: the same program goes on
			fail.Arm(0, false)
			run(t.Context(), fail, spec, batch)
			if got := content(t, disk, spec); !slices.Equal(got, sorted(mails...)) {
				t.Fatalf("operation %d, repeated: %.300q", n, got)
			}
		}
	}
}

// TestMaildirNames: other programs move and flag messages (new/ to cur/); the
// unique-id of the server is no part of the name.
func TestMaildirNames(t *testing.T) {
	fsys := vfs.NewStrict()
	target := open(t, fsys, "maildir:/m")
	key := Key("host", "user", "../../etc/passwd")
	put(t.Context(), target, key, "a\r\n")
	target.Close()
	names, _ := fsys.ReadDir("/m/new")
	if len(names) != 1 || !regexp.MustCompile(`^\d+\.M\d+-[a-z2-7]{26}-[a-z2-7]{26}-3\.postfach,S=3,W=3$`).MatchString(names[0]) {
		t.Fatalf("%q", names)
	}
	fsys.Rename("/m/new/"+names[0], "/m/cur/"+names[0]+":2,RS")
	target = open(t, fsys, "maildir:/m")
	defer target.Close()
	if len(target.Records(key)) != 1 {
		t.Error("not found in cur/")
	}
}

// TestTorn: a run that ended at any octet of an append. What was there before
// stays, what follows from another program stays, what was changed stays.
func TestTorn(t *testing.T) {
	const spec = "mbox:/m"
	whole := vfs.NewStrict()
	target := open(t, whole, spec)
	put(t.Context(), target, Key("0"), mails[0])
	target.Close()
	before := read(t, whole, "/m")
	target = open(t, whole, spec)
	put(t.Context(), target, Key("2"), mails[2])
	// no Close: the journal stands
	after := read(t, whole, "/m")
	for cut := len(before); cut < len(after); cut++ {
		for _, rest := range []string{"", strings.Repeat("\x00", len(after)-cut)} {
			disk := whole.Clone()
			rewrite(t, disk, "/m", after[:cut]+rest)
			target := open(t, disk, spec)
			if got := read(t, disk, "/m"); got != before {
				t.Fatalf("cut at %d: %q", cut-len(before), got[len(before):])
			}
			put(t.Context(), target, Key("2"), mails[2])
			target.Close()
			if got := content(t, disk, spec); !slices.Equal(got, sorted(mails[0], mails[2])) {
				t.Fatalf("cut at %d: %q", cut-len(before), got)
			}
		}
	}
	for name, file := range map[string]string{
		"whole":      after,
		"flagged":    strings.TrimSuffix(after, "\n") + "Status: RO\n\n",
		"more mail":  after[:len(after)-5] + "\n\nFrom other Thu Jan  1 00:00:00 1970\nx\n\n",
		"something":  before + "what is this\n",
		"other only": before + "From other Thu Jan  1 00:00:00 1970\nx\n\n",
	} {
		disk := whole.Clone()
		rewrite(t, disk, "/m", file)
		open(t, disk, spec).Close()
		if got := read(t, disk, "/m"); got != file {
			t.Errorf("%s: %q became %q", name, file, got)
		}
	}
}

func rewrite(t *testing.T, fsys vfs.FS, name, content string) {
	t.Helper()
	f, err := fsys.Append(name, 0o600)
	if err == nil {
		err = f.Truncate(0)
	}
	if err == nil {
		_, err = io.WriteString(f, content)
	}
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
}

// TestForeignMbox: a file of another program gets its last line end.
func TestForeignMbox(t *testing.T) {
	for _, end := range []string{"", "\n", "\n\n"} {
		fsys := vfs.NewStrict()
		rewrite(t, fsys, "/m", "From a Thu Jan  1 00:00:00 1970\nx"+end)
		target := open(t, fsys, "mbox:/m")
		put(t.Context(), target, Key("0"), "y\r\n")
		target.Close()
		if got := content(t, fsys, "mbox:/m"); !slices.Equal(got, []string{"x\r\n", "y\r\n"}) {
			t.Errorf("%q: %q", end, got)
		}
	}
}

// FuzzQuote: mboxrd can be undone, whatever the message and its pieces.
func FuzzQuote(f *testing.F) {
	for _, mail := range mails {
		f.Add([]byte(mail), false)
	}
	f.Add([]byte("\r\r\n\r"), true)
	f.Fuzz(func(t *testing.T, mail []byte, slowly bool) {
		var r io.Reader = bytes.NewReader(mail)
		if slowly {
			r = iotest.OneByteReader(r)
		}
		q := &quoter{r: bufio.NewReaderSize(r, 16)}
		got, err := io.ReadAll(q)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(got)) {
			if strings.HasPrefix(line, "From ") {
				t.Fatalf("%q has a separator: %q", mail, got)
			}
		}
		want := strings.ReplaceAll(string(mail), "\r\n", "\n")
		var undone strings.Builder
		for line := range strings.Lines(string(got)) {
			if strings.HasPrefix(strings.TrimLeft(line, ">"), "From ") {
				line = line[1:]
			}
			undone.WriteString(line)
		}
		if undone.String() != want {
			t.Fatalf("%q became %q", mail, got)
		}
	})
}

func TestRecordText(t *testing.T) {
	for _, announced := range []int64{-1, 0, 1 << 40} {
		r := Record{Key: Key("a", "b"), Content: NewContentHash().String(), Announced: announced}
		got, ok := parseRecord(r.String())
		if !ok || got != r {
			t.Errorf("%v became %v", r, got)
		}
	}
	if Key("a", "bc") == Key("ab", "c") {
		t.Error("parts run into one another")
	}
}
