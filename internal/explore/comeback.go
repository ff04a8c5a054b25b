package explore

import "time"

// Limits of coming back to a server.
const (
	firstPause   = time.Second
	longestPause = 30 * time.Second
	maxFailures  = 5 // then nobody comes back unasked

	maxReturns = 4 // unasked, in any returnTime: some servers lock out who does more
	returnTime = time.Minute
)

// A comeback is how the Explorer returns after a lost connection: at once when a
// person asks for something, and unasked while headers are to be read. The
// Explorer's mu guards it.
type comeback struct {
	wanted   bool // unasked
	earliest time.Time
	failures int
	err      error // the last one
	returns  []time.Time
}

// pause is how long to wait after the failures so far.
func (c *comeback) pause() time.Duration {
	pause := firstPause
	for range c.failures - 1 {
		pause = min(2*pause, longestPause)
	}
	return pause
}

func (c *comeback) failed(err error) {
	c.failures++
	c.err = err
	c.earliest = time.Now().Add(c.pause())
}

func (c *comeback) done() { c.wanted, c.failures, c.err = false, 0, nil }
func (c *comeback) stop() { c.wanted = false }

// soon returns the error of an attempt that is too recent for another one.
func (c *comeback) soon() error {
	if c.err != nil && time.Now().Before(c.earliest) {
		return c.err
	}
	return nil
}

// want asks for coming back unasked, not before the server's login delay is over.
func (c *comeback) want(delayOver time.Time) {
	now := time.Now()
	for len(c.returns) > 0 && now.Sub(c.returns[0]) >= returnTime {
		c.returns = c.returns[1:]
	}
	c.wanted, c.earliest = true, delayOver
	if len(c.returns) >= maxReturns {
		if t := c.returns[0].Add(returnTime); t.After(c.earliest) {
			c.earliest = t
		}
	}
}

func (c *comeback) tried() { c.returns = append(c.returns, time.Now()) }
