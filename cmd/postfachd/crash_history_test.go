package main

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// A fate is what is promised of a message.
type fate int

const (
	unsure fate = iota // its delivery or its removal has begun, and nobody heard how it ended
	there              // it must be there
	gone               // and must stay so
)

// A letter is one message of a history.
type letter struct {
	wire [sha256.Size]byte // of the octets that RETR sends
	id   string            // empty: nobody was told yet
	fate fate
}

// A history is what one maildrop's clients, and those who deliver into it, did
// and heard, in their order. It outlives the server that is killed.
type history struct {
	user string

	mu      sync.Mutex // guards what follows
	log     []string
	letters map[string]*letter // by their subject, which no two share
	owners  map[string]string  // unique-ids that somebody was told, and whose they are: for good
	events  *events
}

// An events counts what happens to all histories, and says when it is enough.
type events struct {
	mu     sync.Mutex
	left   int
	enough chan struct{}
}

func newEvents(n int) *events { return &events{left: n, enough: make(chan struct{})} }

func (e *events) one() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.left--; e.left == 0 {
		close(e.enough)
	}
}

// note writes a line of the log. The caller has the lock.
func (h *history) note(format string, args ...any) {
	h.log = append(h.log, fmt.Sprintf(format, args...))
	if h.events != nil {
		h.events.one()
	}
}

// do is note for what touches nothing else.
func (h *history) do(format string, args ...any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.note(format, args...)
}

// story returns the end of the log.
func (h *history) story() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.user + ":\n\t" + strings.Join(h.log[max(0, len(h.log)-60):], "\n\t")
}

func (h *history) deliveryBegins(subject string, wire []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.note("deliver %s begins, %d octets", subject, len(wire))
	h.letters[subject] = &letter{wire: sha256.Sum256(wire)}
}

// deliveryEnds: it was acknowledged.
func (h *history) deliveryEnds(subject, id string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.note("deliver %s ends: %s", subject, id)
	if l := h.letters[subject]; l.id == "" { // no session has seen it, nor removed it, before we heard
		l.fate = there
	}
	return h.tell(subject, id)
}

// tell notes that somebody was told the unique-id of a letter.
func (h *history) tell(subject, id string) error {
	l := h.letters[subject]
	if owner, told := h.owners[id]; told && owner != subject {
		return fmt.Errorf("%s is the unique-id of %s and was that of %s", id, subject, owner)
	}
	if l.id != "" && l.id != id {
		return fmt.Errorf("%s has the unique-id %s and had %s", subject, id, l.id)
	}
	l.id, h.owners[id] = id, subject
	return nil
}

// certain returns the letters that the next session must list.
func (h *history) certain() (subjects []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.note("login begins")
	for subject, l := range h.letters {
		if l.fate == there {
			subjects = append(subjects, subject)
		}
	}
	return subjects
}

// listed compares a listing with what is known, and returns the numbers of
// messages whose unique-ids are new.
func (h *history) listed(certain, ids []string) (unknown []int, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.note("lists %d messages", len(ids))
	seen := map[string]bool{}
	for i, id := range ids {
		subject, told := h.owners[id]
		switch {
		case seen[id]:
			err = errors.Join(err, fmt.Errorf("%s is listed twice", id))
		case !told:
			unknown = append(unknown, i+1)
		case h.letters[subject].fate == gone:
			err = errors.Join(err, fmt.Errorf("%s (%s) is there and was removed", subject, id))
		default:
			h.letters[subject].fate = there // a removal that did not happen
		}
		seen[id] = true
	}
	for _, subject := range certain {
		if id := h.letters[subject].id; id != "" && !seen[id] {
			err = errors.Join(err, fmt.Errorf("%s (%s) is gone", subject, id))
		}
	}
	for _, l := range h.letters {
		if l.fate == unsure && l.id != "" && !seen[l.id] {
			l.fate = gone // a removal that did
		}
	}
	return unknown, err
}

// retrieved compares the octets of a message with what was delivered.
func (h *history) retrieved(id string, wire []byte) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	line, _, _ := strings.Cut(string(wire), "\r\n")
	subject := strings.TrimPrefix(line, "Subject: ")
	l := h.letters[subject]
	if l == nil || l.wire != sha256.Sum256(wire) {
		return fmt.Errorf("%s is torn, or came from nowhere: %d octets, %.100q", id, len(wire), wire)
	}
	if l.fate == unsure { // a delivery that nobody acknowledged, or not yet
		l.fate = there
	}
	return h.tell(subject, id)
}

// quitBegins: from now on the marked messages may go.
func (h *history) quitBegins(marked []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.note("QUIT begins, %d marked", len(marked))
	for _, id := range marked {
		h.letters[h.owners[id]].fate = unsure
	}
}

// quitEnds: +OK, so they are gone.
func (h *history) quitEnds(marked []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.note("QUIT ends: %s", strings.Join(marked, " "))
	for _, id := range marked {
		h.letters[h.owners[id]].fate = gone
	}
}

// counts is how many letters have which fate.
func (h *history) counts() (n [3]int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, l := range h.letters {
		n[l.fate]++
	}
	return n
}

// sorted is for logs.
func sorted(s []string) []string { return slices.Sorted(slices.Values(s)) }
