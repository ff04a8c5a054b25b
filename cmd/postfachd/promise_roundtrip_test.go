//go:build unix

package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"postfach/internal/awkward"
	"postfach/internal/peer"
)

// roundTripSeed is where the octets of the next test come from.
const roundTripSeed = 1939

// Promise 6: any octets at all reach a client that others wrote, and come out as
// they went in. The awkward messages by name, and six clients in every way to
// log in, are in internal/interop.
func TestRandomOctetsReachAnotherClient(t *testing.T) {
	curl := peer.Need(t, "curl")
	const messages = 80
	dice := rand.New(rand.NewPCG(roundTripSeed, 0))
	h := newHouse(t)
	var want [][]byte
	for n := range messages {
		octets := randomOctets(dice)
		h.put(fmt.Sprintf("new/%d.random", 1000+n), string(octets))
		want = append(want, awkward.Message{Octets: octets}.Wire())
	}
	p := h.serve()
	_, port, err := net.SplitHostPort(p.address("pop3s"))
	must(t, err)
	dir := t.TempDir()
	cmd := exec.Command(curl, "-q", "-sS", "-4", "--max-time", "60", "--cacert", filepath.Join(h.data, "tls", "cert.pem"), "--user", "postfach:"+h.password,
		fmt.Sprintf("pop3s://localhost:%s/[1-%d]", port, messages), "-o", filepath.Join(dir, "#1"))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for n, octets := range want {
		got, err := os.ReadFile(filepath.Join(dir, fmt.Sprint(n+1)))
		if len(octets) == 0 && os.IsNotExist(err) {
			continue // curl makes no empty file
		}
		must(t, err)
		if !bytes.Equal(got, octets) {
			t.Errorf("seed %d, message %d: %d octets came, want %d", roundTripSeed, n+1, len(got), len(octets))
		}
	}
	p.end()
}

// randomOctets are those that matter, in any order, and some of all others.
func randomOctets(dice *rand.Rand) []byte {
	var b bytes.Buffer
	for range dice.IntN(3000) {
		switch dice.IntN(5) {
		case 0:
			b.WriteByte(byte(dice.IntN(256)))
		case 1:
			b.Write(bytes.Repeat([]byte{"x.\r"[dice.IntN(3)]}, dice.IntN(40)))
		default:
			b.WriteByte("\r\n.\n"[dice.IntN(4)])
		}
	}
	return b.Bytes()
}
