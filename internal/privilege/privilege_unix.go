//go:build unix

package privilege

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// Root reports whether the process has rights of root's to give up.
func Root() bool { return os.Getuid() == 0 || os.Geteuid() == 0 }

// Become makes a process of root's somebody else, for good: groups first, then
// gid, then uid, then what is left of capabilities, on all threads. It verifies
// that there is no way back. After an error the process may be anything between
// the two, and must end.
func Become(uid, gid int) error {
	if uid <= 0 || gid <= 0 {
		return errors.New("that is root")
	}
	if err := syscall.Setgroups([]int{gid}); err != nil {
		return err
	}
	if err := syscall.Setgid(gid); err != nil {
		return err
	}
	if err := syscall.Setuid(uid); err != nil {
		return err
	}
	if err := DropCapabilities(); err != nil {
		return err
	}
	return verify(uid, gid)
}

func verify(uid, gid int) error {
	if os.Getuid() != uid || os.Geteuid() != uid || os.Getgid() != gid || os.Getegid() != gid {
		return errors.New("the system says it is done, and it is not")
	}
	groups, err := os.Getgroups()
	if err != nil {
		return err
	}
	for _, g := range groups {
		if g != gid {
			return fmt.Errorf("still in group %d", g)
		}
	}
	if syscall.Setuid(0) == nil || syscall.Setreuid(-1, 0) == nil || syscall.Setgid(0) == nil {
		return errors.New("root can be had back")
	}
	return nil
}
