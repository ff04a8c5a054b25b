package explore

import (
	"cmp"
	"encoding/hex"
	"strconv"

	"postfach/internal/message"
	"postfach/pop3"
)

// A Key names a message for as long as the Explorer lives: its unique-id, where
// the server has one for it that no other message has. Else it holds the number
// and ends with the session. It is printable ASCII without spaces.
type Key string

// keyOf returns the Key for a unique-id that no other message has. Ids with
// octets that do not survive on a page or in a form are spelt in hexadecimal.
// "#" is the mark of all that are not the id itself.
func keyOf(id pop3.UniqueID) Key {
	if id[0] == '#' {
		return Key("#x" + hex.EncodeToString([]byte(id)))
	}
	for i := range len(id) {
		if id[i] <= ' ' || id[i] > '~' {
			return Key("#x" + hex.EncodeToString([]byte(id)))
		}
	}
	return Key(id)
}

// boundKey returns the Key of a message that has no unique-id of its own.
func boundKey(session, number int) Key {
	return Key("#s" + strconv.Itoa(session) + "." + strconv.Itoa(number))
}

// bound reports whether k ends with the session.
func (k Key) bound() bool { return len(k) > 1 && k[:2] == "#s" }

// An Entry is a message in the list.
type Entry struct {
	Key    Key
	Number int // in this session; 0: the maildrop is not open
	Size   int64
	ID     pop3.UniqueID // as the server sent it; may be empty or repeat
	// Known: the header was read, and Summary is what it says.
	Known   bool
	Summary message.Summary
	Marked  bool
	// Problem says why the header cannot be read, or that the connection ends
	// when the message is loaded: it can still be marked and deleted.
	Problem string
}

// Entry returns one message of the list.
func (e *Explorer) Entry(k Key) (Entry, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	i, ok := e.list.index[k]
	if !ok {
		return Entry{}, false
	}
	return e.entry(&e.list.rows[i]), true
}

// entry shows a row; mu is held.
func (e *Explorer) entry(r *row) Entry {
	out := Entry{Key: r.key, Size: r.size, ID: r.id, Marked: r.marked, Problem: cmp.Or(r.problem, r.broken)}
	if e.open() {
		out.Number = r.number
	}
	if r.summary != nil {
		out.Known, out.Summary = true, *r.summary
	}
	return out
}

// open reports whether numbers mean anything; mu is held.
func (e *Explorer) open() bool { return e.state == Held || e.state == Committing }
