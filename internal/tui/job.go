package tui

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	tea "charm.land/bubbletea/v2"
)

// A job is work that waits for the network or the disk. It runs beside the
// screen, one at a time, and esc stops it.
type job struct {
	what   shown
	cancel context.CancelFunc
	began  time.Time
	// stopping: esc was pressed.
	stopping bool
	// done and of say how far it is; of is 0 where nobody knows.
	done atomic.Int64
	of   int64
}

// A then is what happens on the screen when a job has ended. It may ask whether a
// person stopped the job meanwhile; the job's ctx is done by then in any case.
type then func(*app) tea.Cmd

// jobDone ends a job.
type jobDone struct {
	job  *job
	then then
}

// spin redraws while a job runs.
type spin struct{ job *job }

const spinEvery = 100 * time.Millisecond

// errStopped: a person stopped a job.
var errStopped = errors.New("stopped")

// stopped is err, or in short that a person stopped the work.
func stopped(err error) error {
	if errors.Is(err, context.Canceled) {
		return errStopped
	}
	return err
}

// start runs work beside the screen. What work returns runs on the screen, also
// when the job was stopped.
func (a *app) start(what shown, work func(ctx context.Context, j *job) then) tea.Cmd {
	if a.job != nil {
		a.tell(warning, "still "+a.job.what+" – esc stops it")
		return nil
	}
	ctx, cancel := context.WithCancel(a.ctx)
	j := &job{what: what, cancel: cancel, began: a.now()}
	a.job = j
	a.running.Add(1)
	return tea.Batch(func() tea.Msg {
		defer a.running.Done()
		defer cancel()
		return jobDone{j, work(ctx, j)}
	}, spinAgain(j))
}

func spinAgain(j *job) tea.Cmd {
	return tea.Tick(spinEvery, func(time.Time) tea.Msg { return spin{j} })
}

// stop asks the job to stop.
func (a *app) stop() {
	a.job.stopping = true
	a.job.cancel()
}

// whileWorking reports whether a key may be pressed while a job runs: one that
// only looks. What a job brings must not meet another screen, or another
// question, than it was asked for on.
func whileWorking(pressed string) bool {
	return slices.Contains(strings.Fields("up down pgup pgdown home end k j b f g G p [ ]"), pressed)
}

// row says what a job is doing.
func (j *job) row(now time.Time) row {
	const turning = `-\|/`
	if j.stopping {
		return text(warning, "stopping: "+j.what+"…")
	}
	elapsed := now.Sub(j.began)
	sign := shown(turning[int(elapsed/spinEvery)%len(turning)])
	r := row{{sign + " working (esc stops): " + j.what, strong}}
	if j.of > 0 {
		r = append(r, span{" " + count(j.done.Load()) + " of " + count(j.of), plain})
	}
	if elapsed >= 2*time.Second {
		r = append(r, span{" (" + left(elapsed) + ")", dim})
	}
	return r
}
