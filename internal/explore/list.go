package explore

import (
	"cmp"
	"slices"
	"strings"

	"postfach/internal/message"
	"postfach/pop3"
)

// A row is a message as the Explorer keeps it: there may be a hundred thousand.
type row struct {
	key     Key
	id      pop3.UniqueID
	number  int
	size    int64
	summary *message.Summary // nil: not read yet
	problem string           // why the header cannot be read
	broken  string           // what happened when it was asked for alone
	marked  bool
}

// unread reports whether reading the header is still worth trying.
func (r *row) unread() bool { return r.summary == nil && r.problem == "" }

// A list is what the newest listing says, with all that is known of it. The
// Explorer's mu guards it.
type list struct {
	rows         []row // by number
	index        map[Key]int32
	octets       int64
	known        int
	marked       int
	markedOctets int64
	// vague: some messages have no unique-id of their own, so that one whose Key
	// is not here may still be there.
	vague bool

	// What orderings follow: relisted and remarked count changes, learned has
	// each row whose header, or the lack of it, became known since relisted.
	relisted, remarked int
	learned            []int32
	cached             *ordering

	texts map[string]string // a few that many messages share
}

// A relisting is what a new listing did to what was known.
type relisting struct{ gone, changed []Entry }

// relist takes a new listing. What was known of a message stays by its Key; marks
// stay where the size is the same too. session counts logins.
func (l *list) relist(session int, sizes []pop3.ScanListing, ids []pop3.IDListing) (told relisting) {
	old, oldIndex := l.rows, l.index
	names := ownIDs(ids)
	l.vague = false
	used := 0
	l.rows = make([]row, 0, len(sizes))
	l.index = make(map[Key]int32, len(sizes))
	slices.SortStableFunc(sizes, func(a, b pop3.ScanListing) int { return cmp.Compare(a.Number, b.Number) })
	for i, s := range sizes {
		if i > 0 && sizes[i-1].Number == s.Number {
			continue
		}
		n, named := names.of(s.Number)
		if named {
			used++
		}
		r := row{number: s.Number, size: s.Size, id: n.id, key: boundKey(session, s.Number)}
		if n.own {
			r.key = keyOf(n.id)
		} else {
			l.vague = true
		}
		if j, ok := oldIndex[r.key]; ok {
			was := &old[j]
			r.key, r.id = was.key, was.id // one copy of the octets
			r.summary, r.problem, r.broken = was.summary, was.problem, was.broken
			r.marked = was.marked && was.size == r.size
			if was.marked && !r.marked {
				told.changed = append(told.changed, r.shown())
			}
		}
		l.index[r.key] = int32(len(l.rows))
		l.rows = append(l.rows, r)
	}
	l.vague = l.vague || used < len(names) // UIDL has more than LIST
	for i := range old {
		if _, there := l.index[old[i].key]; !there && old[i].marked {
			told.gone = append(told.gone, old[i].shown())
		}
	}
	l.count()
	return told
}

// shown is the row outside of any session.
func (r *row) shown() Entry {
	e := Entry{Key: r.key, Size: r.size, ID: r.id}
	if r.summary != nil {
		e.Known, e.Summary = true, *r.summary
	}
	return e
}

// A name is what UIDL says of a message; own: of no other one too.
type name struct {
	number int
	id     pop3.UniqueID
	own    bool
}

type names []name // by number

// ownIDs finds out which messages have a unique-id of their own.
func ownIDs(ids []pop3.IDListing) names {
	all := make(names, 0, len(ids))
	count := make(map[pop3.UniqueID]int, len(ids))
	for _, i := range ids {
		all = append(all, name{number: i.Number, id: i.ID})
		count[i.ID]++
	}
	for i := range all {
		all[i].own = all[i].id != "" && count[all[i].id] == 1
	}
	slices.SortStableFunc(all, byNumber)
	// A number that is listed twice has no id that could be relied on.
	for i := 1; i < len(all); i++ {
		if all[i].number == all[i-1].number {
			all[i].own, all[i-1].own = false, false
		}
	}
	return all
}

func byNumber(a, b name) int { return cmp.Compare(a.number, b.number) }

func (ns names) of(number int) (n name, ok bool) {
	i, ok := slices.BinarySearchFunc(ns, name{number: number}, byNumber)
	if !ok {
		return name{}, false
	}
	return ns[i], true
}

// count does the sums anew, after rows came or went.
func (l *list) count() {
	l.octets, l.known, l.marked, l.markedOctets = 0, 0, 0, 0
	for i := range l.rows {
		r := &l.rows[i]
		l.octets += r.size
		if r.summary != nil {
			l.known++
		}
		if r.marked {
			l.marked++
			l.markedOctets += r.size
		}
	}
	l.relisted++
	l.learned, l.cached = nil, nil
}

// mark sets or takes a mark.
func (l *list) mark(r *row, marked bool) {
	if r.marked == marked {
		return
	}
	r.marked = marked
	l.remarked++
	if marked {
		l.marked++
		l.markedOctets += r.size
		return
	}
	l.marked--
	l.markedOctets -= r.size
}

// learn keeps what a header says.
func (l *list) learn(i int32, s message.Summary) {
	r := &l.rows[i]
	if r.summary == nil {
		l.known++
	}
	s.From, s.Address, s.To = l.share(s.From, maxName), l.share(s.Address, maxName), l.share(s.To, maxName)
	s.Subject = own(s.Subject, maxSubject)
	r.summary, r.problem = &s, ""
	l.learned = append(l.learned, i)
}

// fail keeps why a header cannot be read.
func (l *list) fail(i int32, problem string) {
	l.rows[i].problem = problem
	l.learned = append(l.learned, i)
}

// remove takes rows out of the list.
func (l *list) remove(gone map[Key]bool) {
	l.rows = slices.DeleteFunc(l.rows, func(r row) bool { return gone[r.key] })
	l.index = make(map[Key]int32, len(l.rows))
	for i := range l.rows {
		l.index[l.rows[i].key] = int32(i)
	}
	l.count()
}

// Bounds of what is kept of a header, in octets: a list shows less, and a message
// may have a thousand recipients.
const (
	maxName    = 400
	maxSubject = 1000
	maxTexts   = 4096 // how many texts are looked for again
)

// own bounds text, and copies it when it is a part of something larger.
func own(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	return strings.Clone(clip(text, limit))
}

// share is own for texts that come again: one copy is enough.
func (l *list) share(text string, limit int) string {
	text = own(text, limit)
	if same, ok := l.texts[text]; ok {
		return same
	}
	if l.texts == nil {
		l.texts = make(map[string]string)
	}
	if len(l.texts) < maxTexts {
		l.texts[text] = text
	}
	return text
}
