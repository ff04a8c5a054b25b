package tui

import (
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"postfach/internal/explore"
	"postfach/maildrop/memory"
)

// A hundred thousand messages: a list at once, and no key waits.
func TestHundredThousandMessages(t *testing.T) {
	const n = 100_000
	store := memory.New()
	store.Create("someone")
	for i := range n {
		if _, err := store.Deliver(t.Context(), "someone", strings.NewReader(plainMail("number "+strconv.Itoa(i)))); err != nil {
			t.Fatal(err)
		}
	}
	runtime.GC()
	a := explore.Local(store, "someone", "memory", true)
	began := time.Now()
	s := newStage(t, explore.Picker{Start: &a}, 120, 40)
	s.until("HELD", "100,000 messages", "number 0", "number 9")
	t.Logf("the first screen after %v", time.Since(began))
	// Alone on a machine it is a fraction of these.
	if d := time.Since(began); d > 15*time.Second*slower {
		t.Errorf("the first screen came after %v", d)
	}
	slow := time.Duration(0)
	press := func(keys ...string) {
		for _, k := range keys {
			began := time.Now()
			s.keys(k)
			slow = max(slow, time.Since(began))
		}
	}
	press("end")
	s.until("number 99999")
	press("home", "pgdown", "pgdown", "pgup", "2", "o", "1", "end", "d", "m", "m", "u", "home")
	s.until("number 0")
	if slow > 3*time.Second*slower {
		t.Errorf("a key took %v", slow)
	}
	t.Logf("the slowest key took %v", slow)
}
