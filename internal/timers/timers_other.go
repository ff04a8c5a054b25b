//go:build !linux

package timers

import "time"

func late(time.Duration) (restore func()) { return func() {} }
