package accounts

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"postfach/internal/hint"
	"postfach/internal/vfs"
)

func TestKeysAreMadeOnce(t *testing.T) {
	name := filepath.Join(t.TempDir(), "keys", "decoy")
	key, err := MakeKey(nil, name)
	must(t, err)
	again, err := MakeKey(nil, name)
	if err != nil || !bytes.Equal(key, again) || len(key) != keySize {
		t.Errorf("%x, then %x, %v", key, again, err)
	}
	for path, mode := range map[string]os.FileMode{name: 0o600, filepath.Dir(name): os.ModeDir | 0o700} {
		if info, err := os.Stat(path); err != nil || info.Mode() != mode {
			t.Errorf("%s: %v, %v", path, info, err)
		}
	}
	// One that others may read, or that is none, is not replaced: what was sealed
	// with it would be lost.
	must(t, os.Chmod(name, 0o640))
	if _, err := MakeKey(nil, name); hint.Of(err) == "" {
		t.Errorf("open to others: %v", err)
	}
	must(t, os.Chmod(name, 0o600))
	for _, content := range []string{"", "x", "AAAA\n"} {
		must(t, os.WriteFile(name, []byte(content), 0o600))
		if _, err := MakeKey(nil, name); hint.Of(err) == "" || read(t, name) != content {
			t.Errorf("%q: %v", content, err)
		}
	}
}

// Whatever operation fails: who has a key has the one that is there afterwards.
func TestKeysAreDurable(t *testing.T) {
	for n := 1; ; n++ {
		disk := vfs.NewStrict()
		must(t, disk.Mkdir("/data", 0o700))
		must(t, disk.SyncDir("/"))
		fail := &vfs.Fail{FS: disk}
		fail.Arm(n, n%2 == 0)
		key, err := MakeKey(fail, "/data/keys/decoy")
		fired := fail.Fired()
		if err == nil {
			disk.Crash(uint64(n))
			again, err := readKey(disk, "/data/keys/decoy")
			if err != nil || !bytes.Equal(key, again) {
				t.Fatalf("operation %d: %x, then %x, %v", n, key, again, err)
			}
		}
		if !fired {
			return
		}
	}
}
