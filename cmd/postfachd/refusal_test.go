package main

import (
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"postfach/internal/accounts"
)

// Promise 12, on the wire: whoever does not get in hears the same and waits as
// long, whatever the reason is.
func TestRefusalsLookAlike(t *testing.T) {
	data, dir := newData(t), tempDir(t)
	name := filepath.Join(dir, "f.toml")
	configured(t, name, "[[domain]]\nname = \"far.example\"\nnetworks = [\"10.0.0.0/8\"]")
	serveIn(t, data).end()
	for _, user := range []string{"anna", "apps", "anna@far.example"} {
		must(t, editorIn(data).Add(accounts.NewAccount{User: user, Password: "p w"}))
	}
	_, err := editorIn(data).AddApp("apps", "phone")
	must(t, err)
	must(t, editorIn(data).SetMain("apps", false))
	giveToOwner(t, data)
	p := serveIn(t, data, "--config", name)
	tries := [][2]string{{"anna", "wrong"}, {"nobody", "wrong"}, {"../anna", "p w"}, {"apps", "p w"}, {"anna@far.example", "p w"}, {"nobody@far.example", "p w"}}
	const rounds = 25
	took := make([][]time.Duration, len(tries))
	var said string
	for range rounds {
		for _, i := range rand.Perm(len(tries)) {
			c := p.dial()
			c.line()
			c.say("USER " + tries[i][0])
			began := time.Now()
			answer := c.say("PASS " + tries[i][1])
			took[i] = append(took[i], time.Since(began))
			c.conn.Close()
			if said == "" {
				said = answer
			}
			if answer != said {
				t.Fatalf("%q: %q, and %q for others", tries[i], answer, said)
			}
		}
	}
	for i := 1; i < len(tries); i++ {
		// Twice as fast is what no hash at all would be; the tests of the accounts
		// look more closely. What else the machine does only makes a try slower, so that
		// the quickest tells most.
		one, other := slices.Min(took[i]), slices.Min(took[0])
		if ratio := float64(one) / float64(other); ratio < 0.6 || ratio > 1.6 {
			t.Errorf("%q takes %.2f times as long as a wrong password (%v, %v)", tries[i], ratio, one, other)
		}
	}
	p.end()
}
