package explain

import (
	"hash/maphash"
	"maps"
	"math"
	"slices"
	"strings"

	"postfach/internal/popwire"
	"postfach/pop3"
)

// mostRemembered bounds how many messages of a maildrop are remembered by
// number: a hostile server can list more than any memory holds. Of those
// beyond, less can be said, and nothing wrong.
const mostRemembered = 1 << 18

// A maildrop is what the conversation has shown of one.
type maildrop struct {
	marks     map[int32]struct{} // of DELE, where the server has agreed
	moreMarks int                // those beyond mostRemembered

	sizes map[int32]int64 // of LIST
	came  map[int32]int64 // of messages that RETR has fetched, as they were counted
	ids   map[uint64]int32
	seed  maphash.Seed

	dropped *pop3.DropListing // of STAT, since the last change of marks
	listed  pop3.DropListing  // of the last LIST
	whole   bool              // listed is complete, and marks have not changed since
	most    int               // the highest number that there can be; -1: not known
	fetched bool              // a message was retrieved
}

func newMaildrop() maildrop {
	return maildrop{
		marks: make(map[int32]struct{}), sizes: make(map[int32]int64), came: make(map[int32]int64), ids: make(map[uint64]int32),
		seed: maphash.MakeSeed(), most: -1,
	}
}

// mark adds a mark.
func (m *maildrop) mark(number int) {
	m.changed()
	if len(m.marks) < mostRemembered {
		m.marks[int32(number)] = struct{}{}
		return
	}
	if !m.isMarked(number) {
		m.moreMarks++
	}
}

// unmark takes all marks away and returns how many there were.
func (m *maildrop) unmark() int {
	m.changed()
	count := len(m.marks) + m.moreMarks
	clear(m.marks)
	m.moreMarks = 0
	m.fetched = false
	return count
}

func (m *maildrop) changed() { m.dropped, m.whole = nil, false }

func (m *maildrop) isMarked(number int) bool {
	_, marked := m.marks[int32(number)]
	return marked
}

// marked returns the messages that are marked.
func (m *maildrop) marked() selection {
	var s selection
	for _, n := range slices.Sorted(maps.Keys(m.marks)) {
		s.numbers = append(s.numbers, int(n))
	}
	s.more = m.moreMarks
	return s
}

// stat compares what STAT says with LIST.
func (m *maildrop) stat(c *Conversation, l pop3.DropListing, n *Note) {
	m.dropped = &l
	if len(m.marks)+m.moreMarks == 0 {
		m.most = l.Count
	}
	if m.whole && m.listed != l {
		c.warn(n, phrase{"But LIST has listed %s with %s.", "LIST hat aber %s mit insgesamt %s aufgeführt."}, messages.times(int64(m.listed.Count)), octets.times(m.listed.Size))
	}
}

func (m *maildrop) beginList() { m.listed, m.whole = pop3.DropListing{}, false }

// list remembers the size of a message; whole: as a part of the list of all.
func (m *maildrop) list(l pop3.ScanListing, whole bool) {
	if len(m.sizes) < mostRemembered {
		m.sizes[int32(l.Number)] = l.Size
	}
	if whole {
		m.listed.Count++
		m.listed.Size += min(l.Size, math.MaxInt64-m.listed.Size)
	}
}

// endList compares the list with what STAT has said.
func (m *maildrop) endList(c *Conversation, n *Note) {
	m.whole = true
	if m.dropped != nil && *m.dropped != m.listed {
		c.warn(n, phrase{"But STAT has counted %s with %s.", "STAT hat aber %s mit insgesamt %s gezählt."}, messages.times(int64(m.dropped.Count)), octets.times(m.dropped.Size))
	}
}

// counted remembers the size of a message that has come.
func (m *maildrop) counted(number int, size int64) {
	if len(m.came) < mostRemembered {
		m.came[int32(number)] = size
	}
}

func (m *maildrop) beginIDs() { clear(m.ids) }

// id remembers a unique-id and returns the number of another message that has
// the same one; 0: none. whole: it is a part of the list of all.
func (m *maildrop) id(l pop3.IDListing, whole bool) (other int) {
	if !whole {
		return 0
	}
	hash := maphash.String(m.seed, string(l.ID))
	if number, ok := m.ids[hash]; ok && int(number) != l.Number {
		return int(number)
	}
	if len(m.ids) < mostRemembered {
		m.ids[hash] = int32(l.Number)
	}
	return 0
}

// fetching notes that a message comes.
func (m *maildrop) fetching(a *asked) {
	if a.row == &retrRow {
		m.fetched = true
	}
}

// firstNumber reads the number that a text begins with.
func firstNumber(text string) (int, bool) {
	word, _, _ := strings.Cut(text, " ")
	return popwire.ParseMessageNumber(word)
}
