package maildir

import "testing"

func FuzzName(f *testing.F) {
	for _, s := range []string{
		"", ":2,S", ",S=1", "1.M2P3.host,S=4,W=5:2,FS", "1.M00000000000000000000009.h", "00012.x.h", "a b", "ä",
		"1234567890123456789012345678901234567890123456789012345678901234567890x", "1.MMM5M6.h", "9,S=+1,W=0x1,S=99999999999999999999",
	} {
		f.Add(s, "1.a")
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		m, n := parseName(a), parseName(b)
		if id := m.uniqueID(); !id.Valid() {
			t.Errorf("%q: the id %q is not legal", a, id)
		}
		if m.base()+m.suffix() != a || baseOf(a) != m.base() {
			t.Errorf("%q was split into %q and %q", a, m.base(), m.suffix())
		}
		if length, wire := m.hints(); length < -1 || wire < -1 {
			t.Errorf("%q: hints %d and %d", a, length, wire)
		}
		if compareNames(m, n) != -compareNames(n, m) || compareNames(m, n) == 0 && a != b {
			t.Errorf("%q and %q have no order", a, b)
		}
		for step := range 3 {
			if id := (&entry{file: file{name: a}, end: int32(m.end)}).candidate(step); !id.Valid() {
				t.Errorf("%q: the id %q is not legal", a, id)
			}
		}
	})
}

func TestOrderIsNumeric(t *testing.T) {
	names := []string{"x", "0999.a", "1000.b", "1000.M5P1.a", "1000.M10P1.a", "10000.a"}
	for i, a := range names {
		for j, b := range names {
			m, n := parseName(a), parseName(b)
			if got, want := compareNames(m, n) < 0, i < j; got != want {
				t.Errorf("%q before %q: %v, want %v", a, b, got, want)
			}
		}
	}
}
