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
// back, and only then says how it went (P3-UPD-01, P3-UPD-04, P3-UPD-05). It
// is the only caller of Maildrop.Update.
func (s *session) update(ctx context.Context) error {
	s.state = pop3.Update
	marked := s.box.marked()
	var err error
	if len(marked) > 0 {
		// A shutdown does not stop a removal that the client has asked for.
		err = s.box.drop.Update(context.WithoutCancel(ctx), marked)
	}
	s.box.unlock()
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
	s.log.Error("deleted messages not removed", "remaining", remaining, "err", err)
	if err := s.refuse(&refusal{code: pop3.CodeSysTemp, text: textNotRemoved, args: []any{remaining}}); err != nil {
		return err
	}
	return &endError{endQuit, err}
}

// signOff says goodbye.
func (s *session) signOff(end error) error {
	text := cmp.Or(s.srv.SignOff, textBye.in(s.lang))
	if err := s.reply(popwire.Reply{OK: true, Text: text}); err != nil {
		return err
	}
	return end
}
