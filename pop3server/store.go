package pop3server

import (
	"context"
	"io"
	"math"
	"time"

	"postfach/maildrop"
	"postfach/pop3"
)

// How long a session waits for its turn in the Store.
const (
	storePatience  = 30 * time.Second // when somebody wants an answer
	unlockPatience = time.Second      // when it is about to end, or has all that it wanted
	noHurry        = math.MaxInt64    // when nobody waits any more
)

// enterStore waits so long for this session's turn: whatever the Store does for a
// session stands between enterStore and leaveStore. ctx ends the wait, and is not
// for the call.
func (s *session) enterStore(ctx context.Context, patience time.Duration) error {
	return s.srv.guard.calls.enter(ctx, s.srv.limits.StoreCalls, patience)
}

func (s *session) leaveStore() { s.srv.guard.calls.leave() }

// openMaildrop opens the maildrop of somebody who has logged in. While it waits for
// another session to end, it is not in the Store: else a few accounts with many
// sessions would be in everybody's way.
func (s *session) openMaildrop(user string) (maildrop.Maildrop, error) {
	ctx := s.loginContext()
	if err := s.enterStore(ctx, storePatience); err != nil {
		return nil, err
	}
	inside := true
	defer func() {
		if inside {
			s.leaveStore()
		}
	}()
	// A shutdown does not wait until a huge maildrop has been counted.
	return s.srv.open(maildrop.WithRest(s.srv.accepting, func(wait func() error) error {
		s.leaveStore()
		inside = false
		if err := wait(); err != nil {
			return err
		}
		err := s.enterStore(ctx, storePatience)
		inside = err == nil
		return err
	}), user)
}

// openContent opens a message. A shutdown does not wait for the turn: no reply has
// begun yet.
func (s *session) openContent(ctx context.Context, id pop3.UniqueID) (io.ReadCloser, error) {
	if err := s.enterStore(s.present, storePatience); err != nil {
		return nil, err
	}
	defer s.leaveStore()
	s.box.closeContents()
	s.box.reading = true
	content, err := s.box.drop.Content(ctx, id)
	if err != nil {
		return nil, err
	}
	s.content = turnedContent{s, ctx, content} // one at a time
	return &s.content, nil
}

// A turnedContent is a message whose every read waits for its turn: between two of
// them the client may take its time, and holds nobody up.
type turnedContent struct {
	s       *session
	ctx     context.Context // ends the reply
	content io.ReadCloser
}

func (c *turnedContent) Read(p []byte) (int, error) {
	if err := c.s.enterStore(c.ctx, storePatience); err != nil {
		return 0, err
	}
	defer c.s.leaveStore()
	return c.content.Read(p)
}

// CountedBy implements maildrop.Countable, where the Store's reader does.
func (c *turnedContent) CountedBy(counter maildrop.Counter) {
	if content, ok := c.content.(maildrop.Countable); ok {
		content.CountedBy(counter)
	}
}

// Close waits no long time for its turn: the reply may be whole but for its last
// octets. Without one, the message is closed with the session's next turn.
func (c *turnedContent) Close() error {
	if err := c.s.enterStore(context.Background(), unlockPatience); err != nil {
		c.s.box.unclosed = append(c.s.box.unclosed, c.content)
		return nil
	}
	defer c.s.leaveStore()
	return c.content.Close()
}

// pause tells the Store that this session may wait long for its client, when there is
// something to tell.
func (s *session) pause() {
	if !s.box.reading || s.enterStore(context.Background(), unlockPatience) != nil {
		return
	}
	defer s.leaveStore()
	s.box.pause()
}

// unlock gives the maildrop back, and waits so long for its turn: with
// unlockPatience before the client sees the end of the session (P3-LCK-05), with
// noHurry after it. It removes nothing.
func (s *session) unlock(patience time.Duration) {
	if s.box == nil || s.box.unlocked || s.enterStore(context.Background(), patience) != nil {
		return
	}
	defer s.leaveStore()
	s.box.unlock()
}
