//go:build unix

package datafolder

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/user"
	"strconv"
	"syscall"

	"postfach/internal/hint"
)

// nobody is the uid and gid of the user of that name, where the system does
// not tell another.
const nobody = 65534

// ids returns the user that the folder belongs to, and that user's group: the
// folder's own where the system does not know the user.
func (f Folder) ids() (uid, gid int, err error) {
	info, err := os.Stat(string(f))
	if err != nil {
		return 0, 0, err
	}
	uid, gid, err = owner(info)
	if err != nil {
		return 0, 0, err
	}
	if u, err := user.LookupId(strconv.Itoa(uid)); err == nil {
		if primary, err := strconv.Atoi(u.Gid); err == nil {
			gid = primary
		}
	}
	return uid, gid, nil
}

func owner(info os.FileInfo) (uid, gid int, err error) {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, 0, errors.ErrUnsupported
	}
	return int(stat.Uid), int(stat.Gid), nil
}

// giveAway gives a folder of root's with nothing in it to the service's user,
// and leaves others as they are. It looks and changes through one descriptor:
// a name could be swapped for another one's meanwhile.
func giveAway(name string) error {
	dir, err := os.OpenFile(name, os.O_RDONLY|syscall.O_DIRECTORY|syscall.O_NOFOLLOW, 0)
	if errors.Is(err, syscall.ELOOP) || errors.Is(err, syscall.ENOTDIR) {
		return nil // a link: what it leads to is not given away
	}
	if err != nil {
		return err
	}
	defer dir.Close()
	info, err := dir.Stat()
	if err != nil {
		return err
	}
	if uid, _, err := owner(info); err != nil || uid != 0 {
		return err
	}
	if _, err := dir.Readdirnames(1); !errors.Is(err, io.EOF) {
		return err
	}
	uid, gid := serviceUser()
	if err := errors.Join(dir.Chmod(0o700), dir.Chown(uid, gid)); err != nil {
		return fmt.Errorf("give it to uid %d: %w", uid, err)
	}
	return nil
}

// IsMine reports whether this process is the folder's owner.
func (f Folder) IsMine() bool {
	uid, _, err := f.ids()
	return err == nil && uid == os.Geteuid()
}

// Doubt says why the folder should belong to another user, with a hint: nobody's is
// everybody's who runs as nobody. nil: there is none.
func (f Folder) Doubt() error {
	uid, _, err := f.ids()
	if err != nil || uid != nobodys() {
		return nil // who uses the folder says what is wrong with it
	}
	err = fmt.Errorf("the data folder %s belongs to the user nobody (uid %d): whatever else runs as nobody can read the mail in it", f, uid)
	user := "make a user for it, as with systemd-sysusers and packaging/sysusers.d/postfach.conf, or useradd --system postfach"
	if ours, _ := f.isOurs(); !ours && !empty(string(f)) { // a new one is empty
		return hint.Add(err, "%s, and name a folder of that user's with --data DIR", user)
	}
	return hint.Add(err, "%s, and then %s", user, f.giveToService())
}

// nobodys is the uid of the user nobody.
func nobodys() int {
	if uid, _, known := idsOf("nobody"); known {
		return uid
	}
	return nobody
}

// serviceUser is whom a folder that root makes is given to: never root.
func serviceUser() (uid, gid int) {
	for _, name := range []string{"postfach", "nobody"} {
		if uid, gid, known := idsOf(name); known && uid != 0 && gid != 0 {
			return uid, gid
		}
	}
	return nobody, nobody
}

func idsOf(name string) (uid, gid int, known bool) {
	u, err := user.Lookup(name)
	if err != nil {
		return 0, 0, false
	}
	uid, err1 := strconv.Atoi(u.Uid)
	gid, err2 := strconv.Atoi(u.Gid)
	return uid, gid, err1 == nil && err2 == nil
}
