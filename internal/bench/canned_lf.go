package bench

import (
	"bytes"
	"net"

	"postfach/internal/popwire"
)

// An lfFile is a message as it lies in a file, with LF, while it is sent. It is a plain
// loop of its own: what is compared with it has not lent it anything.
type lfFile struct {
	rest   []byte
	inLine bool // rest does not begin a line
}

// asFile returns wire as it lies in a file.
func asFile(wire []byte) []byte {
	return bytes.ReplaceAll(wire, popwire.EndLine(nil), []byte{'\n'})
}

// fill appends to dst what the next lines become on the wire, as far as there is room: LF
// becomes CRLF, and a line that begins with a dot gets another one.
func (f *lfFile) fill(dst []byte) []byte {
	const added = 3 // to a line, at most: dot, CR, LF
	for len(f.rest) > 0 && cap(dst)-len(dst) > added {
		if f.rest[0] == '.' && !f.inLine {
			dst = append(dst, '.')
		}
		line := f.rest[:min(len(f.rest), cap(dst)-len(dst)-added)]
		end := bytes.IndexByte(line, '\n')
		if f.inLine = end < 0; f.inLine {
			dst = append(dst, line...)
			f.rest = f.rest[len(line):]
			continue
		}
		dst = popwire.EndLine(append(dst, line[:end]...))
		f.rest = f.rest[end+1:]
	}
	return dst
}

// sendFile writes a reply that has begun, in pieces.
func (c *Canned) sendFile(conn net.Conn, begun, file []byte) error {
	pooled, ok := c.pieces.Get().(*[]byte)
	if !ok {
		room := make([]byte, 0, c.pieceOfFile())
		pooled = &room
	}
	defer c.pieces.Put(pooled)
	piece := append((*pooled)[:0], begun...)
	for f := (lfFile{rest: file}); ; piece = piece[:0] {
		piece = f.fill(piece)
		if len(f.rest) == 0 {
			break
		}
		if _, err := conn.Write(piece); err != nil {
			return err
		}
	}
	_, err := conn.Write(popwire.AppendTerminator(piece))
	return err
}

// pieceOfFile is how many octets of a file go out in one write.
func (c *Canned) pieceOfFile() int {
	if c.Piece == 0 {
		return cannedAnswer
	}
	return max(c.Piece, cannedLine)
}
