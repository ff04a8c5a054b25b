//go:build unix

package interop

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"postfach/internal/awkward"
	"postfach/internal/peer"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A world has the two programs, a data folder and a running server.
type world struct {
	dir        string // all is below it; others than root may enter
	data       string
	plain, tls string              // ports
	owner      *syscall.Credential // of the data folder, when that is not us
	files      int                 // messages put into Maildirs, over all
	hear       func(line string)   // each line that the server writes; nil: nobody does
}

// The account that everybody uses. Sessions come one after the other.
const (
	user     = "ada.lovelace"
	password = "kein.Geheimnis_42"
)

// build compiles the programs into a folder of the test.
func build(t *testing.T) *world {
	t.Helper()
	dir, err := os.MkdirTemp("", "interop")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o711); err != nil { // root's server runs as nobody
		t.Fatal(err)
	}
	w := &world{dir: dir, data: filepath.Join(dir, "data")}
	for _, program := range []string{"postfachd", "postfach"} {
		out, err := exec.Command("go", "build", "-o", w.program(program), "../../cmd/"+program).CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	if os.Getuid() == 0 {
		w.owner = &syscall.Credential{Uid: nobody, Gid: nobody}
	}
	return w
}

// nobody is whom root's data folder belongs to.
const nobody = 65534

// giveAway makes the owner of the data folder the owner of all below dir.
func (w *world) giveAway(dir string) error {
	if w.owner == nil {
		return nil
	}
	return filepath.WalkDir(dir, func(name string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(name, int(w.owner.Uid), int(w.owner.Gid))
	})
}

func (w *world) program(name string) string { return filepath.Join(w.dir, name) }

// ca is the certificate that the first start made; it signs itself.
func (w *world) ca() string { return filepath.Join(w.data, "tls", "cert.pem") }

// addUser makes the account, with the password as APOP secret, too, if asked.
func (w *world) addUser(t *testing.T, user, password string, apop bool) {
	t.Helper()
	args := []string{"user", "add", user, "--data", w.data, "--password-stdin"}
	if apop {
		args = append(args, "--apop-secret-stdin")
	}
	cmd := exec.Command(w.program("postfach"), args...)
	cmd.Stdin = strings.NewReader(password + "\n" + password + "\n")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// startHasty is start for tests in which many logins fail: none waits because of
// that. more is further configuration.
func (w *world) startHasty(t *testing.T, more string) *peer.Process {
	t.Helper()
	const hasty = "limits.failure_delay = \"1ms\"\nlimits.address_delay = \"1ms\"\n"
	return w.start(t, "--config", write(t, filepath.Join(w.dir, "postfachd.toml"), hasty+more, 0o644))
}

// start runs postfachd until the test ends.
func (w *world) start(t *testing.T, args ...string) *peer.Process {
	t.Helper()
	listening := make(chan string, 2)
	cmd := exec.Command(w.program("postfachd"), append([]string{"--data", w.data, "--pop3", "127.0.0.1:0", "--pop3s", "127.0.0.1:0"}, args...)...)
	p := peer.Start(t, cmd, func(line string) {
		if rest, ok := strings.CutPrefix(line, "listening "); ok {
			listening <- rest
		}
		if w.hear != nil {
			w.hear(line)
		}
	})
	late := time.NewTimer(30 * time.Second)
	defer late.Stop()
	for range 2 {
		select {
		case line := <-listening:
			protocol, address, _ := strings.Cut(line, " ")
			_, port, err := net.SplitHostPort(address)
			if err != nil {
				t.Fatalf("%q: %v", line, err)
			}
			switch protocol {
			case "pop3":
				w.plain = port
			case "pop3s":
				w.tls = port
			}
		case <-p.Done():
			t.Fatal("postfachd ended")
		case <-late.C:
			t.Fatal("postfachd does not listen")
		}
	}
	return p
}

// put writes messages into the user's Maildir, as an MTA would, in this order.
func (w *world) put(t *testing.T, user string, messages []awkward.Message) {
	t.Helper()
	maildir := filepath.Join(w.data, "mail", user)
	for _, m := range messages {
		w.files++
		name := fmt.Sprintf("%d.M%dP1.test", 1_600_000_000+w.files, w.files)
		tmp := filepath.Join(maildir, "tmp", name)
		if err := os.WriteFile(tmp, m.Octets, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := w.giveAway(tmp); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(tmp, filepath.Join(maildir, "new", name)); err != nil {
			t.Fatal(err)
		}
	}
}

// empty takes all mail out of the user's Maildir.
func (w *world) empty(t *testing.T, user string) {
	t.Helper()
	for _, sub := range []string{"new", "cur"} {
		files, err := filepath.Glob(filepath.Join(w.data, "mail", user, sub, "*"))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			if err := os.Remove(f); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// run runs a mail program to its end, with a HOME of its own.
func run(t *testing.T, home, stdin, name string, args ...string) (output string, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = home
	cmd.Env = append(os.Environ(), "HOME="+home, "LC_ALL=C", "TMPDIR="+scratch(t, home))
	cmd.Stdin = strings.NewReader(stdin)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err = cmd.Run()
	if ctx.Err() != nil {
		err = fmt.Errorf("%w: %w", ctx.Err(), err)
	}
	return out.String(), err
}

// scratch is a folder for a mail program's temporary files, in memory where there is
// such a place: getmail6 syncs one for each message, and a disk that others keep busy
// takes its time.
func scratch(t *testing.T, home string) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "interop")
	if err != nil {
		return home
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// corpus returns the messages that every client fetches: our own awkward ones,
// and those of the shared corpus when that is there.
func corpus(t *testing.T) []awkward.Message {
	t.Helper()
	all := awkward.Messages()
	files, err := filepath.Glob("../../../shared/corpus/*.eml")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		octets, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, awkward.Message{Name: filepath.Base(file), Octets: octets})
	}
	if len(files) == 0 {
		t.Log("no shared corpus here: only our own messages")
	}
	return all
}

// write writes a file for a mail program.
func write(t *testing.T, name, text string, mode fs.FileMode) string {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	return name
}
