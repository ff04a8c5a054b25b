package pop3server_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/tls"
	"encoding/binary"
	"encoding/hex"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A recorder writes the client's records in TLS 1.3 (RFC 8446 section 5.2), those
// that package tls never writes, too.
type recorder struct {
	t      *testing.T
	c      *client // reads
	secret []byte
	seal   cipher.AEAD
	iv     []byte
	number uint64
}

// connectRecorder shakes hands. From then on all that is written is the recorder's.
func connectRecorder(t *testing.T, c *client) *recorder {
	t.Helper()
	config := trusting(tls.VersionTLS13)
	log := new(bytes.Buffer)
	config.KeyLogWriter = log
	if state := c.handshake(config); state.CipherSuite != tls.TLS_AES_128_GCM_SHA256 {
		t.Fatal("this machine has no AES in hardware, and chooses another cipher")
	}
	_, rest, _ := strings.Cut(log.String(), "CLIENT_TRAFFIC_SECRET_0 ")
	secret, err := hex.DecodeString(strings.Fields(rest)[1])
	if err != nil {
		t.Fatal(err)
	}
	r := &recorder{t: t, c: c}
	r.use(secret)
	return r
}

// derive is HKDF-Expand-Label (RFC 8446 section 7.1).
func (r *recorder) derive(label string, length int) []byte {
	r.t.Helper()
	label = "tls13 " + label
	info := string([]byte{0, byte(length), byte(len(label))}) + label + "\x00"
	key, err := hkdf.Expand(sha256.New, r.secret, info, length)
	if err != nil {
		r.t.Fatal(err)
	}
	return key
}

func (r *recorder) use(secret []byte) {
	r.t.Helper()
	r.secret, r.number = secret, 0
	block, err := aes.NewCipher(r.derive("key", 16))
	if err != nil {
		r.t.Fatal(err)
	}
	if r.seal, err = cipher.NewGCM(block); err != nil {
		r.t.Fatal(err)
	}
	r.iv = r.derive("iv", 12)
}

// record returns one record.
func (r *recorder) record(kind byte, octets string) []byte {
	inner := append([]byte(octets), kind)
	length := len(inner) + r.seal.Overhead()
	header := []byte{23, 3, 3, byte(length >> 8), byte(length)}
	nonce := bytes.Clone(r.iv)
	binary.BigEndian.PutUint64(nonce[4:], binary.BigEndian.Uint64(nonce[4:])^r.number)
	r.number++
	return r.seal.Seal(header, nonce, inner, header)
}

// keyUpdate returns the message that asks for new keys in both directions.
func (r *recorder) keyUpdate() []byte {
	r.t.Helper()
	message := r.record(22, "\x18\x00\x00\x01\x01")
	r.use(r.derive("traffic upd", 32))
	return message
}

// A client that asks for new keys after a pause, as it may at any time, gets them,
// and the next reply: the time to read one counts from there.
func TestKeyUpdateAfterAPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, _ := newTLSServer(three())
		c := connectTLS(t, srv)
		raw := c.conn
		r := connectRecorder(t, c)
		say := func(command string) string {
			raw.Write(r.record(23, command+"\r\n"))
			return c.answer()
		}
		c.answer()
		say("USER u")
		if got := say("PASS p w"); !strings.HasPrefix(got, "+OK") {
			t.Fatal(got)
		}
		<-time.After(7 * time.Minute) // less than Idle, more than Write
		go raw.Write(append(r.keyUpdate(), r.record(23, "NOOP\r\n")...))
		if got := c.answer(); !strings.HasPrefix(got, "+OK") {
			t.Error(got)
		}
		say("QUIT")
		<-c.done
	})
}
