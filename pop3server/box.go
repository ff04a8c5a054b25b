package pop3server

import (
	"io"
	"iter"

	"postfach/internal/popwire"
	"postfach/maildrop"
	"postfach/pop3"
)

// A box is the session's view of its maildrop: numbers, marks and sums. The
// store knows nothing of them.
type box struct {
	drop     maildrop.Maildrop
	messages []maildrop.Message // message n is messages[n-1], for the whole session (P3-MSG-02)
	mark     []bool             // deleted, until RSET or QUIT; nil: none is
	total    pop3.DropListing   // all of them
	gone     pop3.DropListing   // those that are marked
	last     int                // the highest number that RETR sent (RFC 1460)
	removed  int                // by UPDATE
	reading  bool               // messages, since the last pause
	unlocked bool

	unclosed []io.Closer // messages whose readers could not be closed when they were read
}

// list asks for the messages, once.
func (b *box) list() {
	b.messages = b.drop.Messages()
	b.total.Count = len(b.messages)
	if d, ok := b.drop.(maildrop.Summed); ok {
		b.total.Size = d.TotalSize()
		return
	}
	for i := range b.messages {
		b.total.Size += b.messages[i].Size
	}
}

// delete marks a message, which is not marked yet.
func (b *box) delete(n int) {
	if b.mark == nil {
		b.mark = make([]bool, len(b.messages))
	}
	b.mark[n-1] = true
	b.gone.Count++
	b.gone.Size += b.messages[n-1].Size
}

// reset takes all marks back.
func (b *box) reset() {
	b.mark, b.gone, b.last = nil, pop3.DropListing{}, 0
}

// isMarked reports whether message n is marked.
func (b *box) isMarked(n int) bool { return b.mark != nil && b.mark[n-1] }

// message returns the message that an argument names. A number that does not
// exist and one that is marked are both errors (P3-DELE-02).
func (b *box) message(arg string) (n int, m maildrop.Message, err error) {
	n, ok := popwire.ParseMessageNumber(arg)
	switch {
	case !ok:
		return 0, m, &refusal{text: textNoNumber, bad: true}
	case n < 1 || n > len(b.messages):
		return 0, m, &refusal{text: textNoMessage}
	case b.isMarked(n):
		return 0, m, &refusal{text: textMarked, args: []any{n}}
	}
	return n, b.messages[n-1], nil
}

// listing counts what is not marked (P3-STAT-02).
func (b *box) listing() pop3.DropListing {
	return pop3.DropListing{Count: b.total.Count - b.gone.Count, Size: b.total.Size - b.gone.Size}
}

// unmarked yields the messages that are not marked, with their numbers.
func (b *box) unmarked() iter.Seq2[int, maildrop.Message] {
	return func(yield func(int, maildrop.Message) bool) {
		for i, m := range b.messages {
			if !b.isMarked(i+1) && !yield(i+1, m) {
				return
			}
		}
	}
}

// marked returns the unique-ids of the messages that are marked.
func (b *box) marked() []pop3.UniqueID {
	if b.gone.Count == 0 {
		return nil
	}
	ids := make([]pop3.UniqueID, 0, b.gone.Count)
	for i, m := range b.messages {
		if b.mark[i] {
			ids = append(ids, m.ID)
		}
	}
	return ids
}

// unlock gives the maildrop back. It removes nothing (P3-LCK-05).
func (b *box) unlock() {
	if !b.unlocked {
		b.unlocked = true
		defer b.drop.Close()
		b.closeContents()
	}
}

// pause is before a wait that may be long.
func (b *box) pause() {
	b.reading = false
	b.closeContents()
	if d, ok := b.drop.(maildrop.Pausing); ok {
		d.Pause()
	}
}

// closeContents closes what is still open of messages.
func (b *box) closeContents() {
	contents := b.unclosed
	b.unclosed = nil
	for _, c := range contents {
		c.Close()
	}
}
