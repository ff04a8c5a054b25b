package explore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"

	"postfach/internal/message"
)

// A content is the octets of one message, in memory or in a file without a name.
// It is freed when nobody uses it any more.
type content struct {
	io.ReaderAt
	size      int64
	key       Key
	announced int64 // by the list, when it was loaded

	refs  atomic.Int32
	file  *os.File // nil: in memory
	name  string   // of the file, where it must have one
	lines lineIndex

	parse  sync.Once
	parsed *message.Message
}

func (c *content) retain() { c.refs.Add(1) }

// release lets go of the content. The last one frees it.
func (c *content) release() {
	if c.refs.Add(-1) > 0 || c.file == nil {
		return
	}
	c.file.Close()
	if c.name != "" {
		os.Remove(c.name)
	}
}

func (c *content) reader() *io.SectionReader { return io.NewSectionReader(c, 0, c.size) }

func (c *content) message() *message.Message {
	c.parse.Do(func() { c.parsed = message.Open(c, c.size) })
	return c.parsed
}

// inMemory is how large a message may be that costs no file.
const inMemory = 256 << 10

// longest is how much of a message is taken: servers count wrong, by a few
// octets or by half, but one that never stops must not fill the disk.
func longest(announced int64) int64 { return 2*min(max(announced, 0), 1<<40) + 256<<20 }

// errTooLong: see longest.
var errTooLong = errors.New("the message is far longer than the server announced")

// A spool collects the octets of a message.
type spool struct {
	size  int64
	small bytes.Buffer // all of it, as long as file is nil
	file  *os.File
	name  string
}

// Write implements io.Writer.
func (s *spool) Write(p []byte) (n int, err error) {
	if s.file == nil && s.size+int64(len(p)) > inMemory {
		if err := s.begin(); err != nil {
			return 0, err
		}
	}
	if s.file == nil {
		n, err = s.small.Write(p)
	} else {
		n, err = s.file.Write(p)
	}
	s.size += int64(n)
	return n, err
}

// begin moves what came so far into a file. Where that is possible the file loses
// its name at once, so that it cannot outlive the process.
func (s *spool) begin() error {
	f, err := os.CreateTemp("", "postfach-*") // for its owner only
	if err != nil {
		return fmt.Errorf("store the message: %w", err)
	}
	s.file = f
	if os.Remove(f.Name()) != nil {
		s.name = f.Name()
	}
	_, err = f.Write(s.small.Bytes())
	s.small = bytes.Buffer{}
	return err
}

// content returns what was collected, for its first user.
func (s *spool) content(k Key, announced int64) *content {
	c := &content{ReaderAt: bytes.NewReader(s.small.Bytes()), size: s.size, key: k, announced: announced, file: s.file, name: s.name}
	if s.file != nil {
		c.ReaderAt = s.file
	}
	c.retain()
	return c
}

// discard frees what was collected.
func (s *spool) discard() { s.content("", 0).release() }

// interruptible is a reader that ends with ctx.
type interruptible struct {
	ctx context.Context
	r   io.Reader
}

// Read implements io.Reader.
func (i interruptible) Read(p []byte) (int, error) {
	if i.ctx.Err() != nil {
		return 0, context.Cause(i.ctx)
	}
	return i.r.Read(p)
}
