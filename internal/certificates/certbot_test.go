//go:build unix

package certificates

import (
	"crypto/x509"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// certbotFolder makes folders as certbot does: links from live lead to archive. And
// modes as in docs/tls.md: a group reads keys, and enters the folders.
type certbotFolder struct {
	t   *testing.T
	ca  *authority
	dir string
	gid int // -1: that of the process
}

func (c *certbotFolder) pair() Pair {
	live := filepath.Join(c.dir, "live", "mail.example.org")
	return Pair{filepath.Join(live, "fullchain.pem"), filepath.Join(live, "privkey.pem")}
}

// renew makes the n-th certificate.
func (c *certbotFolder) renew(n int) {
	archive := filepath.Join(c.dir, "archive", "mail.example.org")
	live := filepath.Dir(c.pair().Key)
	for _, dir := range []string{filepath.Dir(live), live, filepath.Dir(archive), archive} {
		must(c.t, os.MkdirAll(dir, 0o700))
		must(c.t, os.Chmod(dir, 0o750))
		must(c.t, os.Chown(dir, -1, c.gid))
	}
	cert, key := c.ca.issue(newECDSA(c.t), x509.ExtKeyUsageServerAuth, time.Now().Add(time.Duration(n)*20*time.Hour), "mail.example.org")
	for _, f := range []struct {
		name    string
		content []byte
		mode    os.FileMode
		link    string
	}{
		{fmt.Sprintf("fullchain%d.pem", n), cert, 0o644, c.pair().Certificate},
		{fmt.Sprintf("privkey%d.pem", n), key, 0o640, c.pair().Key},
	} {
		file := filepath.Join(archive, f.name)
		must(c.t, os.WriteFile(file, f.content, 0o600))
		must(c.t, os.Chmod(file, f.mode))
		must(c.t, os.Chown(file, -1, c.gid))
		later := time.Now().AddDate(0, n, 0) // the clock of file systems is slower than this test
		must(c.t, os.Chtimes(file, later, later))
		os.Remove(f.link)
		must(c.t, os.Symlink(filepath.Join("..", "..", "archive", "mail.example.org", f.name), f.link))
	}
}

// The first recipe of docs/tls.md: a renewal is seen without a hook.
func TestRenewalByCertbotIsSeen(t *testing.T) {
	c := &certbotFolder{t, newAuthority(t, "ca"), t.TempDir(), -1}
	c.renew(1)
	j, log := newJournal()
	set := &Set{Log: log}
	must(t, set.Load(Files{Pairs: []Pair{c.pair()}, Private: t.TempDir()}))
	first := serialOf(t, set)
	c.renew(2)
	set.Poll(time.Now())
	if serialOf(t, set) == first {
		t.Errorf("the renewed one is not seen:\n%s", j)
	}
	j.wait(t, "were read again", 1)
}

// certbotGroup names a folder that only the group of the process may read.
const certbotGroup = "POSTFACH_TEST_CERTBOT"

// And the server's user needs nothing but the group.
func TestFilesOfCertbotAreReadByTheirGroup(t *testing.T) {
	if dir := os.Getenv(certbotGroup); dir != "" {
		c := &certbotFolder{t: t, dir: dir}
		j, log := newJournal()
		must(t, (&Set{Log: log}).Load(Files{Pairs: []Pair{c.pair()}, Private: t.TempDir()}))
		if j.String() != "" {
			t.Errorf("log:\n%s", j)
		}
		return
	}
	if os.Getuid() != 0 {
		t.Log("the user of the files reads them here, because only root can make those of a group")
		return
	}
	const nobody = 65534
	dir, err := os.MkdirTemp("", "certbot") // not t.TempDir, which others cannot enter
	must(t, err)
	defer os.RemoveAll(dir)
	must(t, os.Chmod(dir, 0o755))
	c := &certbotFolder{t, newAuthority(t, "ca"), dir, nobody}
	c.renew(1)
	exe, err := os.Executable()
	must(t, err)
	octets, err := os.ReadFile(exe)
	must(t, err)
	program := filepath.Join(dir, "test")
	must(t, os.WriteFile(program, octets, 0o755))
	for gid, want := range map[uint32]bool{nobody: true, nobody - 1: false} {
		own, err := os.MkdirTemp(dir, "tmp")
		must(t, err)
		must(t, os.Chown(own, nobody-1, int(gid)))
		cmd := exec.Command(program, "-test.run=^"+t.Name()+"$")
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), certbotGroup+"="+dir, "TMPDIR="+own)
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody - 1, Gid: gid}}
		if out, err := cmd.CombinedOutput(); (err == nil) != want {
			t.Errorf("group %d: %v\n%s", gid, err, out)
		}
	}
}
