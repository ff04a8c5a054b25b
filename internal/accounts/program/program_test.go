//go:build unix

package program

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unicode"

	"go.uber.org/goleak"

	"postfach/internal/accounts"
	"postfach/internal/hint"
	"postfach/internal/peer"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// checkpassword is one of ours: it reads descriptor 3 and runs its arguments for
// whom it lets in.
const checkpassword = `
open(my $in, "<&=3") or exit 111; local $/; my ($user, $password, $stamp) = split /\0/, <$in>;
exit 111 unless $stamp =~ /^\d+$/;
exit 1 unless $user eq "anna" && $password eq "anna's secret";
exec @ARGV or exit 111;
`

// install makes a program, of which interpreter is the first line.
func install(t *testing.T, interpreter, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "helper")
	if err := os.WriteFile(name, []byte("#!"+peer.Need(t, interpreter)+"\n"+text), 0o755); err != nil {
		t.Fatal(err)
	}
	return name
}

// try asks a program whether a password is right.
func try(ctx context.Context, t *testing.T, c Config, user, password string) (bool, error) {
	t.Helper()
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	e, err := s.Lookup(ctx, user)
	if err != nil || len(e.Credentials) != 1 || !e.Credentials[0].Remote {
		t.Fatalf("%+v %v", e, err)
	}
	return e.Credentials[0].Check(ctx, password)
}

func TestProgramDecides(t *testing.T) {
	c := Config{Command: []string{install(t, "perl", checkpassword)}}
	for _, test := range []struct {
		user, password string
		want           bool
	}{
		{"anna", "anna's secret", true},
		{"anna", "anna's secreT", false},
		{"anna", "", false},
		{"berta", "anna's secret", false},
		{"anna", "anna's secret\x00", false},
		{"anna\x00anna's secret", "", false},
		{"anna", strings.Repeat("x", 600), false},
	} {
		got, err := try(t.Context(), t, c, test.user, test.password)
		if err != nil || got != test.want {
			t.Errorf("%q %q: got %v %v", test.user, test.password, got, err)
		}
	}
}

func TestDecoyRunsTheProgramAndFails(t *testing.T) {
	ran := filepath.Join(t.TempDir(), "ran")
	s, err := New(Config{Command: []string{install(t, "sh", "cat <&3 | tr '\\0' '\\n' >> "+ran)}})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if right, err := s.Decoy(t.Context(), "a\nb").Credentials[0].Check(t.Context(), "pw"); right || err != nil {
			t.Errorf("got %v %v", right, err)
		}
	}
	told, _ := os.ReadFile(ran)
	lines := strings.Split(string(told), "\n")
	if len(lines) != 7 || !strings.HasPrefix(lines[0], "nobody-") || lines[0] != lines[3] || accounts.CheckName(lines[0]) != nil {
		t.Errorf("got %q", lines)
	}
}

func TestOnlyOneIsNo(t *testing.T) {
	for _, test := range []struct{ body, want string }{
		{"exit 1", ""},
		{"exit 2", "exit status 2"},
		{"exit 111", "exit status 111"},
		{"echo 'no such \x1b[31mtable' >&2; echo more >&2; exit 111", `exit status 111: "no such \x1b[31mtable"`},
		{"echo the password is pw-of-anna >&2; exit 111", "exit status 111: what it says has the password in it"},
		{"kill -9 $$", "signal: killed"},
		{"exec /nowhere", "exit status 12"},
		{"exec 3<&-; exit 1", ""},
		{"exec 3<&-; exit 111", "exit status 111"},
		{"i=0; while [ $i -lt 2000 ]; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; i=$((i+1)); done | tr -d '\\n' >&2; exit 111", `exit status 111: "xxx`},
	} {
		right, err := try(t.Context(), t, Config{Command: []string{install(t, "sh", test.body)}}, "anna", "pw-of-anna")
		got := fmt.Sprint(err)
		if right || (test.want == "") != (err == nil) || err != nil && !strings.Contains(got, test.want) || strings.Contains(got, "pw-of-anna") || len(got) > 1000 {
			t.Errorf("%s: got %v %v", test.body, right, err)
		}
	}
	gone := install(t, "sh", "exit 0")
	s, err := New(Config{Command: []string{gone}})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(gone); err != nil {
		t.Fatal(err)
	}
	if right, err := s.Decoy(t.Context(), "x").Credentials[0].Check(t.Context(), "x"); right || err == nil {
		t.Errorf("a program that is gone: got %v %v", right, err)
	}
}

func TestSecretsAreOnDescriptor3Only(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("needs /proc")
	}
	out := t.TempDir()
	t.Setenv("POSTFACH_SECRET", "not for children")
	leak, err := os.Open(out) // and what else the test has open
	if err != nil {
		t.Fatal(err)
	}
	defer leak.Close()
	inherited, err := syscall.Dup(int(leak.Fd())) // as from a shell: not closed by exec
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(inherited)
	c := Config{Command: []string{install(t, "perl", `
		open(my $o, ">", "`+out+`/told"); my @fds = sort grep { -e "/proc/self/fd/$_" && readlink("/proc/self/fd/$_") !~ m{/told$|helper$|/proc/} } map { s{.*/}{}r } glob "/proc/self/fd/*";
		print $o "fds @fds\n"; for my $f (qw(cmdline environ)) { open(my $i, "<", "/proc/self/$f"); local $/; my $x = <$i>; $x =~ s/\0/ /g; print $o "$f $x\n" }
		use Cwd; print $o "cwd ", getcwd(), "\nstdin ", readlink("/proc/self/fd/0"), "\nstdout ", readlink("/proc/self/fd/1"), "\n";
	`), "one argument"}}
	ctx := accounts.WithRemote(t.Context(), netip.MustParseAddr("192.0.2.1"))
	if right, err := try(ctx, t, c, "anna", "pw-of-anna"); !right || err != nil {
		t.Fatalf("got %v %v", right, err)
	}
	told, err := os.ReadFile(filepath.Join(out, "told"))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"fds 0 1 2 3",
		"cmdline " + peer.Need(t, "perl") + " " + c.Command[0] + " one argument /bin/true ",
		"environ PATH=/usr/local/bin:/usr/bin:/bin PROTO=POP3 TCPREMOTEIP=192.0.2.1 ",
		"cwd /", "stdin /dev/null", "stdout /dev/null", "",
	}
	if got := strings.Split(string(told), "\n"); !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// A lifeline is a pipe with a name. Whoever has it open for writing is alive.
type lifeline struct {
	t    *testing.T
	name string
	open *os.File
}

func newLifeline(t *testing.T) *lifeline {
	t.Helper()
	l := &lifeline{t: t, name: filepath.Join(t.TempDir(), "alive")}
	if err := syscall.Mkfifo(l.name, 0o600); err != nil {
		t.Fatal(err)
	}
	var err error
	if l.open, err = os.OpenFile(l.name, os.O_RDONLY|syscall.O_NONBLOCK, 0); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.open.Close() })
	return l
}

// ends fails the test unless all that held the lifeline are gone, after they began.
func (l *lifeline) ends() {
	l.t.Helper()
	l.open.SetReadDeadline(time.Now().Add(10 * time.Second))
	got := ""
	for buffer := make([]byte, 16); ; {
		n, err := l.open.Read(buffer)
		got += string(buffer[:n])
		if err != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) {
				l.t.Error("somebody lives on")
			}
			break
		}
	}
	if got != "begun" {
		l.t.Errorf("got %q", got)
	}
}

func TestSlowProgramsAreKilledWithTheirChildren(t *testing.T) {
	alive := newLifeline(t)
	c := Config{
		Command: []string{install(t, "sh", "exec 4>"+alive.name+"; printf begun >&4; (sleep 1000) & sleep 1000")},
		Timeout: 300 * time.Millisecond,
	}
	if right, err := try(t.Context(), t, c, "anna", "x"); right || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v %v", right, err)
	}
	alive.ends()
}

func TestWhoGivesUpDoesNotWait(t *testing.T) {
	alive := newLifeline(t)
	c := Config{Command: []string{install(t, "sh", "exec 4>"+alive.name+"; printf begun >&4; sleep 1000")}, Timeout: time.Hour}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	stop := time.AfterFunc(200*time.Millisecond, cancel)
	defer stop.Stop()
	if right, err := try(ctx, t, c, "anna", "x"); right || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v %v", right, err)
	}
	alive.ends()
}

// A program that leaves somebody behind has answered, and who is left behind is
// ended.
func TestForkingProgramsAreNotWaitedFor(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("elsewhere a process that has ended cannot be kept from having its number given away")
	}
	for body, want := range map[string]bool{"exit 0": true, "exit 1": false} {
		alive := newLifeline(t)
		c := Config{Command: []string{install(t, "sh", "exec 4>"+alive.name+"; printf begun >&4; (sleep 1000) & "+body)}, Timeout: time.Hour}
		if right, err := try(t.Context(), t, c, "anna", "x"); right != want || err != nil {
			t.Errorf("%s: got %v %v", body, right, err)
		}
		alive.ends()
	}
}

// Not even one that has left the group, and holds the standard error open.
func TestProgramsThatHideAreNotWaitedFor(t *testing.T) {
	setsid, err := exec.LookPath("setsid")
	if err != nil {
		peer.Missing(t, "setsid is not installed")
	}
	pid := filepath.Join(t.TempDir(), "pid")
	body := setsid + " sh -c 'echo $$ > " + pid + ".new; mv " + pid + ".new " + pid + "; sleep 1000' & while [ ! -e " + pid + " ]; do :; done; exit 111"
	if _, err := try(t.Context(), t, Config{Command: []string{install(t, "sh", body)}, Timeout: time.Minute}, "anna", "x"); err == nil || !strings.Contains(err.Error(), "exit status 111") {
		t.Errorf("got %v", err)
	}
	text, err := os.ReadFile(pid)
	if err != nil {
		t.Fatal(err)
	}
	var number int
	if _, err := fmt.Sscan(string(text), &number); err != nil {
		t.Fatal(err)
	}
	syscall.Kill(-number, syscall.SIGKILL)
}

func TestProgramsAtOnceAreBounded(t *testing.T) {
	alive := newLifeline(t)
	s, err := New(Config{Command: []string{install(t, "sh", "exec 4>"+alive.name+"; printf begun >&4; sleep 1000")}, AtOnce: 1, Timeout: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	check := s.Decoy(ctx, "x").Credentials[0].Check
	all.Go(func() { check(ctx, "x") })
	buffer := make([]byte, 5)
	for n := 0; n < len(buffer); { // it runs
		alive.open.SetReadDeadline(time.Now().Add(10 * time.Second))
		m, err := alive.open.Read(buffer[n:])
		if m == 0 && err != nil && errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatal("the program does not run")
		}
		n += m
	}
	short, stop := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer stop()
	if right, err := check(short, "x"); right || err == nil || !strings.Contains(err.Error(), "wait for") {
		t.Errorf("got %v %v", right, err)
	}
	cancel()
	all.Wait()
}

// A program in C, as most of its kind are.
func TestCompiledProgram(t *testing.T) {
	cc := peer.Need(t, "cc")
	dir := t.TempDir()
	source := filepath.Join(dir, "helper.c")
	if err := os.WriteFile(source, []byte(`
#include <string.h>
#include <unistd.h>
int main(int argc, char **argv) {
	char text[513]; int n = 0, m;
	while (n < 512 && (m = read(3, text + n, 512 - n)) > 0) n += m;
	text[n] = 0;
	if (strcmp(text, "anna") || strcmp(text + 5, "anna's secret")) return 1;
	execv(argv[1], argv + 1);
	return 111;
}`), 0o600); err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(dir, "helper")
	if out, err := exec.Command(cc, "-o", program, source).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	c := Config{Command: []string{program}}
	for password, want := range map[string]bool{"anna's secret": true, "anna's": false} {
		if right, err := try(t.Context(), t, c, "anna", password); right != want || err != nil {
			t.Errorf("%q: got %v %v", password, right, err)
		}
	}
}

func TestCommandsThatCannotWorkAreRefused(t *testing.T) {
	laxer := install(t, "sh", "exit 0")
	if err := os.Chmod(laxer, 0o777); err != nil {
		t.Fatal(err)
	}
	for _, command := range [][]string{nil, {}, {""}, {"true"}, {"./true"}, {"/nowhere/true"}, {"/"}, {"/etc/passwd"}, {laxer}} {
		_, err := New(Config{Command: command})
		if err == nil || !errors.Is(err, os.ErrNotExist) && hint.Of(err) == "" {
			t.Errorf("%q: got %v", command, err)
		}
	}
}

func TestMaildirIsTheTemplates(t *testing.T) {
	s, err := New(Config{Command: []string{"/bin/sh"}, Maildir: "/srv/mail/{user}/Maildir"})
	if err != nil {
		t.Fatal(err)
	}
	if e, err := s.Lookup(t.Context(), "anna"); err != nil || e.User != "anna" || e.Maildir != "/srv/mail/anna/Maildir" {
		t.Errorf("got %+v %v", e, err)
	}
}

func FuzzComplaint(f *testing.F) {
	f.Add([]byte("\n\r\nno table\r\nmore"), "pw")
	f.Add([]byte("\xff\x00\x1b[31m"), "")
	f.Add([]byte(strings.Repeat("é", 300)), "é")
	f.Fuzz(func(t *testing.T, said []byte, password string) {
		got := complaint(said, password)
		if len(got) > 10*maxComplaint+10 || strings.ContainsFunc(got, func(r rune) bool { return r > unicode.MaxASCII || unicode.IsControl(r) }) {
			t.Errorf("%q: got %q", said, got)
		}
		if strings.Contains(string(said), password) && password != "" && strings.Contains(got, `"`) {
			t.Errorf("%q: got %q", said, got)
		}
	})
}
