package explore

import (
	"cmp"
	"slices"
	"strings"
)

// An ordering is the list in the order of a Query. It is made once and then
// follows the headers that come, so that a page costs little while they do.
type ordering struct {
	q        Query // without Offset and Limit
	numbered bool  // numbers were searched too
	search   search

	relisted, remarked, learned int // what of the list is in it

	order   []int32 // rows that match; replaced, never changed
	wait    []bool  // by row: its header would matter and is still to be read
	waiting int     // how many
}

// arrange returns the rows in the order of q. numbered says that numbers mean
// anything now.
func (l *list) arrange(q Query, numbered bool) *ordering {
	q.Offset, q.Limit = 0, 0
	o := l.cached
	if o == nil || o.q != q || o.relisted != l.relisted ||
		o.numbered != numbered && q.Search != "" || o.remarked != l.remarked && q.MarkedOnly {
		o = &ordering{q: q, numbered: numbered, search: parseSearch(q.Search), relisted: l.relisted}
		o.fill(l)
		l.cached = o
	}
	if o.learned != len(l.learned) {
		o.follow(l)
	}
	o.remarked = l.remarked
	return o
}

// fill makes the ordering from nothing.
func (o *ordering) fill(l *list) {
	o.order = make([]int32, 0, len(l.rows))
	o.wait = make([]bool, len(l.rows))
	o.waiting = 0
	for i := range l.rows {
		if o.place(l, int32(i)) {
			o.order = append(o.order, int32(i))
		}
	}
	o.sort(l)
	o.learned = len(l.learned)
}

// sort sorts all rows. Where texts are compared they are put into lower case
// before, once: that is worth it for many.
func (o *ordering) sort(l *list) {
	text := o.q.Sort.text()
	switch {
	case o.q.Sort == ByNumber && !o.q.Descending:
		return
	case text == nil:
		slices.SortFunc(o.order, o.compare(l))
		return
	}
	type keyed struct {
		text string
		row  int32
	}
	known := make([]keyed, 0, len(o.order))
	unread := make([]int32, 0)
	for _, i := range o.order {
		if r := &l.rows[i]; r.summary != nil {
			known = append(known, keyed{strings.ToLower(text(r)), i})
		} else {
			unread = append(unread, i)
		}
	}
	sign := o.sign()
	slices.SortFunc(known, func(a, b keyed) int {
		return cmp.Or(sign*strings.Compare(a.text, b.text), cmp.Compare(a.row, b.row))
	})
	o.order = o.order[:0]
	for _, k := range known {
		o.order = append(o.order, k.row)
	}
	o.order = append(o.order, unread...) // still by number
}

// sign is what turns comparisons around.
func (o *ordering) sign() int {
	if o.q.Descending {
		return -1
	}
	return 1
}

// place notes whether the row's header is waited for, and reports whether the row
// matches as it is.
func (o *ordering) place(l *list, i int32) (matches bool) {
	r := &l.rows[i]
	matches, waits := o.judge(r)
	if waits != o.wait[i] {
		o.wait[i] = waits
		if waits {
			o.waiting++
		} else {
			o.waiting--
		}
	}
	return matches
}

func (o *ordering) judge(r *row) (matches, waits bool) {
	if o.q.MarkedOnly && !r.marked || !o.search.fits(r.size) {
		return false, false
	}
	number := 0
	if o.numbered {
		number = r.number
	}
	if !o.search.found(r, number) {
		return false, r.unread()
	}
	return true, o.q.Sort.needsHeaders() && r.unread()
}

// follow takes in the headers that were learned since: to sort a few and merge
// them is much faster than to sort all.
func (o *ordering) follow(l *list) {
	fresh := slices.Clone(l.learned[o.learned:])
	slices.Sort(fresh)
	fresh = slices.Compact(fresh)
	if len(fresh) > len(l.rows)/4 {
		o.fill(l)
		return
	}
	o.learned = len(l.learned)
	if !o.q.Sort.needsHeaders() && len(o.search.words) == 0 {
		return // the order is made of other things
	}
	isFresh := make([]bool, len(l.rows))
	placed := make([]int32, 0, len(fresh))
	for _, i := range fresh {
		isFresh[i] = true
		if o.place(l, i) {
			placed = append(placed, i)
		}
	}
	compare := o.compare(l)
	slices.SortFunc(placed, compare)
	kept := make([]int32, 0, len(o.order)+len(placed))
	for _, i := range o.order {
		if !isFresh[i] {
			kept = append(kept, i)
		}
	}
	o.order = make([]int32, 0, len(kept)+len(placed))
	for _, i := range placed {
		at, _ := slices.BinarySearchFunc(kept, i, compare)
		o.order = append(append(o.order, kept[:at]...), i)
		kept = kept[at:]
	}
	o.order = append(o.order, kept...)
}

// compare returns the order. It is total, rows with the same key being in the
// order of their numbers, so that any sort is stable.
func (o *ordering) compare(l *list) func(a, b int32) int {
	by, sign := o.q.Sort.compare(), o.sign()
	if by == nil {
		return func(a, b int32) int { return sign * cmp.Compare(a, b) }
	}
	return func(a, b int32) int {
		x, y := &l.rows[a], &l.rows[b]
		if o.q.Sort.needsHeaders() {
			// What has no header is last in both directions.
			if last := cmp.Compare(o.q.Sort.lacks(x), o.q.Sort.lacks(y)); last != 0 || o.q.Sort.lacks(x) > 0 {
				return cmp.Or(last, cmp.Compare(a, b))
			}
		}
		return cmp.Or(sign*by(x, y), cmp.Compare(a, b))
	}
}

// lacks says how much of what the order needs is missing: 0 nothing, 1 the date,
// 2 the header.
func (s Sort) lacks(r *row) int {
	switch {
	case r.summary == nil:
		return 2
	case s == ByDate && r.summary.Date.IsZero():
		return 1
	}
	return 0
}

func (s Sort) compare() func(x, y *row) int {
	switch s {
	case BySize:
		return func(x, y *row) int { return cmp.Compare(x.size, y.size) }
	case ByDate:
		return func(x, y *row) int { return x.summary.Date.Compare(y.summary.Date) }
	case ByFrom, BySubject:
		text := s.text()
		return func(x, y *row) int { return compareFold(text(x), text(y)) }
	}
	return nil
}

// text returns what an order by text compares; nil: the order is another one.
func (s Sort) text() func(r *row) string {
	switch s {
	case ByFrom:
		return (*row).sender
	case BySubject:
		return func(r *row) string { return r.summary.Subject }
	}
	return nil
}

// sender is what the list shows in its From column.
func (r *row) sender() string {
	if r.summary.From == "" {
		return r.summary.Address
	}
	return r.summary.From
}

// pick returns up to count rows whose headers are to be read next: those that are
// looked at, then those around them up to ahead, then all that search or order
// need.
func (l *list) pick(q Query, numbered bool, count, ahead int) []int32 {
	o := l.arrange(q, numbered)
	lo, hi := q.span(len(o.order))
	p := picking{l: l, count: count}
	for _, i := range o.order[lo:hi] {
		if p.full() {
			break
		}
		p.take(i)
	}
	if len(p.picked) > 0 {
		return p.picked // alone: somebody waits for them
	}
	next, before := hi, lo-1
	for (next < len(o.order) || before >= 0) && ahead > 0 && !p.full() {
		if next < len(o.order) {
			p.take(o.order[next])
			next++
			ahead--
		}
		if before >= 0 && ahead > 0 {
			p.take(o.order[before])
			before--
			ahead--
		}
	}
	if o.waiting > 0 {
		for i := range o.wait {
			if p.full() {
				break
			}
			if o.wait[i] {
				p.take(int32(i))
			}
		}
	}
	return p.picked
}

type picking struct {
	l      *list
	count  int
	picked []int32
}

func (p *picking) full() bool { return len(p.picked) >= p.count }

func (p *picking) take(i int32) {
	if !p.full() && p.l.rows[i].unread() && !slices.Contains(p.picked, i) {
		p.picked = append(p.picked, i)
	}
}
