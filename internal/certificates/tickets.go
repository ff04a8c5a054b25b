package certificates

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"postfach/internal/vfs"
)

// Session tickets are what clients keep of a TLS session, sealed with a key of
// the server's, to begin the next one faster. Whoever gets a key can read the
// recorded TLS 1.2 sessions whose secret was sealed with it. So keys live short:
// each seals for a day, and opens for two more. A secret is sealed for a day, too
// (fresh). So the keys of one moment open what began in the four days before.
const (
	ticketDay  = 24 * time.Hour
	ticketLife = 3 * ticketDay
	ticketKeys = 3
	clockSlack = time.Hour // what a clock may be set back before its keys are refused
)

// Tickets are the keys of session tickets: in a file, so that they outlive a
// restart, and the same for all servers of a process. nil has none.
type Tickets struct {
	file string
	fsys vfs.FS
	log  *slog.Logger

	current atomic.Pointer[[]ticketKey] // newest first; never empty

	mu      sync.Mutex // guards changes of current, and what follows
	unsaved bool
}

type ticketKey struct {
	made time.Time
	key  [32]byte
}

// OpenTickets reads the keys, and makes new ones where there is no file, or none
// that can be used: all that is lost is that clients shake hands once more.
func OpenTickets(file string, now time.Time, log *slog.Logger) *Tickets {
	t := &Tickets{file: file, fsys: vfs.OS{}, log: logOr(log)}
	keys, err := readTicketKeys(file, now)
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			t.log.Warn("the keys of session tickets are made anew", "file", file, "err", err, "hint", "clients that were here before shake hands once more")
		}
		keys = nil
	}
	t.current.Store(&keys)
	t.rotate(now)
	return t
}

// rotate makes a new key each day and forgets old ones. When the file cannot be
// written, the new key is used all the same, and written when that works again.
func (t *Tickets) rotate(now time.Time) {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	old := *t.current.Load()
	fresh := rotated(old, now)
	if len(fresh) == len(old) && fresh[0] == old[0] && !t.unsaved {
		return
	}
	t.current.Store(&fresh)
	if err := vfs.WriteFile(t.fsys, t.file, formatTicketKeys(fresh), 0o600); err != nil {
		if !t.unsaved {
			t.log.Error("the keys of session tickets cannot be written", "file", t.file, "err", err, "hint", "they are used, and lost at the end of the process")
		}
		t.unsaved = true
		return
	}
	t.unsaved = false
}

// rotated returns the keys that are good now, with a new one in front when it is
// time. Keys from the future are those of a clock that was wrong.
func rotated(keys []ticketKey, now time.Time) []ticketKey {
	var good []ticketKey
	for _, k := range keys {
		if age := now.Round(0).Sub(k.made); age < ticketLife && age > -clockSlack {
			good = append(good, k)
		}
	}
	if len(good) > 0 && now.Round(0).Sub(good[0].made) < ticketDay {
		return good
	}
	fresh := ticketKey{made: now.Round(0)} // by the clock on the wall: keys age while the machine sleeps
	rand.Read(fresh.key[:])
	good = append([]ticketKey{fresh}, good...)
	return good[:min(len(good), ticketKeys)]
}

// A file of keys has a line for each, the newest first: when it was made, and
// its 32 octets in base64.
func formatTicketKeys(keys []ticketKey) []byte {
	var b strings.Builder
	b.WriteString("# Keys of TLS session tickets. Whoever has them can read recorded sessions: do not keep copies.\n")
	for _, k := range keys {
		fmt.Fprintf(&b, "%s %s\n", k.made.UTC().Format(time.RFC3339), base64.StdEncoding.EncodeToString(k.key[:]))
	}
	return []byte(b.String())
}

func readTicketKeys(file string, now time.Time) ([]ticketKey, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	if mode := info.Mode().Perm(); mode&^0o600 != 0 {
		return nil, fmt.Errorf("mode %04o: others may know them", mode)
	}
	if info.Size() > 4096 {
		return nil, errors.New("too long")
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	return parseTicketKeys(string(text), now)
}

func parseTicketKeys(text string, now time.Time) ([]ticketKey, error) {
	var keys []ticketKey
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		made, sealed, ok := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		at, err := time.Parse(time.RFC3339, made)
		octets, err2 := base64.StdEncoding.Strict().DecodeString(sealed)
		if !ok || err != nil || err2 != nil || len(octets) != 32 {
			return nil, fmt.Errorf("line %d is not a time and a key", len(keys)+1)
		}
		if len(keys) > 0 && at.After(keys[len(keys)-1].made) {
			return nil, errors.New("the keys are not in order")
		}
		keys = append(keys, ticketKey{at, [32]byte(octets)})
	}
	if len(keys) == 0 || len(keys) > ticketKeys {
		return nil, fmt.Errorf("%d keys, and not 1 to %d", len(keys), ticketKeys)
	}
	if keys[0].made.Sub(now) >= clockSlack {
		return nil, errors.New("the newest key is from the future")
	}
	return keys, nil
}
