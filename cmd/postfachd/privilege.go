package main

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/user"
	"strconv"
	"syscall"

	"postfach/internal/datafolder"
	"postfach/internal/hint"
)

// dropRoot makes a server that root started the data folder's owner, for good:
// groups first, then gid, then uid, on all threads. Whoever takes over a
// session then has the mail and nothing else of the machine. For other users it
// does nothing.
func dropRoot(folder datafolder.Folder, log *slog.Logger) error {
	if os.Getuid() != 0 && os.Geteuid() != 0 {
		return nil
	}
	uid, gid, err := target(folder)
	if err != nil {
		return err
	}
	if err := become(uid, gid); err != nil {
		return hint.Add(fmt.Errorf("become uid %d, gid %d: %w", uid, gid, err), "start the server as the owner of %s instead", folder)
	}
	log.Info("root given up", "uid", uid, "gid", gid)
	return nil
}

func become(uid, gid int) error {
	if err := syscall.Setgroups([]int{gid}); err != nil {
		return err
	}
	if err := syscall.Setgid(gid); err != nil {
		return err
	}
	if err := syscall.Setuid(uid); err != nil {
		return err
	}
	return dropped(uid, gid)
}

// target is who the server becomes.
func target(folder datafolder.Folder) (uid, gid int, err error) {
	uid, gid, err = folder.Owner()
	if err != nil {
		return 0, 0, err
	}
	if u, err := user.LookupId(strconv.Itoa(uid)); err == nil {
		if primary, err := strconv.Atoi(u.Gid); err == nil {
			gid = primary
		}
	}
	if uid == 0 || gid == 0 {
		return 0, 0, hint.Add(fmt.Errorf("the data folder %s belongs to root, and root serves nobody", folder), "%s", ownHint(folder))
	}
	return uid, gid, nil
}

// dropped verifies that there is no way back.
func dropped(uid, gid int) error {
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
