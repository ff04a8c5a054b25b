package lastlogin

import (
	"log/slog"
	"sync"
	"time"

	"postfach/internal/vfs"
)

// A Recorder writes logins down in a goroutine of its own, so that no login waits
// for a disk. Each credential is written once a minute at most; while the disk is
// slower than people log in, what comes is dropped. NewRecorder makes one.
type Recorder struct {
	dir string
	fs  vfs.FS
	log *slog.Logger

	queue chan note
	over  chan struct{} // closed when all is written after Close

	mu      sync.Mutex // guards what follows
	closed  bool
	written map[who]time.Time // when, for those of the last minute

	failing bool // the goroutine's: the last write failed, which is logged once
}

type who struct{ user, credential string }

type note struct {
	who
	login Login
}

const (
	// queued is how many logins wait to be written.
	queued = 1024
	// once is how often a credential is written at most.
	once = time.Minute
	// maxWritten bounds what the Recorder remembers of the last minute.
	maxWritten = 16 << 10
)

// NewRecorder starts a Recorder for a folder that exists. nil is the real file
// system. Whoever starts it closes it.
func NewRecorder(fsys vfs.FS, dir string, log *slog.Logger) *Recorder {
	if fsys == nil {
		fsys = vfs.OS{}
	}
	r := &Recorder{dir: dir, fs: fsys, log: log, queue: make(chan note, queued), over: make(chan struct{}), written: map[who]time.Time{}}
	go r.run()
	return r
}

// Note takes a login, or drops it. It never waits. A nil Recorder drops all.
func (r *Recorder) Note(user, credential string, l Login) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	n := note{who{user, credential}, l}
	if last, ok := r.written[n.who]; r.closed || ok && within(l.Time.Sub(last)) {
		return // the goroutine need not wake up for it
	}
	select {
	case r.queue <- n:
		r.remember(n)
	default:
	}
}

// Close writes what is waiting and ends the goroutine.
func (r *Recorder) Close() error {
	if r == nil {
		return nil
	}
	r.mu.Lock()
	if !r.closed {
		r.closed = true
		close(r.queue)
	}
	r.mu.Unlock()
	<-r.over
	return nil
}

func (r *Recorder) run() {
	defer close(r.over)
	for n := range r.queue {
		err := update(r.fs, r.dir, n.user, n.credential, n.login)
		if err != nil && !r.failing {
			r.log.Warn("the last login cannot be written down", "user", n.user, "err", err)
		}
		r.failing = err != nil
	}
}

// within reports whether a login is of the minute of another one. What seems to have
// been before that one is not: the clock was set back.
func within(since time.Duration) bool { return 0 <= since && since < once }

func (r *Recorder) remember(n note) {
	if len(r.written) >= maxWritten {
		for who, at := range r.written {
			if !within(n.login.Time.Sub(at)) {
				delete(r.written, who)
			}
		}
		if len(r.written) >= maxWritten {
			clear(r.written)
		}
	}
	r.written[n.who] = n.login.Time
}
