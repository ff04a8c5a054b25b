package accounts

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"

	"postfach/internal/hint"
	"postfach/internal/peer"
	"postfach/internal/vfs"
	"postfach/pop3server"
)

func editorOf(f *File) Editor { return Editor{Path: f.Path, Key: f.Key} }

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	octets, err := os.ReadFile(path)
	must(t, err)
	return string(octets)
}

func TestAddedAccountsLogInAtOnce(t *testing.T) {
	f := newFile(t, blf("anna")+"\n")
	e := editorOf(f)
	login(t, f, "berta", "geheim", pop3server.ErrCredentials)
	must(t, e.Add(NewAccount{User: "berta", Password: "geheim"}))
	must(t, e.Add(NewAccount{User: "carla", Password: "  grün ", Scheme: "argon2id"}))
	login(t, f, "berta", "geheim", nil)
	login(t, f, "carla", "  grün ", nil)
	login(t, f, "carla", "  gru\u0308n ", nil) // the same after SASLprep
	login(t, f, "carla", "grün", pop3server.ErrCredentials)

	must(t, e.SetPassword("berta", "neu", "", false))
	login(t, f, "berta", "geheim", pop3server.ErrCredentials)
	login(t, f, "berta", "neu", nil)

	must(t, e.Remove("berta"))
	login(t, f, "berta", "neu", pop3server.ErrCredentials)
	login(t, f, "anna", "p w", nil)
}

func TestWhatIsWritten(t *testing.T) {
	f := newFile(t, "")
	e := editorOf(f)
	must(t, e.Add(NewAccount{User: "anna", Password: "p"}))
	must(t, e.Add(NewAccount{User: "berta", Password: "p", Scheme: Argon2id}))
	content := read(t, f.Path)
	if want := fmt.Sprintf("anna:{SCRAM-SHA-256}%d,", Iterations); Iterations < 15_000 || !strings.HasPrefix(content, want) {
		t.Errorf("got %s, want %s…", content, want)
	}
	if want := "\nberta:{ARGON2ID}$argon2id$v=19$m=19456,t=2,p=1$"; !strings.Contains(content, want) {
		t.Errorf("got %s, want %s…", content, want)
	}
}

// Dovecot reads what is written here.
func TestDovecotAgrees(t *testing.T) {
	doveadm := peer.Need(t, "doveadm")
	for _, scheme := range []string{ScramSHA256, Argon2id} {
		secret, err := newSecret(scheme, "p w", freshWork)
		must(t, err)
		if out, err := exec.Command(doveadm, "pw", "-t", secret, "-p", "p w").CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", secret, err, out)
		}
	}
}

// hand is a file as people leave it: comments, unknown fields, odd spaces.
const hand = "# our users\n\n  # indented\n" +
	`anna:{BLF-CRYPT}$2y$05$kRV0893kNMHJikz3m09Qwula0nM8dBBOaTAjkXXMBGuUQJHzyTDNq:1000:1000:Anna, 1st floor:/home/anna:/bin/sh:userdb_mail=maildir:/srv/anna  quota=1G` + "\r\n" +
	`otto:{BLF-CRYPT}$2y$05$kRV0893kNMHJikz3m09Qwula0nM8dBBOaTAjkXXMBGuUQJHzyTDNq` + "\n"

func TestHandWrittenPartsStay(t *testing.T) {
	f := newFile(t, hand)
	e := editorOf(f)
	must(t, e.Add(NewAccount{User: "berta", Password: "p"}))
	got := read(t, f.Path)
	if !strings.HasPrefix(got, hand+"berta:{SCRAM") || !strings.HasSuffix(got, "::::::\n") {
		t.Errorf("after Add:\n%s", got)
	}
	must(t, e.SetPassword("anna", "neu", "", false))
	got = read(t, f.Path)
	for _, want := range []string{"# our users\n\n  # indented\nanna:{SCRAM-SHA-256}", ":1000:1000:Anna, 1st floor:/home/anna:/bin/sh:userdb_mail=maildir:/srv/anna  quota=1G\r\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("after SetPassword %q is missing:\n%s", want, got)
		}
	}
	must(t, e.SetAPOP("anna", "a secret for APOP"))
	if got = read(t, f.Path); !strings.Contains(got, ":/bin/sh:userdb_mail=maildir:/srv/anna quota=1G apop=") {
		t.Errorf("after SetAPOP:\n%s", got)
	}
	must(t, e.SetAPOP("anna", ""))
	must(t, e.Remove("berta"))
	if got = read(t, f.Path); strings.Contains(got, "apop=") || strings.Contains(got, "berta") || !strings.HasSuffix(got, hand[strings.Index(hand, "\r\n"):]) {
		t.Errorf("at the end:\n%s", got)
	}
}

// A half-written file is nothing to build on.
func TestEditorRefusesAFileWithoutALineEnd(t *testing.T) {
	cut := strings.TrimSuffix(hand, "\n")
	f := newFile(t, cut)
	err := editorOf(f).Add(NewAccount{User: "berta", Password: "p"})
	if err == nil || !strings.HasPrefix(err.Error(), f.Path+":5: the last line has no end") || hint.Of(err) == "" || read(t, f.Path) != cut {
		t.Errorf("got %v, hint %q:\n%s", err, hint.Of(err), read(t, f.Path))
	}
}

func TestEditorRefuses(t *testing.T) {
	f := newFile(t, blf("anna")+"\n")
	e := editorOf(f)
	for name, c := range map[string]struct{ got, want error }{
		"add twice":        {e.Add(NewAccount{User: "anna", Password: "p"}), ErrExists},
		"passwd nobody":    {e.SetPassword("nobody", "p", "", false), ErrNoUser},
		"apop nobody":      {e.SetAPOP("nobody", "p"), ErrNoUser},
		"remove nobody":    {e.Remove("nobody"), ErrNoUser},
		"empty password":   {e.SetPassword("anna", "", "", false), ErrPassword},
		"control":          {e.SetPassword("anna", "a\tb", "", false), ErrPassword},
		"long password":    {e.SetPassword("anna", strings.Repeat("x", 241), "", false), ErrPassword},
		"longest password": {e.SetPassword("anna", strings.Repeat("x", 240), "", false), nil},
	} {
		if !errors.Is(c.got, c.want) {
			t.Errorf("%s: %v, want %v", name, c.got, c.want)
		}
	}
	before := read(t, f.Path)
	for name, err := range map[string]error{
		"bad name":           e.Add(NewAccount{User: "../x", Password: "p"}),
		"bad scheme":         e.SetPassword("anna", "p", "plain", false),
		"argon2id with APOP": e.Add(NewAccount{User: "b", Password: "p", Scheme: Argon2id, APOP: "0123456789abcdef"}),
	} {
		if hint.Of(err) == "" {
			t.Errorf("%s: %v, without a hint", name, err)
		}
	}
	if read(t, f.Path) != before {
		t.Error("a refused change has changed the file")
	}
	must(t, os.Chmod(f.Path, 0o644))
	if err := e.Remove("anna"); hint.Of(err) == "" {
		t.Errorf("file open to others: %v", err)
	}
	write(t, f.Path, "nonsense\n", 0o600)
	if err := e.Add(NewAccount{User: "berta", Password: "p"}); err == nil || read(t, f.Path) != "nonsense\n" {
		t.Errorf("bad file: %v", err)
	}
}

func TestListTellsNoSecrets(t *testing.T) {
	f := newFile(t, hand)
	must(t, editorOf(f).SetAPOP("otto", "0123456789abcdef"))
	list, err := editorOf(f).List()
	must(t, err)
	want := []Account{{User: "anna", Scheme: "BLF-CRYPT", Maildir: "/srv/anna", Unknown: []string{`"quota"`}}, {User: "otto", Scheme: "BLF-CRYPT", APOP: true}}
	if !reflect.DeepEqual(list, want) {
		t.Errorf("got %+v", list)
	}
}

func TestModeIsKept(t *testing.T) {
	f := newFile(t, blf("anna")+"\n")
	for _, mode := range []os.FileMode{0o600, 0o400} {
		must(t, os.Chmod(f.Path, mode))
		must(t, editorOf(f).SetPassword("anna", "p", "", false))
		info, err := os.Stat(f.Path)
		must(t, err)
		if info.Mode() != mode {
			t.Errorf("mode %o became %o", mode, info.Mode())
		}
	}
}

func TestEditorsWaitForEachOther(t *testing.T) {
	f := newFile(t, "")
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			if err := editorOf(f).Add(NewAccount{User: fmt.Sprint("u", i), Password: "p"}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if list, err := editorOf(f).List(); len(list) != 8 || err != nil {
		t.Errorf("%d accounts, %v", len(list), err)
	}
}

// Whatever operation fails, the file is the old one or the new one, whole, and
// nil means the new one.
func TestEveryFailureLeavesAWholeFile(t *testing.T) {
	for n := 1; ; n++ {
		f := newFile(t, blf("anna")+"\n")
		fail := &vfs.Fail{FS: vfs.OS{}}
		e := editorOf(f)
		e.FS = fail
		fail.Arm(n, n%2 == 0)
		err := e.Add(NewAccount{User: "berta", Password: "p", APOP: "0123456789abcdef"})
		fired := fail.Fired()
		list, listErr := editorOf(f).List()
		if listErr != nil || len(list) < 1 || err == nil && len(list) != 2 {
			t.Fatalf("operation %d: %v, then %+v, %v", n, err, list, listErr)
		}
		if !fired {
			if err != nil {
				t.Fatal(err)
			}
			return
		}
	}
}

func TestAPOPSecretIsSealed(t *testing.T) {
	f := newFile(t, "")
	e := editorOf(f)
	if dirOf(f).Available() {
		t.Error("APOP without a secret")
	}
	const secret = "a secret that is shared"
	must(t, e.Add(NewAccount{User: "anna", Password: "p", APOP: secret}))
	must(t, e.Add(NewAccount{User: "otto", Password: "p"}))
	if !dirOf(f).Available() {
		t.Error("no APOP with a secret")
	}
	who, got, err := dirOf(f).Secret(t.Context(), nil, "anna")
	if who.User != "anna" || who.Credential != "apop" || got != secret || err != nil {
		t.Errorf("Secret: %v, %q, %v", who, got, err)
	}
	for _, name := range []string{"otto", "nobody", "../anna"} {
		if who, got, err := dirOf(f).Secret(t.Context(), nil, name); who.User != "" || got != "" || !errors.Is(err, pop3server.ErrCredentials) {
			t.Errorf("Secret(%q): %v, %q, %v", name, who, got, err)
		}
	}
	login(t, f, "anna", secret, pop3server.ErrCredentials)
	if strings.Contains(read(t, f.Path), secret) {
		t.Error("the secret lies open")
	}
	for _, path := range []string{f.Key, filepath.Dir(f.Key)} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
	}
	if !errors.Is(e.SetPassword("anna", "p", Argon2id, false), nil) {
		return
	}
	t.Error("argon2id beside an APOP secret")
}

func TestSealedSecretFitsItsLineOnly(t *testing.T) {
	f, log := newLogged(t, "")
	e := editorOf(f)
	must(t, e.Add(NewAccount{User: "anna", Password: "p", APOP: "0123456789abcdef"}))
	write(t, f.Path, strings.Replace(read(t, f.Path), "anna:", "otto:", 1), 0o600)
	if dirOf(f).Available() {
		t.Error("the secret opens under another name")
	}
	if _, _, err := dirOf(f).Secret(t.Context(), nil, "otto"); !errors.Is(err, pop3server.ErrCredentials) {
		t.Error(err)
	}
	login(t, f, "otto", "p", nil)
	if !strings.Contains(log.String(), "postfach user apop otto") {
		t.Error(log)
	}
}

func TestKeyOpenToOthersIsNotUsed(t *testing.T) {
	f, log := newLogged(t, "")
	must(t, editorOf(f).Add(NewAccount{User: "anna", Password: "p", APOP: "0123456789abcdef"}))
	must(t, os.Chmod(f.Key, 0o640))
	if dirOf(f).Available() || !strings.Contains(log.String(), "chmod 600") {
		t.Errorf("APOP with an open key:\n%s", log)
	}
	login(t, f, "anna", "p", nil)
	if err := editorOf(f).SetAPOP("anna", "0123456789abcdef"); hint.Of(err) == "" {
		t.Errorf("SetAPOP: %v", err)
	}
}

func TestGeneratedSecretsAreLong(t *testing.T) {
	a, b := NewAPOPSecret(), NewAPOPSecret()
	if a == b || WeakAPOPSecret(a) || !WeakAPOPSecret("tanstaaf") {
		t.Errorf("%q, %q", a, b)
	}
}

// A login never meets half a file, whatever tools write meanwhile.
func TestLoginsDuringEdits(t *testing.T) {
	f := newFile(t, blf("anna")+"\n")
	log := &strings.Builder{}
	f.Log = slog.New(slog.NewTextHandler(log, nil))
	var wg sync.WaitGroup
	stop := make(chan struct{})
	for range 2 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					login(t, f, "anna", "p w", nil)
				}
			}
		})
	}
	e := editorOf(f)
	for i := range 10 {
		must(t, e.Add(NewAccount{User: fmt.Sprint("u", i), Password: "p"}))
		login(t, f, fmt.Sprint("u", i), "p", nil)
	}
	close(stop)
	wg.Wait()
	if log.Len() > 0 {
		t.Error(log)
	}
}
