//go:build unix

package datafolder

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"strconv"
	"syscall"

	"postfach/internal/vfs"
)

// nobody is the uid and gid of the user of that name, where the system does
// not tell another.
const nobody = 65534

// Owner returns the user and the group that the folder belongs to.
func (f Folder) Owner() (uid, gid int, err error) {
	info, err := os.Stat(string(f))
	if err != nil {
		return 0, 0, err
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, 0, errors.ErrUnsupported
	}
	return int(stat.Uid), int(stat.Gid), nil
}

// giveAway gives a folder that root has made to a user who is not root.
func giveAway(dir string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	uid, gid := serviceUser()
	if err := os.Lchown(dir, uid, gid); err != nil {
		return fmt.Errorf("give it to uid %d: %w", uid, err)
	}
	return nil
}

func serviceUser() (uid, gid int) {
	for _, name := range []string{"postfach", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.Atoi(u.Uid)
		gid, err2 := strconv.Atoi(u.Gid)
		if err1 == nil && err2 == nil && uid != 0 && gid != 0 {
			return uid, gid
		}
	}
	return nobody, nobody
}

func ownersFS(dir string) (vfs.FS, error) {
	if os.Geteuid() != 0 {
		return vfs.OS{}, nil
	}
	uid, gid, err := Folder(dir).Owner()
	if err != nil {
		return nil, err
	}
	return owned{vfs.OS{}, uid, gid}, nil
}

// owned gives what it makes to somebody. It changes owners through open files
// only: whoever owns the folder could swap a name for a link meanwhile, and
// root would give away what the link leads to.
type owned struct {
	vfs.FS
	uid, gid int
}

func (o owned) Create(name string, perm fs.FileMode) (vfs.File, error) {
	return o.give(o.FS.Create(name, perm))
}

func (o owned) Append(name string, perm fs.FileMode) (vfs.File, error) {
	return o.give(o.FS.Append(name, perm))
}

func (o owned) give(file vfs.File, err error) (vfs.File, error) {
	if err != nil {
		return nil, err
	}
	owner, ok := file.(interface{ Chown(uid, gid int) error })
	if !ok {
		file.Close()
		return nil, errors.ErrUnsupported
	}
	if err := owner.Chown(o.uid, o.gid); err != nil {
		file.Close()
		return nil, err
	}
	return file, nil
}

func (o owned) Mkdir(name string, perm fs.FileMode) error {
	if err := o.FS.Mkdir(name, perm); err != nil {
		return err
	}
	dir, err := os.OpenFile(name, os.O_RDONLY|syscall.O_DIRECTORY|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Chown(o.uid, o.gid)
}
