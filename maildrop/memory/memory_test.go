package memory_test

import (
	"testing"
	"time"

	"postfach/maildrop/maildroptest"
	"postfach/maildrop/memory"
)

func TestStore(t *testing.T) {
	maildroptest.Run(t, func(t *testing.T) maildroptest.Subject {
		s := memory.New()
		s.LockWait = time.Millisecond
		s.Create(maildroptest.User)
		return maildroptest.Subject{Store: s, Deliverer: s}
	})
}
