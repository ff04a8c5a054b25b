package pop3server

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"slices"
	"strings"
	"time"

	"postfach/internal/popwire"
)

// values are what begins all lines about a session. A logger that has them costs as much
// as two lines, and most sessions have no more.
func (s *session) values() []any {
	values := append(make([]any, 0, 24), "session", s.id)
	if s.rip != "" {
		values = append(values, "rip", s.rip)
	}
	if s.user != "" {
		values = append(values, "user", s.user)
	}
	return values
}

// log returns a logger for lines about the session.
func (s *session) log() *slog.Logger { return s.srv.logger().With(s.values()...) }

// noLogin logs that somebody who may log in has not: that credentials were right is
// worth knowing when they are stolen ones.
func (s *session) noLogin(who Identity, how string, why error) {
	s.log().With("user", who.User).Info("right credentials, and no login", slices.Concat(who.values(how), s.tlsValues(), []any{"err", why})...)
}

// logEnd tells the session's story in one line.
func (s *session) logEnd(end error, took time.Duration) {
	values := append(s.values(), "reason", reason(end), "retrieved", s.sent, "took", took.Round(time.Millisecond))
	values = append(values, waitedValues(s.waited)...)
	if limit := s.srv.guard.evictedFor(s.place); limit != "" && reason(end) == endEvicted {
		values = append(values, "limit", limit)
		if times, news := s.srv.guard.evictions(); news {
			s.srv.logger().Warn("connections that had not logged in went for others", "limit", limit, "times", times)
		}
	}
	if s.box != nil {
		values = append(values, "messages", len(s.box.messages), "marked", s.box.gone.Count, "deleted", s.box.removed)
	}
	if over, ok := errors.AsType[*endError](end); ok && over.err != nil {
		values = append(values, "err", over.err)
	}
	level := slog.LevelInfo
	if namedEnd(end) != "" {
		level = slog.LevelWarn
	}
	s.srv.line(level, "session ended", values)
}

// line logs what happens in each session. slog's own methods also look for where
// in the program that is, which is always here.
func (s *Server) line(level slog.Level, text string, values []any) {
	h := s.logger().Handler()
	if ctx := context.Background(); h.Enabled(ctx, level) {
		r := slog.NewRecord(time.Now(), level, text, 0)
		r.Add(values...)
		h.Handle(ctx, r)
	}
}

func reason(end error) string {
	if named := namedEnd(end); named != "" {
		return named
	}
	var over *endError
	if errors.As(end, &over) {
		return over.reason
	}
	return "error"
}

// namedEnd is what the connection itself says of why it ended: an error with a
// method Reason, of what the listener puts between the network and POP3. Somebody
// has to mend that. Empty: it says nothing.
func namedEnd(end error) string {
	var named interface{ Reason() string }
	if errors.As(end, &named) {
		return named.Reason()
	}
	return ""
}

// values is what the log says of how somebody has logged in.
func (who Identity) values(how string) []any {
	if who.Credential == "" {
		return []any{"mechanism", how}
	}
	return []any{"mechanism", how, "credential", who.Credential}
}

// tlsValues is what the log says of the connection's protection (P3-TLS-21).
func (s *session) tlsValues() []any {
	c := s.peer().TLS
	if c == nil {
		return []any{"tls", "none"}
	}
	return []any{"tls", tls.VersionName(c.Version), "cipher", tls.CipherSuiteName(c.CipherSuite)}
}

// waitedValues is how long somebody had to wait for a turn, if at all.
func waitedValues(d time.Duration) []any {
	if d <= 0 {
		return nil
	}
	return []any{"waited", d}
}

// addressOf is the peer's address without port and zone, for the log.
func addressOf(a net.Addr) string {
	if ip := ipOf(a); ip.IsValid() {
		return ip.String()
	}
	if a == nil {
		return ""
	}
	return a.String()
}

// loggable is a client's text for the log, in which slog quotes all that is not
// plain, but for DEL.
func loggable(text string) string {
	return strings.ReplaceAll(popwire.Shorten([]byte(text)), "\x7f", "\ufffd")
}

// burst is how often trouble is logged: one that evictions end comes back with the
// next connection.
const burst = time.Minute

// due reports whether something was last told long ago, and notes that it is told
// now.
func due(last *time.Time) bool {
	now := time.Now()
	if !last.IsZero() && now.Sub(*last) < burst {
		return false
	}
	*last = now
	return true
}
