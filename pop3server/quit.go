package pop3server

import "context"

// quit is QUIT in the AUTHORIZATION state: no UPDATE (P3-ST-02).
func (s *session) quit(context.Context, []string) error {
	return s.signOff(&endError{endQuit, nil})
}

// quitTransaction is QUIT in the TRANSACTION state. It does nothing: serve goes
// on to UPDATE.
func (s *session) quitTransaction(context.Context, []string) error { return errNextState }
