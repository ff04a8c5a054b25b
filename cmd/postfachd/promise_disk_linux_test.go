package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"postfach/internal/peer"
	"postfach/internal/unprivileged"
	"postfach/maildrop/maildir"
)

// tinyDiskEnv says where the tiny disk is, or is to be mounted.
const tinyDiskEnv = "POSTFACHD_TEST_TINY_DISK"

// tinyDisk runs the test once more, as another user than root, where a file
// system of very little room is mounted that no other process sees. There it
// returns the folder; in the process that go test started it returns false.
func tinyDisk(t *testing.T, options string) (dir string, here bool) {
	t.Helper()
	stage, dir, _ := strings.Cut(os.Getenv(tinyDiskEnv), " ")
	switch stage {
	case "":
		runOnTinyDisk(t)
		return "", false
	case "mount":
		if err := syscall.Mount("tiny", dir, "tmpfs", 0, options+",mode=1777"); err != nil {
			t.Fatalf("%s: %v", cannotMount, err)
		}
		t.Setenv(tinyDiskEnv, "ready "+dir)
		if !unprivileged.Run(t) {
			return "", false
		}
	}
	return dir, true
}

const (
	cannotMount = "no file system can be mounted here"
	capSysAdmin = 21 // CAP_SYS_ADMIN: it may mount, in the namespace that is its own
)

func runOnTinyDisk(t *testing.T) {
	t.Helper()
	exe, err := os.Executable()
	must(t, err)
	cmd := exec.Command(exe, "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), tinyDiskEnv+"=mount "+tempDir(t))
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
	if uid, gid := os.Getuid(), os.Getgid(); uid != 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{
			Cloneflags:  syscall.CLONE_NEWNS | syscall.CLONE_NEWUSER,
			UidMappings: []syscall.SysProcIDMap{{ContainerID: uid, HostID: uid, Size: 1}},
			GidMappings: []syscall.SysProcIDMap{{ContainerID: gid, HostID: gid, Size: 1}},
			AmbientCaps: []uintptr{capSysAdmin},
		}
	}
	out, err := cmd.CombinedOutput()
	if errors.Is(err, syscall.EPERM) || strings.Contains(string(out), cannotMount) {
		peer.Missing(t, "%s: %v\n%s", cannotMount, err, out)
	}
	if err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Fatalf("on a tiny disk: %v\n%s", err, out)
	}
}

// exhaust makes files of so many octets until there is no room for one more,
// and returns how to make room again.
func exhaust(t *testing.T, dir string, octets int) (free func()) {
	t.Helper()
	ballast := filepath.Join(dir, "ballast")
	must(t, os.Mkdir(ballast, 0o700))
	for n := 0; ; n++ {
		err := os.WriteFile(filepath.Join(ballast, fmt.Sprint(n)), make([]byte, octets), 0o600)
		if errors.Is(err, syscall.ENOSPC) {
			return func() { must(t, os.RemoveAll(ballast)) }
		}
		must(t, err)
	}
}

// Promises 2 and 17: on a full disk nothing is delivered in part, nothing that
// was there is lost, and to read and to delete works: it is how room is made.
func TestFullDisk(t *testing.T) {
	dir, here := tinyDisk(t, "size=2m")
	if !here {
		return
	}
	h := houseIn(t, filepath.Join(dir, "data"))
	texts := map[string]string{}
	for n := range 3 {
		name := fmt.Sprintf("%d.full", 1000+n)
		texts[name] = fmt.Sprintf("Subject: %d\r\n\r\n%s\r\n", n, strings.Repeat("x", 5000))
		h.put("new/"+name, texts[name])
	}
	p := h.serve()
	want := h.listed(p)
	free := exhaust(t, dir, 64<<10)
	smaller := filepath.Join(dir, "smaller")
	must(t, os.Mkdir(smaller, 0o700))
	for n := 0; os.WriteFile(filepath.Join(smaller, fmt.Sprint(n)), make([]byte, 4096), 0o600) == nil; n++ {
	}

	store := &maildir.Store{Path: func(string) (string, error) { return h.mail, nil }}
	before := h.names()
	for _, octets := range []int{10, 100_000, 3 << 20} {
		_, err := store.Deliver(t.Context(), "postfach", strings.NewReader(strings.Repeat("y", octets)))
		if !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("a delivery of %d octets to a full disk: %v", octets, err)
		}
	}
	rest, err := os.ReadDir(h.path("tmp"))
	must(t, err)
	if got := h.names(); !slices.Equal(got, before) || len(rest) > 0 {
		t.Errorf("after deliveries that failed: %q and in tmp/ %q, before %q", got, rest, before)
	}
	for round := range 2 {
		c := h.login(p)
		if got := c.ids(); !slices.Equal(got, want) {
			t.Errorf("on a full disk listed %q, want %q", got, want)
		}
		for n, id := range want {
			if got := c.retr(n + 1); got != texts[id] {
				t.Errorf("%s: %.60q", id, got)
			}
		}
		if round == 0 {
			c.tcp().Close()
			continue
		}
		c.ok("DELE 2")
		c.ok("QUIT")
		c.closed()
	}
	want = slices.Delete(want, 1, 2)
	if got := h.listed(p); !slices.Equal(got, want) {
		t.Errorf("listed %q after a removal, want %q", got, want)
	}
	must(t, os.RemoveAll(smaller))
	free()
	id, err := store.Deliver(t.Context(), "postfach", strings.NewReader("Subject: late\n\nx\n"))
	must(t, err)
	if got := h.listed(p); !slices.Equal(got, append(want, string(id))) {
		t.Errorf("listed %q, want %q and %s", got, want, id)
	}
	p.end()
}

// Promises 2 and 4: the one thing that an UPDATE has to write is a name, for the
// file that would inherit the unique-id of a removed one. Where the disk has no
// room for it, the message stays, and QUIT says so.
func TestNoRoomForANameKeepsTheMessage(t *testing.T) {
	dir, here := tinyDisk(t, "size=2m,nr_inodes=300")
	if !here {
		return
	}
	h := houseIn(t, filepath.Join(dir, "data"))
	h.put("cur/1.x:2,S", "Subject: first\r\n\r\n")
	p := h.serve()
	c := h.login(p)
	if got := c.ids(); !slices.Equal(got, []string{"1.x"}) {
		t.Fatalf("listed %q", got)
	}
	h.put("cur/1.x:2,", "Subject: second\r\n\r\n")
	free := exhaust(t, dir, 0)
	c.ok("DELE 1")
	if got := c.refused("QUIT"); !strings.Contains(got, "1 deleted messages not removed") {
		t.Errorf("QUIT: %s", got)
	}
	c.closed()
	c = h.login(p) // the name cannot be given, and the ids are the same as with it
	ids := c.ids()
	if len(ids) != 2 || !slices.Contains(ids, "1.x") {
		t.Fatalf("listed %q", ids)
	}
	first := slices.Index(ids, "1.x")
	if got := c.retr(first + 1); got != "Subject: first\r\n\r\n" {
		t.Errorf("1.x is %q", got)
	}
	c.ok(fmt.Sprint("DELE ", first+1))
	c.refused("QUIT")
	c.closed()
	free()
	c = h.login(p)
	if got := c.ids(); !slices.Equal(got, ids) {
		t.Errorf("listed %q with room, %q without", got, ids)
	}
	c.ok(fmt.Sprint("DELE ", first+1))
	c.ok("QUIT")
	c.closed()
	c = h.login(p)
	if got := c.ids(); !slices.Equal(got, slices.Delete(ids, first, first+1)) {
		t.Errorf("the second message is listed as %q", got)
	}
	if got := c.retr(1); got != "Subject: second\r\n\r\n" {
		t.Errorf("what is left is %q", got)
	}
	p.end()
}
