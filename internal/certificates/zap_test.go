package certificates

import (
	"errors"
	"strings"
	"testing"

	"go.uber.org/zap"
)

// What other machines say must not fill the log.
func TestLogOfACMEIsBounded(t *testing.T) {
	j, log := newJournal()
	magic := zapTo(log).Named("obtain").With(zap.String("issuer", "x"))
	magic.Debug("details")
	magic.Info("went well", zap.Strings("names", []string{"a", "b"}))
	magic.Error("went wrong", zap.Error(errors.New(strings.Repeat("long ", 1000))), zap.Int("attempt", 3))
	lines := strings.Split(strings.TrimSpace(j.String()), "\n")
	if len(lines) != 2 || !strings.Contains(lines[0], "level=DEBUG") || !strings.Contains(lines[0], `names="[a b]"`) ||
		!strings.Contains(lines[1], "level=WARN") || !strings.Contains(lines[1], "attempt=3") || !strings.Contains(lines[1], "issuer=x") || len(lines[1]) > 1000 {
		t.Errorf("%d lines:\n%s", len(lines), j)
	}
	for _, part := range []string{"HTTP request failed; retrying", "challenge failed", "could not get certificate from issuer"} {
		magic.Error(part) // one try, one line
	}
	magic.Error("will retry", zap.Error(errors.New("x509: certificate signed by unknown authority")))
	if text := j.String(); strings.Count(text, "level=WARN") != 2 || !strings.Contains(text, `hint="tls.acme.ca`) {
		t.Errorf("%s", text)
	}
	for range 10_000 {
		magic.Error("again and again")
	}
	if n := strings.Count(j.String(), "\n"); n > 100 {
		t.Errorf("%d lines", n)
	}
}
