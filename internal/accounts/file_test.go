package accounts

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"postfach/internal/hint"
	"postfach/internal/unprivileged"
	"postfach/maildrop"
	"postfach/pop3server"
	"postfach/sasl"
)

// dovecots are lines that doveadm pw made for the password "p w".
const dovecots = `scram256:{SCRAM-SHA-256}4096,u4uHTgENRRkhNLRkx7e1Sw==,OdmXfJIcioz1QnTWoTPn5hLJs35SUrnTgNNSzEA0KNI=,rj5kT1Hb8Y/2bISXbLuMOAuBYnab9IwYfNVWhX2PkPk=
scram1:{SCRAM-SHA-1}4096,lZOhxzScPsl/NRclAyY8fg==,DsqCdZSNV76AWiQ5HJta8JAe90Y=,U/4tWT00qRW6sk4fBNLnDzTYOPA=
sha512:{SHA512-CRYPT}$6$AbS4sp2dPTn2FrXi$oUc2KNFN328FNbv6eRCwMmErbKi515yFuQ71.YpTfdDMWTfu8tDU7feruTm0zKQy4MviiPHaOATO6DeG/v.Hg1
sha256:{sha256-crypt}$5$Cu0VkIJmqYuMZNb1$Lj8bIvllMlPLP7COAcCQi3R6lxYn6t8Yt0DaeYrNxK1
blf:{BLF-CRYPT}$2y$05$kRV0893kNMHJikz3m09Qwula0nM8dBBOaTAjkXXMBGuUQJHzyTDNq
argon2id:{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=1$ePssP32h8hvgKtjiCJenXQ$0Iecmt7cCm4jNRg7Lx14D78DKHVglvE+QtGXnFKBgZw
argon2i:{ARGON2I}$argon2i$v=19$m=32768,t=4,p=1$WUkH2pxrDTp4kfpYJVoiCw$Pw5QSGzTUG2PmZPWDsJlnDFsT8VSCmCiUmRdLdEGDPc
crypt:{CRYPT}$2y$05$y5io8fcXQQ/VDE08uHZvY.g6veKiFHgyoPuLKnZiSwrvCt6oJGxcK:1000:1000::/home/crypt::userdb_mail=maildir:/srv/mail/crypt allow=this
`

// blf is one of them, cheap to check, under any name.
func blf(user string) string {
	return user + `:{BLF-CRYPT}$2y$05$kRV0893kNMHJikz3m09Qwula0nM8dBBOaTAjkXXMBGuUQJHzyTDNq`
}

func write(t *testing.T, path, content string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

func newFile(t *testing.T, content string) *File {
	t.Helper()
	dir := t.TempDir()
	f := &File{Path: filepath.Join(dir, "accounts"), Key: filepath.Join(dir, "keys", "apop"), Log: slog.New(slog.DiscardHandler)}
	write(t, f.Path, content, 0o600)
	return f
}

func login(t *testing.T, f *File, name, password string, want error) {
	t.Helper()
	prepared, err := sasl.PrepareQuery(password) // as the server does
	must(t, err)
	tryLogin(t, dirOf(f), nil, name, prepared, want)
}

// dirOf is a Directory with nothing but this file, and nothing in its cache.
func dirOf(f *File) *Directory { return &Directory{Sources: []Source{f}, Mail: mailOf(f), Log: f.Log} }

func mailOf(f *File) string { return filepath.Join(filepath.Dir(f.Path), "mail") }

func tryLogin(t *testing.T, d *Directory, p *pop3server.Peer, name, password string, want error) {
	t.Helper()
	who, err := d.Authenticate(t.Context(), p, name, password)
	if !errors.Is(err, want) || (err == nil) != (who.User != "") {
		t.Errorf("login as %q: %+v, error %v, want %v", name, who, err, want)
	}
}

func TestReadsDovecotsSchemes(t *testing.T) {
	f := newFile(t, "# from Dovecot\n\n"+dovecots)
	for line := range strings.Lines(dovecots) {
		user, _, _ := strings.Cut(line, ":")
		login(t, f, user, "p w", nil)
		login(t, f, user, "p  w", pop3server.ErrCredentials)
	}
}

func TestReadsSystemsHashes(t *testing.T) {
	// From crypt(3) of libxcrypt; shadow files of today have it.
	f := newFile(t, "anna:{CRYPT}$y$j9T$gUCdVTa6nChZlNTbSyOvV1$v4KjwGV2diyOdwOtasl413wkVZNWt9VZW66lOYQP6f5\n"+
		"otto:{CRYPT}$6$rounds=5000$abcdefgh$068UmzN7VcvrwYqbl9lSMW6PWDfunJi2Kz6QgIYQ4Zc8iHMi9TGLsuIZH1/QXKG2UgETQlmIS3kjLDSGvMk0T0\n")
	for _, user := range []string{"anna", "otto"} {
		login(t, f, user, "p w", nil)
		login(t, f, user, "wrong", pop3server.ErrCredentials)
	}
}

func TestMaildirIsTheUsersUnlessTheFileSaysOtherwise(t *testing.T) {
	f := newFile(t, dovecots)
	for user, want := range map[string]string{"crypt": "/srv/mail/crypt", "blf": filepath.Join(mailOf(f), "blf")} {
		got, err := dirOf(f).Maildir(user)
		if got != want || err != nil {
			t.Errorf("Maildir(%q) = %q, %v, want %q", user, got, err, want)
		}
	}
	if _, err := dirOf(f).Maildir("nobody"); !errors.Is(err, maildrop.ErrNoUser) {
		t.Errorf("unknown user: %v", err)
	}
}

func TestNamesThatAreNotAllowedAreUnknown(t *testing.T) {
	f := newFile(t, blf("anna")+"\n")
	login(t, f, "anna", "p w", nil)
	login(t, f, "an\u00adna", "p w", nil) // SASLprep takes the soft hyphen out
	for _, name := range []string{"", "Anna", "../anna", "anna/", "anna\x00", "anna ", ".anna", "-anna", "a..b", "%u", "änna", "\xff", strings.Repeat("a", 129)} {
		login(t, f, name, "p w", pop3server.ErrCredentials)
	}
}

func TestBadLinesAreNamed(t *testing.T) {
	for line, want := range map[string]string{
		"anna":                                 "expected user:{SCHEME}secret",
		"anna:hunter2":                         "expected {SCHEME}",
		"anna:{NTLM}hunter2":                   `scheme "NTLM" is unknown, or too weak`,
		"anna:{PLAIN}":                         "scheme PLAIN: the password is empty",
		"anna:{CRYPT}$1$ab$cd":                 "scheme MD5-CRYPT: the hash does not have",
		"anna:{CRYPT}abJnggxhB/yWI":            "scheme CRYPT: the hash does not have",
		"Anna:{CRYPT}x":                        `user name "Anna" is not allowed`,
		"../a:{CRYPT}x":                        `user name "../a" is not allowed`,
		"a:{SCRAM-SHA-256}100,a,b,c":           "expected 4096 to 10000000 iterations",
		"a:{SCRAM-SHA-256}4096,a,b,c":          "expected base64",
		"a:{SCRAM-SHA-256}4096,YQ==,YQ==,YQ==": "32 octets",
		"a:{ARGON2ID}$argon2id$v=19$m=9999999,t=1,p=1$YWFhYWFhYWFhYQ$YWFhYWFhYWFhYWFhYWFhYQ": "at most m=524288",
		blf("a") + "::::::userdb_mail=maildir:relative":                                      "expected userdb_mail=maildir:/path",
		blf("a") + "::::::userdb_mail=maildir:/srv/%u":                                       "expected userdb_mail=maildir:/path",
		blf("b"): "user b again, first on line 1",
	} {
		_, err := parse("/etc/accounts", blf("b")+"\n# comment\n"+line+"\n")
		if err == nil || !strings.HasPrefix(err.Error(), "/etc/accounts:3: ") || !strings.Contains(err.Error(), want) {
			t.Errorf("%s:\n got %v\nwant %s", line, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: the error tells the secret: %v", line, err)
		}
	}
}

func TestBadLinesHaveAHint(t *testing.T) {
	for _, line := range []string{"anna", "anna:x", "anna:{MD5}x", "anna:{DES-CRYPT}jzU2MXigR6AFA", "Anna:x", blf("a") + "::::::userdb_mail=x"} {
		if _, err := parse("f", line+"\n"); hint.Of(err) == "" {
			t.Errorf("%s: no hint beside %v", line, err)
		}
	}
}

func TestFieldsThatKeepPeopleOutDo(t *testing.T) {
	for _, field := range []string{"nologin", "nologin=yes", "noauthenticate", "nopassword", "allow_nets=10.0.0.0/8", "allow_real_nets=10.0.0.0/8", "pop3=no", "tls=required", "client_cert=required", "main=off"} {
		f := newFile(t, blf("anna")+"::::::"+field+"\n")
		login(t, f, "anna", "p w", pop3server.ErrCredentials)
	}
}

// counter counts what a login costs: the checks, and of which verifier.
type counter struct {
	verifier
	mu    sync.Mutex
	count int
}

func (c *counter) matches(password string) bool {
	c.mu.Lock()
	c.count++
	c.mu.Unlock()
	return c.verifier.matches(password)
}

func TestUnknownUsersCostTheSame(t *testing.T) {
	f := newFile(t, blf("anna")+"\n"+blf("closed")+"::::::nologin\n"+blf("refused")+"::::::allow_nets=10.0.0.0/8\n"+blf("apps")+"::::::main=off\n")
	if err := f.Load(); err != nil {
		t.Fatal(err)
	}
	checks := &counter{verifier: f.current.byName["anna"].verifier}
	f.current.classes = classes{}
	for _, a := range f.current.inFile {
		a.verifier = checks
		a.made = a.makeEntry()
		f.current.classes.saw(a.made.shape(), a.made)
	}
	for _, c := range []struct{ name, password string }{
		{"anna", "p w"},
		{"anna", "wrong"},
		{"nobody", "p w"},
		{"../anna", "p w"},
		{"", "p w"},
		{"closed", "p w"},
		{"refused", "p w"},
		{"refused", "wrong"},
		{"apps", "p w"},
		{"anna", "bad\x00"},
		{"nobody", "bad\x00"},
		{"anna", ""},
	} {
		checks.count = 0
		dirOf(f).Authenticate(t.Context(), nil, c.name, c.password)
		if checks.count != 1 {
			t.Errorf("%q, %q: %d checks, want 1", c.name, c.password, checks.count)
		}
	}
}

func TestEmptyFileCostsTheSame(t *testing.T) {
	f := newFile(t, "")
	login(t, f, "nobody", "p w", pop3server.ErrCredentials)
	d := f.Decoy(t.Context(), "nobody")
	if s := d.Scram[sasl.SHA256]; len(d.Credentials) != 1 || d.Credentials[0].Check != nil || s.Verifier.Iterations != Iterations || len(s.Verifier.Salt) != 16 || s.Names[0] != "" {
		t.Errorf("the decoy of an empty file is %+v", d)
	}
}

func TestDecoysFollowTheFile(t *testing.T) {
	f := newFile(t, dovecots)
	if err := f.Load(); err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for i := range 500 {
		name := strings.Repeat("x", i+1)
		d := f.Decoy(t.Context(), name)
		if again := f.Decoy(t.Context(), name); d.work() != again.work() || !reflect.DeepEqual(d.Scram, again.Scram) {
			t.Fatal("a name has two decoys")
		}
		seen[d.work()]++
	}
	classes := map[string]int{}
	for _, a := range f.current.inFile {
		classes[a.makeEntry().work()]++
	}
	for cost, accounts := range classes {
		if want := 500 * accounts / len(f.current.inFile); seen[cost] < want/2 || seen[cost] > want*2 {
			t.Errorf("%d decoys are like %s, want about %d", seen[cost], cost, want)
		}
	}
}

func TestChecksAreBounded(t *testing.T) {
	f := newFile(t, blf("anna")+"\n")
	d := dirOf(f)
	d.setUp()
	for range cap(d.computes.slots) {
		d.computes.slots <- struct{}{}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := d.Authenticate(ctx, nil, "anna", "p w"); !errors.Is(err, context.Canceled) {
		t.Errorf("with no slot free: %v", err)
	}
	<-d.computes.slots
	tryLogin(t, d, nil, "anna", "p w", nil)
}

// newLogged is newFile with a clock far ahead, so that each change is settled,
// and a log that can be read.
func newLogged(t *testing.T, content string) (*File, *strings.Builder) {
	t.Helper()
	f := newFile(t, content)
	log := &strings.Builder{}
	f.Log = slog.New(slog.NewTextHandler(log, nil))
	f.Now = func() time.Time { return time.Now().Add(time.Hour) }
	return f, log
}

func TestHandEditsHoldAtOnce(t *testing.T) {
	f, _ := newLogged(t, blf("anna")+"\n")
	login(t, f, "berta", "p w", pop3server.ErrCredentials)
	write(t, f.Path, blf("anna")+"\n"+blf("berta")+"\n", 0o600)
	login(t, f, "berta", "p w", nil)
	write(t, f.Path, blf("berta")+"\n", 0o600)
	login(t, f, "anna", "p w", pop3server.ErrCredentials)
}

// A change that leaves size, time and inode as they were is seen as long as
// the clock does not rule it out.
func TestChangeWithinOneTickIsSeen(t *testing.T) {
	f := newFile(t, blf("anna")+"\n")
	now := time.Now()
	f.Now = func() time.Time { return now }
	login(t, f, "anna", "p w", nil)
	write(t, f.Path, blf("otto")+"\n", 0o600)
	f.seen = stampNow(t, f) // as if the file system's clock had not moved
	login(t, f, "otto", "p w", nil)
	login(t, f, "anna", "p w", pop3server.ErrCredentials)
	if f.settled {
		t.Error("a file that has just changed is trusted")
	}
	now = now.Add(time.Hour)
	login(t, f, "otto", "p w", nil)
	if !f.settled {
		t.Error("an old file is read at every login")
	}
}

func stampNow(t *testing.T, f *File) stamp {
	t.Helper()
	info, err := f.fs().Lstat(f.Path)
	if err != nil {
		t.Fatal(err)
	}
	return stampOf(info)
}

func TestBadChangeIsRefusedAndLoggedOnce(t *testing.T) {
	f, log := newLogged(t, blf("anna")+"\n")
	login(t, f, "anna", "p w", nil)
	write(t, f.Path, blf("otto")+"\nnonsense\n", 0o600)
	for range 3 {
		login(t, f, "anna", "p w", nil)
		login(t, f, "otto", "p w", pop3server.ErrCredentials)
	}
	if n := strings.Count(log.String(), "accounts:2: expected user"); n != 1 || !strings.Contains(log.String(), "hint=") {
		t.Errorf("logged %d times:\n%s", n, log)
	}
	write(t, f.Path, blf("otto")+"\nmore nonsense\n", 0o600)
	login(t, f, "anna", "p w", nil)
	if n := strings.Count(log.String(), "accounts:2: expected user"); n != 2 {
		t.Errorf("the second bad change is logged %d times:\n%s", n-1, log)
	}
	write(t, f.Path, blf("otto")+"\n", 0o600)
	login(t, f, "otto", "p w", nil)
}

func TestBadChangeWithinOneTickIsLoggedOnce(t *testing.T) {
	f, log := newLogged(t, blf("anna")+"\n")
	f.Now = nil
	login(t, f, "anna", "p w", nil)
	write(t, f.Path, "nonsense\n", 0o600)
	for range 3 {
		login(t, f, "anna", "p w", nil)
	}
	if n := strings.Count(log.String(), "level=ERROR"); n != 1 {
		t.Errorf("logged %d times:\n%s", n, log)
	}
}

func TestFileOpenToOthersIsRefused(t *testing.T) {
	for _, mode := range []os.FileMode{0o640, 0o604, 0o620, 0o610, 0o644} {
		f, log := newLogged(t, blf("anna")+"\n")
		login(t, f, "anna", "p w", nil)
		write(t, f.Path, blf("otto")+"\n", mode)
		login(t, f, "otto", "p w", pop3server.ErrCredentials)
		login(t, f, "anna", "p w", nil)
		if !strings.Contains(log.String(), "chmod 600") {
			t.Errorf("mode %o:\n%s", mode, log)
		}
		if err := f.Load(); hint.Of(err) == "" {
			t.Errorf("Load with mode %o: %v", mode, err)
		}
		if err := os.Chmod(f.Path, 0o600); err != nil {
			t.Fatal(err)
		}
		login(t, f, "otto", "p w", nil)
	}
}

// What keeps the old accounts in force must not be forgotten.
func TestRefusedFileIsLoggedAgainEachMinuteOfLogins(t *testing.T) {
	f, log := newLogged(t, blf("anna")+"\n")
	now := time.Now().Add(time.Hour)
	f.Now = func() time.Time { return now }
	login(t, f, "anna", "p w", nil)
	write(t, f.Path, "nonsense\n", 0o600)
	for minute := range 4 {
		for range 3 {
			login(t, f, "anna", "p w", nil)
		}
		if n := strings.Count(log.String(), "level=ERROR"); n != minute+1 {
			t.Errorf("in minute %d: logged %d times:\n%s", minute, n, log)
		}
		now = now.Add(time.Minute)
	}
	write(t, f.Path, blf("anna")+"\n", 0o600)
	before := log.Len()
	login(t, f, "anna", "p w", nil)
	if log.Len() != before {
		t.Errorf("a good file is complained about:\n%s", log)
	}
	write(t, f.Path, "nonsense\n", 0o600)
	if err := f.Load(); err == nil {
		t.Error("Load of nonsense")
	}
	login(t, f, "anna", "p w", nil)
	if log.Len() != before {
		t.Errorf("what the caller of Load tells is logged twice:\n%s", log)
	}
}

func TestFileOfSomebodyElseIsRefusedWithAHint(t *testing.T) {
	if !unprivileged.Run(t) {
		return
	}
	f, log := newLogged(t, blf("anna")+"\n")
	login(t, f, "anna", "p w", nil)
	if err := os.Chmod(f.Path, 0); err != nil { // as good as root's
		t.Fatal(err)
	}
	login(t, f, "anna", "p w", nil)
	if !strings.Contains(log.String(), "permission denied") || !strings.Contains(log.String(), "must own the file, with mode 0600") {
		t.Errorf("logged:\n%s", log)
	}
}

// Whoever writes in place may be cut off, or half done: what is left of an
// account's line could lack the field that closes it.
func TestLineWithoutItsEndOpensNoAccount(t *testing.T) {
	whole := "# ours\n" + blf("anna") + "::::::nologin=y\n"
	for cut := range len(whole) {
		f, log := newLogged(t, whole)
		login(t, f, "anna", "p w", pop3server.ErrCredentials)
		write(t, f.Path, whole[:cut], 0o600)
		login(t, f, "anna", "p w", pop3server.ErrCredentials)
		atEnd := cut == 0 || whole[cut-1] == '\n'
		if named := strings.Contains(log.String(), "accounts:") && strings.Contains(log.String(), "the last line has no end") && strings.Contains(log.String(), "end it with a line feed"); named == atEnd {
			t.Errorf("cut after %q:\n%s", whole[:cut], log)
		}
	}
}

func TestVanishedFileKeepsTheAccounts(t *testing.T) {
	f, log := newLogged(t, blf("anna")+"\n")
	login(t, f, "anna", "p w", nil)
	if err := os.Remove(f.Path); err != nil {
		t.Fatal(err)
	}
	login(t, f, "anna", "p w", nil)
	login(t, f, "anna", "p w", nil)
	if n := strings.Count(log.String(), "level=ERROR"); n != 1 {
		t.Errorf("logged %d times:\n%s", n, log)
	}
}

func TestLinkIsRefused(t *testing.T) {
	f := newFile(t, blf("anna")+"\n")
	link := f.Path + ".link"
	if err := os.Symlink(f.Path, link); err != nil {
		t.Fatal(err)
	}
	f.Path = link
	if err := f.Load(); err == nil {
		t.Error("a symbolic link is read")
	}
}

func TestUnreadableFileIsAnError(t *testing.T) {
	if !unprivileged.Run(t) {
		return
	}
	f := newFile(t, blf("anna")+"\n")
	if err := os.Chmod(f.Path, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := dirOf(f).Authenticate(t.Context(), nil, "anna", "p w"); err == nil || errors.Is(err, pop3server.ErrCredentials) {
		t.Errorf("got %v, want an error of the server", err)
	}
}

func TestManyLoginsAtOnce(t *testing.T) {
	f := newFile(t, blf("anna")+"\n")
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			login(t, f, "anna", "p w", nil)
			login(t, f, "nobody", "p w", pop3server.ErrCredentials)
			f.Secrets()
		})
	}
	wg.Wait()
}

// A file that another program reads, too, has a group for both.
func TestSharedFileMayBeReadByItsGroup(t *testing.T) {
	for mode, want := range map[os.FileMode]bool{0o600: true, 0o640: true, 0o400: true, 0o440: true, 0o660: false, 0o644: false, 0o604: false, 0o650: false} {
		f, _ := newLogged(t, blf("anna")+"\n")
		f.Shared = true
		if err := os.Chmod(f.Path, mode); err != nil {
			t.Fatal(err)
		}
		if err := f.Load(); (err == nil) != want {
			t.Errorf("mode %o: %v", mode, err)
		}
		if _, err := (Editor{Path: f.Path, Shared: true}).List(); (err == nil) != want {
			t.Errorf("mode %o: list: %v", mode, err)
		}
	}
}
