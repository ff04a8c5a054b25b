package privilege

import (
	"errors"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
)

// usersAre makes the system know these users and groups, for this process alone.
func usersAre(t *testing.T, passwd, group string) {
	t.Helper()
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		t.Skip("files of the system cannot be covered here: ", err)
	}
	for name, text := range map[string]string{"/etc/passwd": passwd, "/etc/group": group} {
		file := filepath.Base(name) // in the test's own folder, which root removes
		err := errors.Join(os.WriteFile(file, []byte(text), 0o644), syscall.Mount(file, name, "", syscall.MS_BIND, ""))
		if err != nil {
			t.Skip("files of the system cannot be covered here: ", err)
		}
	}
}

func groups(t *testing.T) []int {
	t.Helper()
	all, err := os.Getgroups()
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// A file may be shared with another program by a group: whoever root becomes has
// the groups that a login would bring, and none of root's.
func TestOwnerKeepsTheGroupsOfAUser(t *testing.T) {
	if !inChild(t, &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS, Credential: &syscall.Credential{Groups: []uint32{0, 4}}}) {
		return
	}
	const shared = "shared"
	if err := errors.Join(os.WriteFile(shared, []byte("x"), 0o640), os.Chown(shared, 0, 23458)); err != nil {
		t.Fatal(err)
	}
	usersAre(t, "root:x:0:0::/root:/bin/sh\nmailowner:x:12345:23456::/:/bin/sh\n",
		"root:x:0:mailowner\nmailowner:x:23456:\nother:x:23457:postfach\nshared:x:23458:dovecot,mailowner\n")
	if err := Become(12345, 23456); err != nil {
		t.Fatal(err)
	}
	// Group 0 is root's: its files are nothing that a server has to do with.
	if got := groups(t); !slices.Equal(got, []int{23456, 23458}) {
		t.Errorf("groups %v", got)
	}
	if _, err := os.ReadFile(shared); err != nil {
		t.Error(err)
	}
	if err := syscall.Setgroups([]int{23456, 23457}); err == nil {
		t.Error("groups can be taken")
	}
}

// A uid without a name, as in a container, has its one group.
func TestOwnerWithoutANameHasOneGroup(t *testing.T) {
	if !inChild(t, &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS, Credential: &syscall.Credential{Groups: []uint32{0, 4}}}) {
		return
	}
	usersAre(t, "root:x:0:0::/root:/bin/sh\n", "root:x:0:\nshared:x:23458:12345\n")
	var unknown user.UnknownUserIdError
	if _, err := user.LookupId("12345"); !errors.As(err, &unknown) {
		t.Skip("the system asks others for users, too: ", err)
	}
	if err := Become(12345, 23456); err != nil {
		t.Fatal(err)
	}
	if got := groups(t); !slices.Equal(got, []int{23456}) {
		t.Errorf("groups %v", got)
	}
}
