//go:build !linux

package sockets

import "time"

// monotonic is a clock that only systemd asks for.
func monotonic() time.Duration { return 0 }
