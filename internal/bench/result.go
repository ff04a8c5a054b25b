package bench

import (
	"fmt"
	"time"
)

// A Result is what a run measured. Its JSON keeps its form: fields may be added.
type Result struct {
	Version  int       `json:"version"` // of this form: 1
	Scenario string    `json:"scenario"`
	Settings Settings  `json:"settings"`
	Started  time.Time `json:"started"`
	// Seconds is how long the measured part took.
	Seconds float64 `json:"seconds"`
	// Unit is what an operation is: a session, a message, a listing.
	Unit       string `json:"unit"`
	Operations int64  `json:"operations"`
	Sessions   int64  `json:"sessions"`
	Messages   int64  `json:"messages,omitempty"` // fetched, listed or deleted
	// Resumed is how many of the sessions had a short TLS handshake.
	Resumed int64 `json:"resumed,omitempty"`
	// Octets are those of messages and their first lines, not byte-stuffed.
	Octets    int64 `json:"octets,omitempty"`
	Delivered int64 `json:"delivered,omitempty"`

	PerSecond PerSecond          `json:"per_second"`
	LatencyMS map[string]Latency `json:"latency_ms,omitempty"`
	Server    *ServerUsage       `json:"server,omitempty"` // with Load.PID
	Client    ClientUsage        `json:"client"`
	Intervals []Interval         `json:"intervals,omitempty"` // of soak
	Mistakes  Mistakes           `json:"mistakes"`
}

// Settings are those of a Load that make a difference.
type Settings struct {
	Security Security `json:"tls"`
	Resume   bool     `json:"resume,omitempty"`
	AtOnce   int      `json:"at_once"`
	Users    int      `json:"users"`
	Count    int      `json:"count,omitempty"`
	For      string   `json:"for,omitempty"`
	WarmUp   int      `json:"warm_up"`
	Window   int      `json:"window,omitempty"`
	Messages int      `json:"messages,omitempty"`
	Lines    int      `json:"lines,omitempty"`
	Rate     float64  `json:"rate,omitempty"`
	Size     int      `json:"size,omitempty"`
	Delete   bool     `json:"delete,omitempty"`
}

// PerSecond is how often something happened, by the clock.
type PerSecond struct {
	Operations float64 `json:"operations"`
	Sessions   float64 `json:"sessions"`
	Octets     float64 `json:"octets,omitempty"`
}

// ServerUsage is what the server's processes used while the run was measured.
type ServerUsage struct {
	PID       int `json:"pid"`
	Processes int `json:"processes"` // at the end of the run
	// CPUSeconds is user and system time of the process tree, in steps of 0.01.
	CPUSeconds        float64 `json:"cpu_seconds"`
	CPUUsPerOperation float64 `json:"cpu_us_per_operation"`
	CPUSecondsPerGB   float64 `json:"cpu_s_per_gb,omitempty"` // of 10^9 Octets, where operations are messages
	// MemoryMethod is "pss" (shared pages in parts) or "rss" (shared pages for each).
	MemoryMethod string `json:"memory_method"`
	MemoryBefore int64  `json:"memory_before"`
	MemoryPeak   int64  `json:"memory_peak"` // read once a second, and at the end
	MemoryAfter  int64  `json:"memory_after"`
	// MemoryPerSession is of idle: what sessions added, divided by their number.
	MemoryPerSession int64 `json:"memory_per_session,omitempty"`
}

// ClientUsage is what the program that measures used itself.
type ClientUsage struct {
	CPUSeconds        float64 `json:"cpu_seconds"`
	CPUUsPerOperation float64 `json:"cpu_us_per_operation"`
}

// An Interval is how a run went for a while.
type Interval struct {
	Seconds    float64 `json:"seconds"` // since the start, at its end
	Sessions   int     `json:"sessions"`
	Latency    Latency `json:"latency_ms"`
	Mistakes   int     `json:"mistakes"` // so far
	CPUSeconds float64 `json:"server_cpu_seconds,omitempty"`
	Memory     int64   `json:"server_memory,omitempty"`
}

// Err returns ErrMistakes if the server made some.
func (r *Result) Err() error {
	if n := r.Mistakes.Count; n > 0 {
		return fmt.Errorf("%w: %d", ErrMistakes, n)
	}
	return nil
}

// settings are what a Load was run with.
func (l *Load) settings() Settings {
	s := Settings{
		Security: l.Target.Security, Resume: l.Target.Resume, AtOnce: l.AtOnce, Users: l.Users, Count: l.Count, WarmUp: max(l.WarmUp, 0),
		Window: l.Window, Messages: l.Messages, Lines: l.Lines, Rate: l.Rate, Size: l.Size, Delete: l.Delete,
	}
	if l.For > 0 {
		s.For = l.For.String()
	}
	return s
}
