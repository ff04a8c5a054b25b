//go:build unix

package certificates

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// hang makes a file that has no content before release is called: that of another one.
// reached waits until somebody reads it.
func hang(t *testing.T, name, content string) (reached, release func()) {
	t.Helper()
	must(t, syscall.Mkfifo(name, 0o600))
	var end *os.File
	return func() {
			var err error
			end, err = os.OpenFile(name, os.O_WRONLY, 0) // waits for a reader
			must(t, err)
		}, func() {
			text, err := os.ReadFile(content)
			must(t, err)
			_, err = end.Write(text)
			must(t, err)
			must(t, end.Close())
		}
}

// A disk that does not answer holds up who reads it, and nobody else.
func TestReadingHoldsUpNobody(t *testing.T) {
	a, dir := newAuthority(t, "a"), t.TempDir()
	pair := a.pairIn(dir, "pair", newECDSA(t), "mail.example.org")
	_, log := newJournal()
	set := &Set{Log: log}
	must(t, set.Load(Files{Pairs: []Pair{pair}}))
	slow := filepath.Join(dir, "slow.pem")
	reached, release := hang(t, slow, pair.Certificate)
	done := make(chan error)
	go func() {
		_, err := set.Read(Files{Pairs: []Pair{{slow, pair.Key}}})
		done <- err
	}()
	reached()
	polled := make(chan bool, 1)
	go func() { polled <- set.Poll(time.Now()) }()
	select {
	case <-polled:
	case <-time.After(10 * time.Second):
		t.Error("Poll waits for Read")
	}
	release()
	must(t, <-done)
}

// What was read later stays in force when what was read before is used.
func TestOlderReadingReplacesNoNewerOne(t *testing.T) {
	a, dir := newAuthority(t, "a"), t.TempDir()
	pair := a.pairIn(dir, "pair", newECDSA(t), "mail.example.org")
	_, log := newJournal()
	set := &Set{Log: log}
	files := Files{Pairs: []Pair{pair}}
	must(t, set.Load(files))
	use, err := set.Read(files)
	must(t, err)
	before := serialOf(t, set)
	a.pairIn(dir, "pair", newECDSA(t), "mail.example.org")
	set.Poll(time.Now())
	renewed := serialOf(t, set)
	if use(); renewed == before || serialOf(t, set) != renewed {
		t.Errorf("before %s, renewed %s, in force %s", before, renewed, serialOf(t, set))
	}
	// Other files are used, whoever has read the old ones meanwhile.
	other := a.pairIn(dir, "other", newECDSA(t), "mail.example.org")
	use, err = set.Read(Files{Pairs: []Pair{other}})
	must(t, err)
	a.pairIn(dir, "pair", newECDSA(t), "mail.example.org")
	late := set.Look(time.Now())
	set.Poll(time.Now())
	renewed = serialOf(t, set)
	use()
	chosen := serialOf(t, set)
	if late(); chosen == renewed || serialOf(t, set) != chosen {
		t.Errorf("renewed %s, chosen %s, in force %s", renewed, chosen, serialOf(t, set))
	}
}

// What is only read is not told of: it may never be in force.
func TestWarningsAreOfWhatIsInForce(t *testing.T) {
	a, dir := newAuthority(t, "a"), t.TempDir()
	pair := a.pairIn(dir, "pair", newECDSA(t), "mail.example.org")
	must(t, os.Chmod(pair.Key, 0o644))
	journal, log := newJournal()
	set := &Set{Log: log}
	use, err := set.Read(Files{Pairs: []Pair{pair}})
	must(t, err)
	if got := journal.String(); got != "" {
		t.Errorf("logged:\n%s", got)
	}
	use()
	journal.wait(t, "a private key is open to everybody", 1)
}
