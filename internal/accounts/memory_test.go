package accounts

import (
	"fmt"
	"testing"
	"time"
)

func TestMemoryIsBoundedAndForgetsWhatIsOverFirst(t *testing.T) {
	const most = 100
	m, now := NewMemory[int](most), time.Now()
	for n := range most / 2 {
		m.Add(n, now, now.Add(time.Hour), fmt.Sprint("long ", n))
	}
	for n := range 3 * most {
		m.Add(n, now, now, fmt.Sprint("over ", n))
		if len(m.answers) > most {
			t.Fatalf("%d are kept", len(m.answers))
		}
	}
	for n := range most / 2 {
		if got, known := m.Find(now, fmt.Sprint("long ", n)); got != n || !known {
			t.Errorf("%d is forgotten, although others are over", n)
		}
	}
	for n := range 3 * most {
		m.Add(n, now, now.Add(time.Hour), fmt.Sprint("more ", n))
	}
	if len(m.answers) > most || len(m.answers) < most/2 {
		t.Errorf("%d are kept", len(m.answers))
	}
	if _, known := m.Find(now.Add(time.Hour), fmt.Sprint("more ", 3*most-1)); known {
		t.Error("an answer is believed for too long")
	}
	if _, known := m.Find(now, "mo", "re "+fmt.Sprint(3*most-1)); known {
		t.Error("a question of other parts has the same answer")
	}
}
