package certificates

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"golang.org/x/time/rate"
)

// zapTo is a logger for certmagic. What goes well is for debugging; the rest
// arrives as warnings: a bounded number of them, of bounded length, because they
// repeat what other machines say.
func zapTo(log *slog.Logger) *zap.Logger {
	return zap.New(&zapCore{log: log, budget: rate.NewLimiter(rate.Every(5*time.Second), 40)})
}

// A zapCore is a zapcore.Core that writes to a slog.Logger.
type zapCore struct {
	log    *slog.Logger
	budget *rate.Limiter
	fields []zapcore.Field
}

// Enabled implements zapcore.Core.
func (c *zapCore) Enabled(l zapcore.Level) bool {
	return l >= zapcore.InfoLevel && c.log.Enabled(context.Background(), slogLevel(l))
}

func slogLevel(l zapcore.Level) slog.Level {
	if l >= zapcore.WarnLevel {
		return slog.LevelWarn // the server goes on
	}
	return slog.LevelDebug
}

// saidAgain reports whether the line about the whole try, "will retry", says it again,
// with its error.
func saidAgain(message string) bool {
	switch message {
	case "HTTP request failed; retrying", "challenge failed", "validating authorization", "could not get certificate from issuer":
		return true
	}
	return false
}

// With implements zapcore.Core.
func (c *zapCore) With(fields []zapcore.Field) zapcore.Core {
	more := *c
	more.fields = append(slices.Clip(c.fields), fields...)
	return &more
}

// Check implements zapcore.Core.
func (c *zapCore) Check(e zapcore.Entry, ce *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if c.Enabled(e.Level) {
		return ce.AddCore(e, c)
	}
	return ce
}

// Write implements zapcore.Core.
func (c *zapCore) Write(e zapcore.Entry, fields []zapcore.Field) error {
	level := slogLevel(e.Level)
	if saidAgain(e.Message) {
		level = slog.LevelDebug
	}
	if !c.log.Enabled(context.Background(), level) || !c.budget.Allow() {
		return nil
	}
	values := []any{"part", e.LoggerName}
	advice := ""
	for _, f := range append(slices.Clip(c.fields), fields...) {
		value := zapValue(f)
		values = append(values, f.Key, value)
		if strings.Contains(value, "signed by unknown authority") {
			advice = "tls.acme.ca is for the root certificate of an ACME server of your own; for a public one, this machine lacks its list of authorities (ca-certificates)"
		}
	}
	if advice != "" {
		values = append(values, "hint", advice)
	}
	c.log.Log(context.Background(), level, "acme: "+short(e.Message), values...)
	return nil
}

// Sync implements zapcore.Core.
func (c *zapCore) Sync() error { return nil }

func zapValue(f zapcore.Field) string {
	if err, ok := f.Interface.(error); ok {
		return short(err.Error())
	}
	one := zapcore.NewMapObjectEncoder()
	f.AddTo(one)
	var texts []string
	for _, v := range one.Fields {
		texts = append(texts, fmt.Sprint(v))
	}
	slices.Sort(texts)
	return short(strings.Join(texts, " "))
}

// short is the beginning of a text.
func short(text string) string {
	const most = 400
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + " ..."
}
