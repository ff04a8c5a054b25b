//go:build unix

package program

import (
	"os"
	"path/filepath"
	"testing"

	"postfach/internal/accounts"
)

// P3-USR-10, beyond the life of the process: the program is run for the same nobody
// before and after a restart.
func TestDecoysComeFromTheKey(t *testing.T) {
	said := filepath.Join(t.TempDir(), "said")
	helper := install(t, "sh", "cat <&3 | cut -d: -f1 >"+said+"; exit 1")
	key := accounts.NewKey()
	nobody := func(key []byte, name string) string {
		s, err := New(Config{Command: []string{helper}, DecoyKey: key})
		if err != nil {
			t.Fatal(err)
		}
		if right, err := s.Decoy(t.Context(), name).Credentials[0].Check(t.Context(), ":password"); right || err != nil {
			t.Fatal(right, err)
		}
		octets, err := os.ReadFile(said)
		if err != nil {
			t.Fatal(err)
		}
		return string(octets)
	}
	first := nobody(key, "x")
	if nobody(key, "x") != first {
		t.Error("another one after a restart")
	}
	if nobody(key, "y") == first || nobody(accounts.NewKey(), "x") == first {
		t.Error("it does not depend on name and key")
	}
	if one, other := nobody(nil, "x"), nobody(nil, "x"); one == other {
		t.Error("without a key, it is the same in every process")
	}
}
