//go:build unix

package privilege

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"slices"
	"strconv"
	"syscall"
)

// Root reports whether the process has rights of root's to give up.
func Root() bool { return os.Getuid() == 0 || os.Geteuid() == 0 }

// Become makes a process of root's somebody else, for good: groups first, then
// gid, then uid, then what is left of capabilities, on all threads. The groups are
// gid and those that the system says the user is in: a file may be shared by one. It
// verifies that there is no way back. After an error the process may be anything
// between the two, and must end.
func Become(uid, gid int) error {
	if uid <= 0 || gid <= 0 {
		return errors.New("that is root")
	}
	groups, err := setGroups(groupsOf(uid, gid))
	if err != nil {
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
	return verify(uid, gid, groups)
}

// groupsOf is gid and the other groups of a user. Where the system does not know the
// user, or cannot tell, there are none: that is the safe side. Root's own group is left
// out.
func groupsOf(uid, gid int) []int {
	groups := []int{gid}
	u, err := user.LookupId(strconv.Itoa(uid))
	if err != nil {
		return groups
	}
	u.Gid = strconv.Itoa(gid)
	ids, err := u.GroupIds()
	if err != nil {
		return groups
	}
	for _, id := range ids {
		if g, err := strconv.Atoi(id); err == nil && g > 0 && !slices.Contains(groups, g) {
			groups = append(groups, g)
		}
	}
	return groups
}

// fewGroups is what every system takes.
const fewGroups = 16

// setGroups returns the groups that the process has now: the first ones, where the
// system takes no more.
func setGroups(groups []int) ([]int, error) {
	err := syscall.Setgroups(groups)
	if errors.Is(err, syscall.EINVAL) && len(groups) > fewGroups {
		groups = groups[:fewGroups]
		err = syscall.Setgroups(groups)
	}
	return groups, err
}

func verify(uid, gid int, wanted []int) error {
	if os.Getuid() != uid || os.Geteuid() != uid || os.Getgid() != gid || os.Getegid() != gid {
		return errors.New("the system says it is done, and it is not")
	}
	groups, err := os.Getgroups()
	if err != nil {
		return err
	}
	for _, g := range groups {
		if !slices.Contains(wanted, g) {
			return fmt.Errorf("still in group %d", g)
		}
	}
	if syscall.Setuid(0) == nil || syscall.Setreuid(-1, 0) == nil || syscall.Setgid(0) == nil {
		return errors.New("root can be had back")
	}
	return nil
}
