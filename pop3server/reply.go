package pop3server

import (
	"errors"
	"fmt"
	"io/fs"

	"postfach/internal/popwire"
	"postfach/maildrop"
	"postfach/pop3"
)

// A refusal is a negative reply of the server itself, in the session's
// language.
type refusal struct {
	code pop3.Code
	text text
	args []any
	bad  bool   // counts as a bad command
	ends string // ends the session, for this reason; empty: it goes on
}

func (r *refusal) Error() string { return r.text.in(english, r.args...) }

// An accountsError says that it is not known whether somebody may log in.
type accountsError struct {
	mechanism, name string
	err             error
}

func (e *accountsError) Error() string {
	return fmt.Sprintf("check %s of %q: %v", e.mechanism, popwire.Shorten([]byte(e.name)), e.err)
}

func (e *accountsError) Unwrap() error { return e.err }

// A maildropError says that somebody may log in and cannot.
type maildropError struct {
	user string
	err  error
}

func (e *maildropError) Error() string { return fmt.Sprintf("open maildrop %q: %v", e.user, e.err) }

func (e *maildropError) Unwrap() error { return e.err }

// refuse turns an error into the one negative reply that it deserves; every
// error that a client hears passes here.
func (s *session) refuse(err error) error {
	var own *refusal
	var said *pop3.Error
	var unasked *accountsError
	var unopened *maildropError
	reply := popwire.Reply{Code: pop3.CodeSysTemp, Text: textInternal.in(s.lang)} // the truth is for the operator
	switch {
	case errors.As(err, &own):
		reply.Code, reply.Text = own.code, own.text.in(s.lang, own.args...)
	case errors.As(err, &said):
		reply.Code, reply.Text = said.Code, said.Text
	case errors.Is(err, maildrop.ErrLocked): // P3-LCK-09
		reply.Code, reply.Text = pop3.CodeInUse, textInUse.in(s.lang)
	case errors.Is(err, ErrCredentials): // P3-CAPA-17
		reply.Code, reply.Text = pop3.CodeAuth, textLoginFailed.in(s.lang)
	case errors.Is(err, maildrop.ErrNoUser):
		s.log().Error("account without maildrop", "err", err)
		reply.Code, reply.Text = pop3.CodeSysPerm, textNoMaildrop.in(s.lang)
	case errors.As(err, &unasked):
		s.log().Error("accounts cannot be asked", "mechanism", unasked.mechanism, "name", loggable(unasked.name), "err", unasked.err)
	case errors.As(err, &unopened):
		s.log().Error("maildrop cannot be opened", "user", unopened.user, "err", unopened.err)
	default:
		s.log().Error("internal error", "err", err)
	}
	if err := s.reply(reply); err != nil {
		return err
	}
	if own != nil && own.bad {
		s.bad++
	}
	if own != nil && own.ends != "" {
		return &endError{own.ends, nil}
	}
	if s.bad >= s.srv.limits.BadCommands {
		return &endError{endBad, nil} // P3-ST-14
	}
	if s.failures >= s.srv.limits.FailedLogins {
		return &endError{endGuessing, nil}
	}
	return nil
}

// codeFor tells whether an error of the store is likely to pass (P3-RSP-07).
func codeFor(err error) pop3.Code {
	if errors.Is(err, fs.ErrPermission) {
		return pop3.CodeSysPerm
	}
	return pop3.CodeSysTemp
}
