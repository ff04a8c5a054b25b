//go:build !linux

package bench

import (
	"errors"
	"testing"
)

func pidIfKnown() int { return 0 }

func TestNoProcessesHere(t *testing.T) {
	if _, err := ReadUsage(1); !errors.Is(err, ErrNoProcesses) {
		t.Error(err)
	}
}
