package pop3server

import (
	"cmp"
	"context"
	"errors"

	"postfach/internal/popwire"
	"postfach/maildrop"
	"postfach/pop3"
)

// update is the UPDATE state: it removes the marked messages, gives the lock
// back, and only then says how it went (P3-UPD-01, P3-UPD-04, P3-UPD-05).
func (s *session) update(ctx context.Context) error {
	s.state = pop3.Update
	marked := s.box.marked()
	err := s.remove(ctx, marked)
	if err == nil {
		s.box.removed = len(marked)
		return s.signOff(&endError{endQuit, nil})
	}
	remaining := len(marked) // any other error may mean that all are still there
	var partly *maildrop.UpdateError
	if errors.As(err, &partly) {
		remaining = len(partly.Remaining)
	}
	s.box.removed = len(marked) - remaining
	s.log().Error("deleted messages not removed", "remaining", remaining, "err", err)
	if err := s.refuse(&refusal{code: pop3.CodeSysTemp, text: textNotRemoved, args: []any{remaining}}); err != nil {
		return err
	}
	return &endError{endQuit, err}
}

// remove removes the marked messages and gives the lock back, in one turn. When the
// turn does not come, nothing is removed, and the end of the session unlocks
// (P3-UPD-02). It is the only caller of Maildrop.Update.
func (s *session) remove(ctx context.Context, marked []pop3.UniqueID) error {
	if len(marked) == 0 {
		s.unlock(unlockPatience)
		return nil
	}
	if err := s.enterStore(ctx, storePatience); err != nil {
		return err
	}
	defer s.leaveStore()
	defer s.box.unlock()
	s.box.closeContents()
	// A shutdown does not stop a removal that the client has asked for.
	return s.box.drop.Update(context.WithoutCancel(ctx), marked)
}

// signOff says goodbye.
func (s *session) signOff(end error) error {
	text := cmp.Or(s.srv.SignOff, textBye.in(s.lang))
	if err := s.reply(popwire.Reply{OK: true, Text: text}); err != nil {
		return err
	}
	return end
}
