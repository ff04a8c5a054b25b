package bench

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"math"
	"math/rand/v2"
	"strconv"
	"time"

	"postfach/internal/popwire"
)

// A message that is made here begins with a line that says what the rest is: a CRC-32C
// of the rest of its header, the empty line included, and one of all the rest, both of
// the wire form before byte-stuffing. So RETR and TOP n 0 can be verified by whoever
// does not know the message.
const (
	checksumName = "X-Bench-CRC32C: "
	checksumLine = len(checksumName) + 8 + 1 + 8 + 2 // octets on the wire
)

// verdict is what an octetSum says about a message.
type verdict uint8

const (
	foreign verdict = iota // it was not made here
	right
	wrong
)

// whole judges a message.
func (s *octetSum) whole() verdict { return s.judge(len(checksumName) + 9) }

// header judges what TOP n 0 returned.
func (s *octetSum) header() verdict { return s.judge(len(checksumName)) }

// judge compares with the number at at.
func (s *octetSum) judge(at int) verdict {
	if s.size < int64(checksumLine) || string(s.first[:len(checksumName)]) != checksumName {
		return foreign
	}
	var want [4]byte
	if _, err := hex.Decode(want[:], s.first[at:at+8]); err != nil {
		return wrong
	}
	if s.crc != uint32(want[0])<<24|uint32(want[1])<<16|uint32(want[2])<<8|uint32(want[3]) {
		return wrong
	}
	return right
}

// digest is what two readings of the same octets have in common. It is never 0.
func (s *octetSum) digest() uint64 {
	return uint64(s.crc)<<32 | uint64(crc32.Checksum(s.first[:], castagnoli)^uint32(s.size)) | 1
}

// Messages makes messages: the same number and size, the same octets, from the same
// Seed. The zero value works.
type Messages struct {
	Seed  uint64
	lines [][]byte
}

// MinSize is the size of the smallest message that Append makes, about.
const MinSize = 400

// Append adds a message of size octets in wire form, not byte-stuffed.
func (m *Messages) Append(dst []byte, number, size int) []byte {
	if m.lines == nil {
		m.lines = textLines()
	}
	rng := rand.NewPCG(m.Seed, uint64(number))
	start := len(dst)
	dst = append(dst, checksumName+"00000000 00000000"...)
	dst = popwire.EndLine(dst)
	dst = appendHeader(dst, number, size)
	head := len(dst)
	dst = m.appendText(dst, rng, size-(head-start))
	rest := start + checksumLine
	appendHex(dst[start+len(checksumName):][:0], crc32.Checksum(dst[rest:head], castagnoli))
	appendHex(dst[start+len(checksumName)+9:][:0], crc32.Checksum(dst[rest:], castagnoli))
	return dst
}

func appendHex(dst []byte, sum uint32) []byte {
	return hex.AppendEncode(dst, []byte{byte(sum >> 24), byte(sum >> 16), byte(sum >> 8), byte(sum)})
}

// firstSecond is when the first message was sent.
const firstSecond = 1_700_000_000

// appendHeader adds a header like those that mail has: about 1 KB, less where the
// whole is small.
func appendHeader(dst []byte, number, size int) []byte {
	line := func(format string, args ...any) { dst = popwire.EndLine(fmt.Appendf(dst, format, args...)) }
	date := time.Unix(firstSecond+int64(number), 0).UTC().Format(time.RFC1123Z)
	if size >= 3000 {
		for hop := range 3 {
			line("Received: from relay%d.example.org (relay%d.example.org [192.0.2.%d])", hop, hop, hop+1)
			line("\tby mx%d.example.net with ESMTPS id %08x%04x", hop, uint32(number)*2654435761, hop)
			line("\tfor <reader@example.net>; %s", date)
		}
		line("MIME-Version: 1.0")
		line("Content-Type: text/plain; charset=us-ascii")
	}
	line("From: Sender <sender@example.org>")
	line("To: Reader <reader@example.net>")
	line("Subject: message %d", number)
	line("Date: %s", date)
	line("Message-ID: <%d.bench@example.org>", number)
	return popwire.EndLine(dst)
}

// appendText adds left octets of text, if there is room for some.
func (m *Messages) appendText(dst []byte, rng *rand.PCG, left int) []byte {
	const longest, lineEnd = 76, 2
	for left >= 2*(longest+lineEnd) {
		for r := rng.Uint64(); r != 0 && left >= 2*(longest+lineEnd); r >>= 8 {
			line := m.lines[r&0xff]
			dst = append(dst, line...)
			left -= len(line)
		}
	}
	if left > longest+lineEnd {
		dst = appendFiller(dst, left/2)
		left -= left / 2
	}
	if left > lineEnd {
		dst = appendFiller(dst, left)
	}
	return dst
}

// appendFiller adds a line of n octets, its line end included.
func appendFiller(dst []byte, n int) []byte {
	dst = append(dst, bytes.Repeat([]byte{'-'}, n-2)...)
	return popwire.EndLine(dst)
}

// textLines returns 256 lines of at most 76 characters. Three begin with a dot.
func textLines() [][]byte {
	words := []string{"the", "mail", "is", "here", "and", "nobody", "reads", "it", "before", "morning", "a", "letter", "of", "three", "pages", "about", "weather", "arrived", "late", "again"}
	rng := rand.New(rand.NewPCG(1, 2))
	lines := make([][]byte, 256)
	for i := range lines {
		line := []byte(words[rng.IntN(len(words))])
		for most := 30 + rng.IntN(40); len(line) < most; {
			line = append(append(line, ' '), words[rng.IntN(len(words))]...)
		}
		lines[i] = popwire.EndLine(append(line, '.'))
	}
	for i, line := range []string{".", "..", ".signature of the sender", ""} {
		lines[i*64] = popwire.EndLine([]byte(line))
	}
	return lines
}

// AppendStored adds the same message as a mail server keeps it, with LF line ends.
func (m *Messages) AppendStored(dst []byte, number, size int) []byte {
	return append(dst, stored(nil, m.Append(nil, number, size))...)
}

// stored returns the wire form with LF line ends, as a Maildir has it, in dst's room.
func stored(dst, wire []byte) []byte {
	dst = dst[:0]
	for len(wire) > 0 {
		i := bytes.IndexByte(wire, '\n')
		if i < 0 {
			return append(dst, wire...)
		}
		dst = append(append(dst, popwire.TrimLine(wire[:i+1])...), '\n')
		wire = wire[i+1:]
	}
	return dst
}

// RealSize returns a size like those that mail has: half of all messages are smaller
// than median, one in a hundred is forty times as large, none is above 32 MB.
func RealSize(seed uint64, number, median int) int {
	rng := rand.New(rand.NewPCG(seed^0x5eed, uint64(number)))
	size := float64(median) * math.Exp(1.6*rng.NormFloat64())
	return int(min(max(size, MinSize), 32<<20))
}

// appendCommand adds a command with a number, without the work of a general one.
func appendCommand(dst []byte, keyword string, number int) []byte {
	dst = append(append(dst, keyword...), ' ')
	return popwire.EndLine(strconv.AppendInt(dst, int64(number), 10))
}
