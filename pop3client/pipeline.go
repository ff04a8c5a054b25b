package pop3client

import (
	"context"
	"errors"
	"fmt"
	"os"

	"postfach/internal/popwire"
	"postfach/pop3"
)

// A pipeline sends one command for each number, ahead of the replies by a
// window, and takes the replies in order (P3-PIPE-02). Commands are written by
// another goroutine, so that a server that waits until its replies are read
// cannot block both ends (P3-PIPE-03).
type pipeline struct {
	c       *Client
	keyword string
	numbers []int
	multi   bool              // replies have a body
	more    []string          // arguments behind the number
	size    func(n int) int64 // what the reply to n is announced to have; nil: little

	window   int
	sent     int   // commands sent
	answered int   // replies read
	octets   int64 // announced for those on the way
	narrow   bool  // octets, not the count, ended the last fill

	out  chan []byte // to the writer; nil: written here
	done chan struct{}
}

// run calls answer for each number, with nil when the first line of its reply
// was +OK, until answer returns false or the connection ends. An error that is
// no *pop3.Error is the last.
func (p *pipeline) run(ctx context.Context, answer func(n int, err error) bool) {
	if len(p.numbers) == 0 {
		return
	}
	release, err := p.begin(ctx)
	if err != nil {
		answer(p.numbers[0], wrap(p.keyword, err))
		return
	}
	defer p.end(release)
	for _, n := range p.numbers {
		err := p.fill()
		if err == nil {
			_, err = p.reply(n)
		}
		more := answer(n, err)
		var no *pop3.Error
		if !more || err != nil && !errors.As(err, &no) {
			return
		}
	}
}

func (p *pipeline) begin(ctx context.Context) (release func(), err error) {
	for _, n := range p.numbers {
		if _, err := number(n); err != nil {
			return nil, err
		}
	}
	release, err = p.c.begin(ctx)
	if err != nil {
		return nil, err
	}
	p.c.busy = true
	p.window = 1
	if p.c.caps.Has(pop3.CapPipelining) { // P3-PIPE-04
		p.window = p.c.limits.Window
		// A batch has at least one command, so that there is always room.
		p.out = make(chan []byte, p.window)
		p.done = make(chan struct{})
		p.c.t.patient.Store(true)
		go p.write()
	}
	return release, nil
}

// write is the writer's goroutine. It ends when out is closed and no write
// waits any more; the transport sees to that.
func (p *pipeline) write() {
	defer close(p.done)
	var failed bool
	for batch := range p.out {
		if failed {
			continue
		}
		if _, err := p.c.conn.Write(batch); err != nil {
			failed = true
			// Other errors wait: replies that came before are still worth
			// reading, and behind them the reader finds out for itself.
			if errors.Is(err, os.ErrDeadlineExceeded) {
				p.c.t.abort(err)
			}
		}
	}
}

// fill sends more commands when few are on the way.
func (p *pipeline) fill() error {
	onWay := p.sent - p.answered
	enough := onWay > p.c.limits.LowWater
	if p.narrow {
		enough = p.octets > p.c.limits.WindowOctets/2
	}
	if onWay > 0 && (enough || p.window == 1) {
		return nil
	}
	var batch []byte
	p.narrow = false
	for ; p.sent < len(p.numbers) && p.sent-p.answered < p.window; p.sent++ {
		n := p.numbers[p.sent]
		size := p.announced(n)
		if p.sent > p.answered && p.octets+size > p.c.limits.WindowOctets {
			p.narrow = true
			break
		}
		num, err := number(n)
		if err == nil {
			args := append([]string{num}, p.more...)
			batch, err = appendCommand(batch, popwire.CommandFor(p.keyword, args...))
		}
		if err != nil {
			return wrap(p.keyword, err)
		}
		p.octets += size
	}
	if len(batch) == 0 {
		return nil
	}
	if p.out == nil {
		return wrap(p.keyword, p.c.write(batch))
	}
	p.c.traceCommands(batch)
	p.out <- batch
	return nil
}

// reply reads the first line of the reply that is due.
func (p *pipeline) reply(n int) (popwire.Reply, error) {
	if p.c.err != nil {
		return popwire.Reply{}, fmt.Errorf("%s %d: %w: %w", p.keyword, n, ErrClosed, p.c.err)
	}
	r, err := p.c.reply()
	p.answered++
	p.octets -= p.announced(n)
	if err != nil {
		err = fmt.Errorf("%s %d: %w", p.keyword, n, err)
	}
	return r, err
}

func (p *pipeline) announced(n int) int64 {
	if p.size == nil {
		return 0
	}
	return max(p.size(n), 0)
}

// end waits for the writer and gives the connection back. Replies that nobody
// asked for any more are read, up to a limit; then the connection is closed.
func (p *pipeline) end(release func()) {
	p.drain()
	if p.out != nil {
		p.c.t.patient.Store(false)
		close(p.out)
		<-p.done
	}
	p.c.busy = false
	p.c.end(release)
}

// drain reads the replies to commands that are already on the way.
func (p *pipeline) drain() {
	if p.c.err != nil {
		return
	}
	left := p.c.limits.Drain
	for _, n := range p.numbers[p.answered:p.sent] {
		if _, err := p.reply(n); err == nil && p.multi {
			left = p.c.open(n, nil).discard(left)
		}
		if p.c.err != nil {
			return
		}
	}
}
