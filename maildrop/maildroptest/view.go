package maildroptest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"postfach/internal/popwire"
	"postfach/maildrop"
	"postfach/pop3"
)

// A view is what a session sees of a maildrop.
type view []message

type message struct {
	id   pop3.UniqueID
	wire string // the octets as they go over the wire
}

func (v view) ids() (ids []pop3.UniqueID) {
	for _, m := range v {
		ids = append(ids, m.id)
	}
	return ids
}

// find returns the message with this id.
func (v view) find(id pop3.UniqueID) (message, bool) {
	i := slices.IndexFunc(v, func(m message) bool { return m.id == id })
	if i < 0 {
		return message{}, false
	}
	return v[i], true
}

// look opens User's maildrop, reads all of it, and closes it. What it sees must
// be whole: legal ids, each once, and every size that of the content.
func look(s Subject) (view, error) {
	d, err := s.Store.Open(context.Background(), User)
	if err != nil {
		return nil, err
	}
	v, err := read(d)
	return v, errors.Join(err, d.Close())
}

func read(d maildrop.Maildrop) (v view, err error) {
	seen := map[pop3.UniqueID]bool{}
	var total int64
	for _, m := range d.Messages() {
		if !m.ID.Valid() {
			return nil, fmt.Errorf("the unique-id %q is not legal", m.ID)
		}
		if seen[m.ID] {
			return nil, fmt.Errorf("two messages have the unique-id %q", m.ID)
		}
		seen[m.ID] = true
		if p, ok := d.(maildrop.Pausing); ok && len(v)%3 == 2 {
			p.Pause()
		}
		octets, err := fetch(d, m.ID)
		if err != nil {
			return nil, fmt.Errorf("message %q: %w", m.ID, err)
		}
		if size := wireSize(octets); size != m.Size {
			return nil, fmt.Errorf("message %q: listed with %d octets, has %d", m.ID, m.Size, size)
		}
		v = append(v, message{m.ID, onWire(octets)})
		total += m.Size
	}
	if d, ok := d.(maildrop.Summed); ok && d.TotalSize() != total {
		return nil, fmt.Errorf("all together are said to have %d octets, and have %d", d.TotalSize(), total)
	}
	return v, nil
}

// fetch reads one message to its end.
func fetch(d maildrop.Maildrop, id pop3.UniqueID) ([]byte, error) {
	r, err := d.Content(context.Background(), id)
	if err != nil {
		return nil, err
	}
	octets, err := io.ReadAll(r)
	return octets, errors.Join(err, r.Close())
}

func wireSize(octets []byte) int64 {
	var c popwire.Counter
	c.Write(octets)
	return c.Size()
}

// onWire returns a message as it is sent: a store may keep either line end.
func onWire(octets []byte) string {
	var sent bytes.Buffer
	w := popwire.NewWriter(&sent, func() []byte { return make([]byte, 64<<10) }, func([]byte) {})
	body := popwire.NewBody(w)
	body.Write(octets) // to memory: cannot fail
	body.EndLine()
	w.Flush()
	return sent.String()
}

// deliver puts messages into User's maildrop and returns them as they must look.
func deliver(s Subject, messages ...string) (v view, err error) {
	for _, text := range messages {
		id, err := s.Deliverer.Deliver(context.Background(), User, strings.NewReader(text))
		if err != nil {
			return nil, fmt.Errorf("deliver: %w", err)
		}
		v = append(v, message{id, onWire([]byte(text))})
	}
	return v, nil
}

// mail returns the text of a message that is like no other.
func mail(n int) string {
	return fmt.Sprintf("Subject: number %d\nFrom: a@example.org\n\nThis is number %d.\n%s\n", n, n,
		strings.Repeat(fmt.Sprintf("line of %d ", n), 20))
}

// same compares two views, order included.
func same(got, want view) error {
	if !slices.Equal(got.ids(), want.ids()) {
		return fmt.Errorf("the maildrop has %q, want %q", got.ids(), want.ids())
	}
	for i := range got {
		if got[i].wire != want[i].wire {
			return fmt.Errorf("message %q has other octets than before", got[i].id)
		}
	}
	return nil
}

// sees checks what the next session sees.
func sees(s Subject, want view) error {
	got, err := look(s)
	if err != nil {
		return err
	}
	return same(got, want)
}

// open opens User's maildrop. done closes it, once, whatever happened.
func open(s Subject) (d maildrop.Maildrop, done func() error, err error) {
	d, err = s.Store.Open(context.Background(), User)
	if err != nil {
		return nil, nil, err
	}
	closed := false
	return d, func() error {
		if closed {
			return nil
		}
		closed = true
		return d.Close()
	}, nil
}
