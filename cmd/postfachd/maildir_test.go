package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"postfach/internal/datafolder"
)

// An account that came without a Maildir, as from another server, gets one at its
// first login, in the data folder only, and once.
func TestMaildirIsMadeAtTheFirstLogin(t *testing.T) {
	data, dir := begunData(t), tempDir(t)
	name := filepath.Join(dir, "f.toml")
	configured(t, name, "")
	p := serveIn(t, data, "--config", name)
	content, err := os.ReadFile(datafolder.Folder(data).Accounts())
	must(t, err)
	elsewhere := filepath.Join(dir, "otto")
	must(t, os.WriteFile(datafolder.Folder(data).Accounts(), append(content, "anna:{PLAIN}p\nberta:{PLAIN}p\notto:{PLAIN}p::::::userdb_mail=maildir:"+elsewhere+"\n"...), 0))
	says := func(user, want string) {
		t.Helper()
		c := p.dialTLS(data)
		c.line()
		c.say("USER " + user)
		if answer := c.say("PASS p"); !strings.HasPrefix(answer, want) {
			t.Errorf("%s: %s", user, answer)
		}
		c.say("QUIT")
	}
	anna := filepath.Join(data, "mail", "anna")
	says("anna", "+OK")
	for _, sub := range []string{"new", "cur", "tmp"} {
		if info, err := os.Stat(filepath.Join(anna, sub)); err != nil || info.Mode().Perm() != 0o700 {
			t.Errorf("%v, %v", info, err)
		}
	}
	says("anna", "+OK")
	before := p.stderr.count()
	must(t, os.RemoveAll(anna)) // as if its disk were not mounted
	says("anna", "-ERR [SYS/PERM]")
	if line := p.stderr.waitAfter(t, before, "account without maildrop"); !strings.Contains(line, anna) || !strings.Contains(line, "is its disk mounted?") {
		t.Errorf("logged: %s", line)
	}
	before = p.stderr.count()
	says("otto", "-ERR [SYS/") // by the confinement or by the rule
	p.stderr.waitAfter(t, before, elsewhere)
	if _, err := os.Lstat(elsewhere); err == nil {
		t.Error("a Maildir was made outside of the data folder")
	}
	if said, err := os.ReadFile(datafolder.Folder(data).AccountFiles()); err != nil || string(said) != datafolder.Folder(data).Accounts()+"\n" {
		t.Errorf("the tools hear %q, %v", said, err)
	}
	configured(t, name, "create_maildirs = false")
	before = p.stderr.count()
	p.signal(syscall.SIGHUP)
	p.stderr.waitAfter(t, before, "msg=reloaded")
	before = p.stderr.count()
	says("berta", "-ERR [SYS/PERM]")
	if line := p.stderr.waitAfter(t, before, "account without maildrop"); !strings.Contains(line, "postfach user mkdir") || !strings.Contains(line, filepath.Join(data, "mail", "berta")) {
		t.Errorf("logged: %s", line)
	}
	p.end()
	if _, err := os.Lstat(datafolder.Folder(data).AccountFiles()); err == nil {
		t.Error("the tools still hear of it")
	}
}
