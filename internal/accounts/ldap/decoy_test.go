//go:build unix

package ldap

import (
	"testing"

	"postfach/internal/accounts"
)

// P3-USR-10, beyond the life of the process: who asks for a name before and after a
// restart makes the directory see the same one.
func TestDecoysComeFromTheKey(t *testing.T) {
	key := accounts.NewKey()
	nobody := func(key []byte, name string) string {
		s := open(t, Config{URL: "ldaps://127.0.0.1:1", Base: "dc=example", Filter: "(uid={user})", DecoyKey: key})
		return s.nobody(name)
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
