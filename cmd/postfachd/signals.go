package main

import (
	"os"
	"os/signal"
	"syscall"
)

// signals are those that the server obeys, each kind for itself: however many
// SIGHUPs come, none of them is in the way of the end.
type signals struct {
	hup chan os.Signal // several that wait are one
	end chan os.Signal // SIGTERM and SIGINT; the second ends the grace period
}

// hear begins to take them. stop ends that.
func hear() (s signals, stop func()) {
	s = signals{make(chan os.Signal, 1), make(chan os.Signal, 2)}
	signal.Notify(s.hup, syscall.SIGHUP)
	signal.Notify(s.end, syscall.SIGTERM, syscall.SIGINT)
	return s, func() {
		signal.Stop(s.hup)
		signal.Stop(s.end)
	}
}
