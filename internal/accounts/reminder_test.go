package accounts

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestReminderIsDueOnceAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := NewReminder()
		for _, step := range []struct {
			after time.Duration
			what  string
			due   bool
		}{
			{0, "a", true},
			{0, "a", false},
			{0, "b", true},
			{remindAfter - 1, "a", false},
			{1, "a", true},
			{0, "a", false},
			{0, "b", true},
		} {
			time.Sleep(step.after)
			if due := r.Due(step.what); due != step.due {
				t.Errorf("%s after %s: %t", step.what, step.after, due)
			}
		}
	})
}
