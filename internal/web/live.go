package web

import (
	"io"
	"time"
)

// pause is the least time between two events: a script that reads the page anew
// for each header would keep both ends busy.
const pause = 300 * time.Millisecond

// watch tells a script that something has changed, until it goes or the
// explorer ends (server-sent events). It does not count as looking.
func watch(v *visit) error {
	v.w.Header().Set("Content-Type", "text/event-stream")
	timer := time.NewTimer(pause)
	defer timer.Stop()
	for {
		changed := v.account.e.Changed() // before the event: what changes while it is sent is not missed
		if _, err := io.WriteString(v.w, "data: changed\n\n"); err != nil {
			return nil
		}
		if err := v.w.control.Flush(); err != nil {
			return nil
		}
		timer.Reset(pause)
		if !wait(v, timer.C) || !wait(v, changed) {
			return nil
		}
	}
}

// wait waits for c. false: the browser has gone, or the explorer ends.
func wait[T any](v *visit, c <-chan T) bool {
	select {
	case <-c:
		return true
	case <-v.r.Context().Done():
		return false
	case <-v.face.ending:
		return false
	}
}
