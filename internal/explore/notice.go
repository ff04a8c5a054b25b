package explore

import (
	"errors"
	"io"
	"os"
	"slices"
	"strings"

	"postfach/internal/message"
	"postfach/pop3"
)

// notices are what happened and nobody has seen yet.
type notices []notice

type notice struct {
	sentence string
	about    topic
}

// A topic says how long a notice is of interest.
type topic uint8

const (
	lasting    topic = iota // until a person has seen it
	connection              // until the maildrop is open again
	marks                   // until a person has seen it: never forgotten for others
)

func (ns notices) String() string {
	sentences := make([]string, len(ns))
	for i, n := range ns {
		sentences[i] = n.sentence
	}
	return strings.Join(sentences, "; ")
}

// maxNotice bounds what nobody has seen yet, in octets, but for what is about
// marks: that is never forgotten, and it takes a person to set them.
const maxNotice = 600

// add puts a sentence behind the others. The oldest ones give way.
func (ns notices) add(n notice) notices {
	if n.sentence == "" || len(ns) > 0 && ns[len(ns)-1].sentence == n.sentence {
		return ns
	}
	if n.about == marks {
		ns = slices.DeleteFunc(ns, func(other notice) bool { return other == n })
	}
	ns = append(ns, n)
	room := maxNotice
	for i := len(ns) - 1; i >= 0; i-- {
		if ns[i].about == marks {
			continue
		}
		if room -= len(ns[i].sentence); room < 0 && i < len(ns)-1 {
			ns = slices.Delete(ns, i, i+1)
		}
	}
	return ns
}

// tell adds to the notice; mu is held.
func (e *Explorer) tell(sentence string) { e.notify(notice{sentence: sentence}) }

// tellOfMarks is tell for what must not be lost.
func (e *Explorer) tellOfMarks(sentence string) { e.notify(notice{sentence, marks}) }

// tellOfConnection is tell for what is over when the maildrop is open again.
func (e *Explorer) tellOfConnection(sentence string) { e.notify(notice{sentence, connection}) }

// connected forgets notices that are not true any more; mu is held.
func (e *Explorer) connected() {
	e.notices = slices.DeleteFunc(e.notices, func(n notice) bool { return n.about == connection })
}

func (e *Explorer) notify(n notice) {
	e.notices = e.notices.add(n)
	e.bell.ring()
}

// tell1 is tell, with the lock.
func (e *Explorer) tell1(sentence string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.tell(sentence)
}

// reason says in a few words why a connection or a message failed. Server texts
// come printable.
func reason(err error) string {
	var no *pop3.Error
	var plain *plainError
	switch {
	case err == nil:
		return ""
	case errors.As(err, &plain):
		return clip(message.PrintableLine(err.Error()), 200)
	case errors.As(err, &no):
		return clip("the server says: "+message.PrintableLine(no.Error()), 200)
	case errors.Is(err, errStalled), errors.Is(err, os.ErrDeadlineExceeded):
		return "the server does not answer"
	case errors.Is(err, io.ErrUnexpectedEOF):
		return "the server closed it"
	}
	return clip(message.PrintableLine(err.Error()), 200)
}
