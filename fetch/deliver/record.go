package deliver

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"hash"
	"strconv"
	"strings"
	"sync"
)

// A Record says which message it was: where it came from, how large it was
// said to be, and what it was. Nothing in it comes from the server as it is: a
// unique-id is no part of a file name (Mutt's CVE-2018-14362).
type Record struct {
	Key       string // of Key
	Announced int64  // octets, as LIST said; -1: it did not
	Content   string // of ContentHash
}

// hashLength is how long hashes are here: 128 bits in base32.
const (
	hashLength = 26
	hashed     = 16 // octets
)

var encoding = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// Key returns the hash of parts: an account and a unique-id. Parts cannot run
// into one another.
func Key(parts ...string) string {
	var room [256]byte
	text := room[:0]
	for _, p := range parts {
		text = binary.AppendUvarint(text, uint64(len(p)))
		text = append(text, p...)
	}
	return spell(sha256.Sum256(text))
}

// A ContentHash hashes the octets of a message.
type ContentHash struct {
	h    hash.Hash
	room *[sha256.Size]byte
}

// NewContentHash returns an empty one.
func NewContentHash() ContentHash { return ContentHash{sha256.New(), new([sha256.Size]byte)} }

// Reset begins anew.
func (c ContentHash) Reset() { c.h.Reset() }

// Write adds octets.
func (c ContentHash) Write(p []byte) (int, error) { return c.h.Write(p) }

// String returns the hash of what was written so far.
func (c ContentHash) String() string {
	c.h.Sum(c.room[:0])
	return spell(*c.room)
}

func spell(h [sha256.Size]byte) string {
	var room [hashLength]byte
	encoding.Encode(room[:], h[:hashed])
	return string(room[:])
}

// String returns the record as a piece of a file name: lower-case letters,
// digits and two "-".
func (r Record) String() string {
	return string(r.appendTo(nil))
}

func (r Record) appendTo(dst []byte) []byte {
	dst = append(dst, r.Key...)
	dst = append(dst, '-')
	dst = append(dst, r.Content...)
	dst = append(dst, '-')
	if r.Announced < 0 {
		return append(dst, 'u')
	}
	return strconv.AppendInt(dst, r.Announced, 10)
}

// parseRecord is String's twin.
func parseRecord(s string) (r Record, ok bool) {
	key, rest, _ := strings.Cut(s, "-")
	content, announced, _ := strings.Cut(rest, "-")
	if !isHash(key) || !isHash(content) {
		return r, false
	}
	r = Record{Key: key, Content: content, Announced: -1}
	if announced == "u" {
		return r, true
	}
	n, err := strconv.ParseUint(announced, 10, 63)
	r.Announced = int64(n)
	return r, err == nil && r.String() == s
}

func isHash(s string) bool {
	return len(s) == hashLength && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz234567") == ""
}

// records is the memory that every target has of itself.
type records struct {
	mu sync.Mutex // guards by
	by map[string][]Record
}

// Records implements Target.
func (rs *records) Records(key string) []Record {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	return rs.by[key]
}

func (rs *records) add(r Record) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	if rs.by == nil {
		rs.by = make(map[string][]Record)
	}
	rs.by[r.Key] = append(rs.by[r.Key], r)
}
