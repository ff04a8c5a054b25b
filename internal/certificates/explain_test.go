package certificates

import (
	"encoding/asn1"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"postfach/internal/hint"
)

// Two files that do not work together have many reasons, and each another remedy.
func TestUnusablePairSaysWhy(t *testing.T) {
	ca, dir := newAuthority(t, "ca"), t.TempDir()
	pair, other := ca.pairIn(dir, "a", newECDSA(t), "a.example"), ca.pairIn(dir, "b", newECDSA(t), "b.example")
	read := func(name string) []byte {
		text, err := os.ReadFile(name)
		must(t, err)
		return text
	}
	cert, key, strange := read(pair.Certificate), read(pair.Key), read(other.Key)
	for name, c := range map[string]struct {
		cert, key []byte
		err, hint string
	}{
		"an encrypted key":       {cert, pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: []byte("x")}), "the key is encrypted", "openssl pkey -in " + pair.Key},
		"one in OpenSSL's form":  {cert, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Headers: map[string]string{"Proc-Type": "4,ENCRYPTED"}, Bytes: []byte("x")}), "the key is encrypted", "openssl pkey"},
		"the authority first":    {append(ca.pem(), cert...), key, "the key belongs to certificate 2 in the file", "comes first in " + pair.Certificate},
		"the key of another one": {append(cert, ca.pem()...), strange, "does not match", "two PEM files that belong together"},
		"no key":                 {cert, nil, "failed to find any PEM data", "two PEM files"},
	} {
		must(t, os.WriteFile(pair.Certificate, c.cert, 0o600))
		must(t, os.WriteFile(pair.Key, c.key, 0o600))
		if err := new(Set).Load(Files{Pairs: []Pair{pair}}); err == nil || !strings.Contains(err.Error(), c.err) || !strings.Contains(hint.Of(err), c.hint) {
			t.Errorf("%s: %v, hint %q", name, err, hint.Of(err))
		}
	}
}

// What openssl ca -gencrl makes where openssl.cnf is as Debian has it.
func TestListOfVersion1SaysWhatToDo(t *testing.T) {
	ca, dir := newAuthority(t, "ca"), t.TempDir()
	files := Files{Pairs: []Pair{ca.pairIn(dir, "a", newECDSA(t), "a.example")}, ClientCA: filepath.Join(dir, "ca.pem"), ClientCRL: filepath.Join(dir, "crl.pem")}
	must(t, os.WriteFile(files.ClientCA, ca.pem(), 0o644))
	block, _ := pem.Decode(ca.list(nil))
	var list, signed []asn1.RawValue
	_, err := asn1.Unmarshal(block.Bytes, &list)
	must(t, err)
	_, err = asn1.Unmarshal(list[0].FullBytes, &signed)
	must(t, err)
	list[0].FullBytes, err = asn1.Marshal(signed[1 : len(signed)-1]) // without version and extensions
	must(t, err)
	der, err := asn1.Marshal(list)
	must(t, err)
	must(t, os.WriteFile(files.ClientCRL, der, 0o644))
	if err := new(Set).Load(files); err == nil || !strings.Contains(err.Error(), "version 1") || !strings.Contains(hint.Of(err), "crl_extensions") {
		t.Errorf("%v, hint %q", err, hint.Of(err))
	}
}
