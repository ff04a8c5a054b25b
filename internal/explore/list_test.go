package explore

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"postfach/internal/message"
	"postfach/pop3"
)

// listOf is a list of so many messages, of which none is known.
func listOf(n int) *list {
	l := &list{}
	sizes := make([]pop3.ScanListing, n)
	ids := make([]pop3.IDListing, n)
	for i := range n {
		sizes[i] = pop3.ScanListing{Number: i + 1, Size: int64(i*7919%100000 + 500)}
		ids[i] = pop3.IDListing{Number: i + 1, ID: pop3.UniqueID(fmt.Sprintf("uid%08d.example.org", i*31))}
	}
	l.relist(1, sizes, ids)
	return l
}

// headerOf is a header, different for each i.
func headerOf(i int) message.Summary {
	h := message.Summary{
		From: "Sender " + strconv.Itoa(i%700), Address: fmt.Sprintf("sender%d@example.org", i%700), To: "me@example.org",
		Subject: fmt.Sprintf("Subject %d about some ordinary thing", i*104729%1000003),
	}
	if i%50 != 0 {
		h.Date = time.Unix(int64(i*7907%1000000), 0)
	}
	return h
}

func numbersOf(l *list, order []int32) (numbers []int) {
	for _, i := range order {
		numbers = append(numbers, l.rows[i].number)
	}
	return numbers
}

func TestOrders(t *testing.T) {
	l := listOf(6)
	for i, h := range []message.Summary{
		{From: "bob", Subject: "Zebra", Date: time.Unix(300, 0)},
		{Address: "ADA@example.org", Subject: "äpfel", Date: time.Unix(100, 0)},
		{From: "Carl", Subject: "Ähren"},
		{From: "Bob", Subject: "apple", Date: time.Unix(200, 0)},
	} {
		l.learn(int32(i), h)
	}
	l.rows[0].size, l.rows[1].size, l.rows[2].size, l.rows[3].size, l.rows[4].size, l.rows[5].size = 5, 4, 5, 3, 9, 1
	for _, c := range []struct {
		q    Query
		want []int
	}{
		{Query{}, []int{1, 2, 3, 4, 5, 6}},
		{Query{Descending: true}, []int{6, 5, 4, 3, 2, 1}},
		{Query{Sort: BySize}, []int{6, 4, 2, 1, 3, 5}},
		{Query{Sort: BySize, Descending: true}, []int{5, 1, 3, 2, 4, 6}},
		{Query{Sort: ByDate}, []int{2, 4, 1, 3, 5, 6}},
		{Query{Sort: ByDate, Descending: true}, []int{1, 4, 2, 3, 5, 6}},
		{Query{Sort: ByFrom}, []int{2, 1, 4, 3, 5, 6}},
		{Query{Sort: ByFrom, Descending: true}, []int{3, 1, 4, 2, 5, 6}},
		{Query{Sort: BySubject}, []int{4, 1, 3, 2, 5, 6}},
	} {
		if got := numbersOf(l, l.arrange(c.q, true).order); !slices.Equal(got, c.want) {
			t.Errorf("%+v: %v, not %v", c.q, got, c.want)
		}
	}
}

func TestSearches(t *testing.T) {
	l := listOf(5)
	l.learn(0, message.Summary{From: "Łukasz Żak", Address: "l@example.org", Subject: "Größe"})
	l.learn(1, message.Summary{From: "Bob", Address: "bob@EXAMPLE.net", To: "Team", Subject: "Report 2026"})
	for i, size := range []int64{500, 2000, 1 << 20, 3 << 20, 20 << 10} {
		l.rows[i].size = size
	}
	l.mark(&l.rows[1], true)
	l.mark(&l.rows[3], true)
	for _, c := range []struct {
		q       Query
		want    []int
		waiting int
	}{
		{Query{Search: "łUKASZ"}, []int{1}, 3},
		{Query{Search: "GRÖSSE"}, nil, 3},
		{Query{Search: "grÖße"}, []int{1}, 3},
		{Query{Search: "example.NET report"}, []int{2}, 3},
		{Query{Search: "team bob"}, []int{2}, 3},
		{Query{Search: "bob ada"}, nil, 3},
		{Query{Search: "4"}, []int{4, 5}, 1}, // a number, and a part of a unique-id
		{Query{Search: "UID"}, []int{1, 2, 3, 4, 5}, 0},
		{Query{Search: ">1M"}, []int{4}, 0},
		{Query{Search: ">=1M"}, nil, 3},
		{Query{Search: "<20k"}, []int{1, 2}, 0},
		{Query{Search: ">1k <1.5M"}, []int{2, 3, 5}, 0},
		{Query{Search: ">0.4K <2001b bob"}, []int{2}, 0},
		{Query{Search: ">x"}, nil, 3},
		{Query{MarkedOnly: true}, []int{2, 4}, 0},
		{Query{MarkedOnly: true, Sort: ByDate}, []int{2, 4}, 1},
		{Query{MarkedOnly: true, Search: "bob"}, []int{2}, 1},
	} {
		o := l.arrange(c.q, true)
		if got := numbersOf(l, o.order); !slices.Equal(got, c.want) || o.waiting != c.waiting {
			t.Errorf("%+v: %v, not %v; %d wait, not %d", c.q, got, c.want, o.waiting, c.waiting)
		}
	}
	if o := l.arrange(Query{Search: "5"}, false); len(numbersOf(l, o.order)) != 0 {
		t.Error("a number was found that nobody sees")
	}
}

// What follows the headers one by one is what a new ordering is.
func TestOrderingFollowsHeaders(t *testing.T) {
	const n = 2000
	for _, q := range []Query{{}, {Sort: ByDate}, {Sort: BySubject, Descending: true}, {Search: "sender 3"}, {Sort: ByFrom, Search: "about 9"}, {Sort: ByDate, Search: "<50k"}} {
		l := listOf(n)
		order := rand.New(rand.NewPCG(1, 2)).Perm(n)
		for len(order) > 0 {
			k := min(len(order), 1+len(order)/7)
			for _, i := range order[:k] {
				if i%97 == 0 {
					l.fail(int32(i), "no")
				} else {
					l.learn(int32(i), headerOf(i))
				}
			}
			order = order[k:]
			followed := *l.arrange(q, true)
			l.cached = nil
			anew := l.arrange(q, true)
			if !slices.Equal(followed.order, anew.order) || followed.waiting != anew.waiting || !slices.Equal(followed.wait, anew.wait) {
				t.Fatalf("%+v: with %d to come, %d and %d rows, %d and %d wait", q, len(order), len(followed.order), len(anew.order), followed.waiting, anew.waiting)
			}
			l.cached = &followed
		}
		if l.cached.waiting != 0 {
			t.Errorf("%+v: %d wait", q, l.cached.waiting)
		}
	}
}

func TestHostileListingsAreTaken(t *testing.T) {
	l := &list{}
	l.relist(1, []pop3.ScanListing{{Number: 7, Size: 1}, {Number: 2, Size: 2}, {Number: 7, Size: 3}, {Number: 1 << 30, Size: 4}},
		[]pop3.IDListing{{Number: 2, ID: "#s1.7"}, {Number: 7, ID: "a"}, {Number: 7, ID: "b"}, {Number: 9, ID: "c"}, {Number: 1 << 30, ID: "with space"}})
	var got []string
	for _, r := range l.rows {
		got = append(got, fmt.Sprint(r.number, " ", r.size, " ", r.key))
	}
	if want := []string{"2 2 #x2373312e37", "7 1 #s1.7", "1073741824 4 #x77697468207370616365"}; !slices.Equal(got, want) {
		t.Errorf("%q, not %q", got, want)
	}
}

func TestLongTextsAreCut(t *testing.T) {
	l := listOf(1)
	l.learn(0, message.Summary{To: strings.Repeat("ä", 5000), Subject: strings.Repeat("ö", 5000)})
	if s := l.rows[0].summary; len(s.To) > maxName+3 || len(s.Subject) > maxSubject+3 || strings.ContainsRune(s.To, '\uFFFD') {
		t.Errorf("%d and %d octets", len(s.To), len(s.Subject))
	}
}

func TestPagesEnd(t *testing.T) {
	for _, c := range []struct{ offset, limit, lo, hi int }{
		{0, 0, 0, 10}, {3, 0, 3, 10}, {3, 4, 3, 7}, {8, 5, 8, 10}, {10, 5, 10, 10}, {11, 0, 10, 10}, {-3, 2, 0, 2}, {1, -1, 1, 10}, {5, math.MaxInt, 5, 10},
	} {
		if lo, hi := (Query{Offset: c.offset, Limit: c.limit}).span(10); lo != c.lo || hi != c.hi {
			t.Errorf("%+v: %d to %d", c, lo, hi)
		}
	}
}

func TestManyFacesAtOnce(t *testing.T) {
	srv := serverWith(t, 60)
	e := held(t, srv, Options{})
	all := keys(e)
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(uint64(g), 7))
			for range 30 {
				k := all[r.IntN(len(all))]
				var err error
				switch r.IntN(8) {
				case 0:
					_, err = e.Preview(t.Context(), k, 2)
				case 1:
					err = e.Mark(k)
				case 2:
					err = e.Unmark(k)
				case 3:
					e.Page(Query{Sort: Sort(r.IntN(5)), Descending: g%2 == 0, Search: []string{"", "letter", ">1k"}[r.IntN(3)], Limit: 10})
				case 4:
					e.Status()
					e.Log(0)
					e.Marked()
				case 5:
					if g == 0 {
						err = e.Release(t.Context())
					}
				case 6:
					e.Touch()
					e.Seen()
				case 7:
					if g == 1 {
						err = e.Connect(t.Context(), "")
					}
				}
				if err != nil {
					t.Errorf("%v", err)
				}
			}
		})
	}
	wg.Wait()
	if s := e.Status(); s.Messages != 60 || strings.Contains(s.Notice, "lost") {
		t.Errorf("%+v", s)
	}
	marked := e.Marked()
	var shown []Key
	for _, m := range marked {
		shown = append(shown, m.Key)
	}
	if out, err := e.Commit(t.Context(), shown); err != nil || len(out.Deleted) != len(marked) {
		t.Errorf("%+v, %v", out, err)
	}
	if n := len(left(t, srv)); n != 60-len(marked) {
		t.Errorf("%d are left of %d", n, 60-len(marked))
	}
}
