//go:build unix

package sql

import (
	"reflect"
	"testing"

	"postfach/internal/accounts"
	"postfach/sasl"
)

// P3-SCRAM-18, beyond the life of the process.
func TestDecoysComeFromTheKey(t *testing.T) {
	key := accounts.NewKey()
	decoy := func(key []byte, name string) sasl.ScramVerifier {
		s, err := New(Config{URL: "postgres://x@127.0.0.1:1/x", Query: query, DecoyKey: key})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		return s.Decoy(t.Context(), name).Scram[sasl.SHA256].Verifier
	}
	first := decoy(key, "x")
	if !reflect.DeepEqual(decoy(key, "x"), first) {
		t.Error("another one after a restart")
	}
	if reflect.DeepEqual(decoy(key, "y"), first) || reflect.DeepEqual(decoy(accounts.NewKey(), "x"), first) || reflect.DeepEqual(decoy(nil, "x"), decoy(nil, "x")) {
		t.Error("it does not depend on name and key")
	}
}
