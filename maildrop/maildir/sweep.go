package maildir

import (
	"context"
	"strings"
	"time"

	"postfach/internal/vfs"
)

// staleAfter is when a file in tmp/ is rubbish: the convention of Maildir, which
// lets a delivery take 24 hours.
const staleAfter = 36 * time.Hour

// sweepEvery is how often to look: rubbish comes from crashes only.
const sweepEvery = 24 * time.Hour

// sweep removes what interrupted deliveries left in tmp/. Nobody was told that
// such a message was delivered. Nothing depends on it, so errors are nobody's
// concern. The time is that of mine, a file that was written just now: the clock
// of a file server may differ from ours.
func (s *Store) sweep(ctx context.Context, root string, tmp vfs.Folder, mine string) {
	if !s.sweepIsDue(root, time.Now()) {
		return
	}
	info, err := tmp.Lstat(mine)
	if err != nil {
		return
	}
	limit := info.ModTime.Add(-staleAfter)
	names, err := tmp.ReadDir()
	if err != nil {
		return
	}
	for _, name := range names {
		if ctx.Err() != nil {
			return
		}
		if !looksTemporary(name) {
			continue
		}
		info, err := tmp.Lstat(name)
		// The time of the inode, too: somebody may have moved an old message here.
		if err == nil && info.Mode.IsRegular() && info.ModTime.Before(limit) && info.ChangeTime.Before(limit) {
			tmp.Remove(name)
		}
	}
}

// sweepIsDue reports whether it is time, and notes that it is done.
func (s *Store) sweepIsDue(root string, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if last, ok := s.swept[root]; ok && now.Sub(last) < sweepEvery {
		return false
	}
	if s.swept == nil {
		s.swept = map[string]time.Time{}
	}
	makeRoom(s.swept)
	s.swept[root] = now
	return true
}

// looksTemporary reports whether a name is one that deliveries make:
// SECONDS.UNIQUE.HOST.
func looksTemporary(name string) bool {
	seconds := digits(name)
	unique, host, _ := strings.Cut(strings.TrimPrefix(name[len(seconds):], "."), ".")
	return seconds != "" && unique != "" && host != "" && name[len(seconds)] == '.'
}
