package pop3server

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"net"
	"testing"
	"time"
)

// A scripted connection has these octets, and no more.
type scripted struct {
	net.Conn
	r io.Reader
}

func (c *scripted) Read(p []byte) (int, error) { return c.r.Read(p) }

func (c *scripted) Close() error { return nil }

func record(length int) []byte {
	return append([]byte{23, 3, 3, byte(length >> 8), byte(length)}, bytes.Repeat([]byte{'x'}, length)...)
}

// A read ends where a record does, and all octets arrive.
func TestTLSInputEndsAtRecords(t *testing.T) {
	var all []byte
	for _, n := range []int{0, 1, 5, 600, 0, 16_000, 3} {
		all = append(all, record(n)...)
	}
	in := newTLSInput(&scripted{r: bytes.NewReader(all)}, func(*tlsInput, int) (int, int) { return 0, 0 })
	var got []byte
	var ends []int
	for p := make([]byte, 20_000); ; {
		n, err := in.Read(p)
		if errors.Is(err, io.EOF) {
			break
		}
		if got = append(got, p[:n]...); in.left == 0 && len(in.header) == 0 {
			ends = append(ends, len(got))
		}
	}
	if !bytes.Equal(got, all) || len(ends) != 7 {
		t.Errorf("%d octets of %d, records end at %v", len(got), len(all), ends)
	}
}

// Before there is room for a record that takes too much, the connection ends.
func TestTLSInputEndsBeforeTooMuch(t *testing.T) {
	in := newTLSInput(&scripted{r: bytes.NewReader(append(record(400), record(4000)...))}, func(_ *tlsInput, record int) (int, int) { return record, 4000 })
	n, err := io.Copy(io.Discard, struct{ io.Reader }{in})
	if !errors.Is(err, errRoom) || n != 405 {
		t.Errorf("%d octets, %v", n, err)
	}
}

// What package tls keeps is in the buffers that roomOf looks at. When this fails
// with a new version of Go, roomOf has to learn where they are.
func TestRoomOfTLSIsKnown(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	ours, theirs := net.Pipe()
	defer ours.Close()
	defer theirs.Close()
	server := tls.Server(theirs, &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}})
	if records, messages := roomOf(server); records != 0 || messages != 0 {
		t.Errorf("a new connection has room for %d and %d octets", records, messages)
	}
	client := tls.Client(ours, &tls.Config{InsecureSkipVerify: true, DynamicRecordSizingDisabled: true})
	wrote := make(chan error, 1)
	go func() {
		_, err := client.Write(make([]byte, 10_000))
		wrote <- err
	}()
	if _, err := io.ReadFull(server, make([]byte, 10_000)); err != nil {
		t.Fatal(err)
	}
	if err := <-wrote; err != nil {
		t.Fatal(err)
	}
	if records, messages := roomOf(server); records < 10_000 || records > 20_000 || messages < 100 || messages > 10_000 {
		t.Errorf("room for %d and %d octets", records, messages)
	}
}
