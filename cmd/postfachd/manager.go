package main

import (
	"fmt"
	"strings"
	"time"
)

// status is what systemctl status shows.
func (d *daemon) status() string {
	var where []string
	for _, s := range d.sockets {
		where = append(where, fmt.Sprintf("%s %s", s.protocol(), s.Addr()))
	}
	return "listening: " + strings.Join(where, ", ")
}

// newPulse ticks as often as a watchdog wants, or never for 0.
func newPulse(every time.Duration) *time.Ticker {
	if every > 0 {
		return time.NewTicker(every)
	}
	never := time.NewTicker(time.Hour)
	never.Stop()
	return never
}
