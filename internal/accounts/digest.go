package accounts

import (
	"crypto/md5"  //nolint:gosec // only read
	"crypto/sha1" //nolint:gosec // only read
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding"
	"encoding/binary"
	"errors"
	"hash"
	"strings"
)

// maxSalt is the longest salt of a digest, in octets.
const maxSalt = 256

// A digestVerifier is a hash of the password and a salt, without any work: SHA,
// SSHA512 and the like.
type digestVerifier struct {
	hash func() hash.Hash
	sum  []byte
	salt []byte // empty: none
}

func parseDigest(name, secret string) (verifier, error) {
	h := md5.New
	switch {
	case strings.HasSuffix(name, "SHA512"):
		h = sha512.New
	case strings.HasSuffix(name, "SHA256"):
		h = sha256.New
	case strings.Contains(name, "SHA"):
		h = sha1.New
	}
	size := h().Size()
	salted := strings.HasPrefix(name, "SS") || name == "SMD5"
	if salted && len(secret) <= size || len(secret) > size+maxSalt {
		return nil, errors.New("expected a digest and a salt")
	}
	return &digestVerifier{h, []byte(secret[:size]), []byte(secret[size:])}, nil
}

func (v *digestVerifier) matches(password string) bool {
	h := v.hash()
	h.Write([]byte(password))
	h.Write(v.salt)
	return subtle.ConstantTimeCompare(h.Sum(nil), v.sum) == 1
}

// A plainVerifier is the password itself, as a hash of it: two of one length take
// the same time as two of different ones.
type plainVerifier [sha256.Size]byte

func parsePlain(_, secret string) (verifier, error) {
	if secret == "" {
		return nil, errors.New("the password is empty")
	}
	return plainVerifier(sha256.Sum256([]byte(secret))), nil
}

func (v plainVerifier) matches(password string) bool {
	got := sha256.Sum256([]byte(password))
	return subtle.ConstantTimeCompare(got[:], v[:]) == 1
}

// A cramVerifier is what CRAM-MD5 needs of a password: the states of the outer and
// of the inner MD5 after the first block (RFC 2195, RFC 2104). It is as good as
// the password for CRAM-MD5, which is why it is not used for that here.
type cramVerifier [2 * md5.Size]byte

func parseCramMD5(_, secret string) (verifier, error) { return cramVerifier([]byte(secret)), nil }

func (v cramVerifier) matches(password string) bool {
	key := []byte(password)
	if len(key) > md5.BlockSize {
		sum := md5.Sum(key) //nolint:gosec // as above
		key = sum[:]
	}
	got := append(md5State(key, 0x5c), md5State(key, 0x36)...)
	return subtle.ConstantTimeCompare(got, v[:]) == 1
}

// md5State returns the state of MD5, its words in the order of their octets, after
// a key that fills one block with pad.
func md5State(key []byte, pad byte) []byte {
	block := make([]byte, md5.BlockSize)
	copy(block, key)
	for i := range block {
		block[i] ^= pad
	}
	h := md5.New() //nolint:gosec // as above
	h.Write(block)
	state, err := h.(encoding.BinaryMarshaler).MarshalBinary()
	const magic = 4 // octets before the state, which is there in network order
	if err != nil || len(state) < magic+md5.Size {
		return nil
	}
	out := make([]byte, 0, md5.Size)
	for i := magic; i < magic+md5.Size; i += 4 {
		out = binary.LittleEndian.AppendUint32(out, binary.BigEndian.Uint32(state[i:]))
	}
	return out
}
