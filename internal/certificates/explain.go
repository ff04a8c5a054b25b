package certificates

import (
	"crypto/tls"
	"encoding/pem"
	"fmt"
	"os"
	"slices"
	"strings"

	"postfach/internal/hint"
)

// explain gives the error of a pair that cannot be used a hint, by what is wrong with it.
func explain(names Pair, err error) error {
	chain, _ := os.ReadFile(names.Certificate) // what cannot be read is what err says
	key, _ := os.ReadFile(names.Key)
	if isEncrypted(key) {
		return hint.Add(fmt.Errorf("%w: the key is encrypted", err), "nobody is there to type the passphrase at a start: openssl pkey -in %s -out PLAIN.key, with mode 0600", names.Key)
	}
	if n := certificateOf(chain, key); n > 1 {
		return hint.Add(fmt.Errorf("%w: the key belongs to certificate %d in the file", err, n), "the server's own certificate comes first in %s, then those of the authorities above it", names.Certificate)
	}
	return hint.Add(err, "two PEM files that belong together, readable for uid %d; without [tls] in the configuration and without both files a new pair is made", os.Getuid())
}

// isEncrypted reports whether a private key needs a passphrase, in the form of PKCS #8
// or in OpenSSL's old one.
func isEncrypted(key []byte) bool {
	for block, rest := pem.Decode(key); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == "ENCRYPTED PRIVATE KEY" || strings.Contains(block.Headers["Proc-Type"], "ENCRYPTED") {
			return true
		}
	}
	return false
}

// certificateOf says which certificate of a chain, from 1, a key belongs to. 0: none.
func certificateOf(chain, key []byte) int {
	var all [][]byte
	for block, rest := pem.Decode(chain); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == "CERTIFICATE" {
			all = append(all, pem.EncodeToMemory(block))
		}
	}
	return 1 + slices.IndexFunc(all, func(cert []byte) bool {
		_, err := tls.X509KeyPair(cert, key)
		return err == nil
	})
}
