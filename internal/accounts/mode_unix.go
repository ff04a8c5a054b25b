//go:build unix

package accounts

import (
	"fmt"
	"io/fs"
	"os"

	"postfach/internal/hint"
	"postfach/internal/vfs"
)

// closed refuses a file with secrets that others may read or change. A shared one
// may be read by its group.
func closed(name string, info vfs.Info, shared bool) error {
	if err := ours(name, info.Owner); err != nil {
		return err
	}
	mode, allowed, remedy := info.Mode.Perm(), fs.FileMode(0o600), "chmod 600 %s"
	if shared {
		allowed, remedy = 0o640, "chmod 640 %[1]s, if a group of this server's and another program's has to read it; else chmod 600 %[1]s"
	}
	if mode&0o077&^allowed != 0 {
		return hint.Add(fmt.Errorf("%s is open to others (mode %#o)", name, mode), remedy, name)
	}
	return nil
}

// ours refuses a file of somebody else's, who could write into it what he likes. Root
// could do so anyway. A process of root's takes all: it serves nobody before it has
// become the owner of the data folder.
func ours(name string, owner vfs.Owner) error {
	me := uint32(os.Geteuid())
	if !owner.Known || owner.UID == me || owner.UID == 0 || me == 0 {
		return nil
	}
	return hint.Add(fmt.Errorf("%s belongs to uid %d, who could let anybody in", name, owner.UID),
		"chown %d %s, if nobody else has to write it; or make it root's", me, name)
}
