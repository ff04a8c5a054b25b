package bench

import (
	"time"
)

// A meter measures what a server and this program use between startMeter and finish.
type meter struct {
	pid          int
	started      time.Time
	ended        time.Time
	usage        Usage
	own          time.Duration
	before, peak Memory
	quit, done   chan struct{}
}

// startMeter begins to measure. pid 0: of the server nothing is read.
func startMeter(pid int) (m *meter, err error) {
	m = &meter{pid: pid, quit: make(chan struct{}), done: make(chan struct{})}
	if pid != 0 {
		if m.before, err = ReadMemory(pid); err != nil {
			return nil, err
		}
		if m.usage, err = ReadUsage(pid); err != nil {
			return nil, err
		}
		m.peak = m.before
	}
	m.own = ownCPU()
	m.started = time.Now()
	go m.watch()
	return m, nil
}

// watch looks at the memory once a second.
func (m *meter) watch() {
	defer close(m.done)
	if m.pid == 0 {
		return
	}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if now, err := ReadMemory(m.pid); err == nil && now.Octets > m.peak.Octets {
				m.peak = now
			}
		case <-m.quit:
			return
		}
	}
}

// stop ends the measured time.
func (m *meter) stop() {
	if m.ended.IsZero() {
		m.ended = time.Now()
		close(m.quit)
		<-m.done
	}
}

// finish stops, and writes what was measured into the result.
func (m *meter) finish(r *Result) error {
	m.stop()
	own := ownCPU() - m.own
	r.Seconds = m.ended.Sub(m.started).Seconds()
	r.Client = ClientUsage{CPUSeconds: own.Seconds(), CPUUsPerOperation: per(own.Seconds()*1e6, r.Operations)}
	r.PerSecond = PerSecond{
		Operations: float64(r.Operations) / r.Seconds, Sessions: float64(r.Sessions) / r.Seconds, Octets: float64(r.Octets) / r.Seconds,
	}
	if m.pid == 0 {
		return nil
	}
	u, err := ReadUsage(m.pid)
	if err != nil {
		return err
	}
	after, err := ReadMemory(m.pid)
	if err != nil {
		return err
	}
	used := (u.CPU - m.usage.CPU).Seconds()
	r.Server = &ServerUsage{
		PID: m.pid, Processes: u.Processes, CPUSeconds: used, CPUUsPerOperation: per(used*1e6, r.Operations),
		MemoryMethod: after.Method,
		MemoryBefore: m.before.Octets, MemoryPeak: max(m.peak.Octets, after.Octets), MemoryAfter: after.Octets,
	}
	if r.Unit == message {
		r.Server.CPUSecondsPerGB = per(used*1e9, r.Octets)
	}
	return nil
}

// per divides, and is 0 where there is nothing to divide by.
func per(sum float64, n int64) float64 {
	if n == 0 {
		return 0
	}
	return sum / float64(n)
}
