package pop3server

import (
	"errors"
	"io"
	"net"
	"runtime/debug"
	"time"

	"postfach/internal/popwire"
	"postfach/pop3"
)

// main is a session's goroutine.
func (s *session) main() {
	begun := time.Now()
	var end error
	defer func() {
		if p := recover(); p != nil { // costs this session only
			s.log.Error("panic", "value", p, "stack", string(debug.Stack()))
			end = &endError{"panic", nil}
		}
		s.close(end)
		s.logEnd(end, time.Since(begun))
		s.srv.mu.Lock()
		delete(s.srv.sessions, s)
		s.srv.mu.Unlock()
		close(s.over)
	}()
	if s.refused {
		end = s.busy()
		return
	}
	end = s.serve(s.srv.serving)
}

// busy refuses a connection that is one too many (P3-GRT-13).
func (s *session) busy() error {
	if s.tls == nil { // a handshake is work that is not to be had for free now
		s.reply(popwire.Reply{Code: pop3.CodeSysTemp, Text: textTooMany.in(s.lang)})
	}
	return &endError{endBusy, nil}
}

// close sends what is pending and closes; after a cut, the connection is
// closed already.
func (s *session) close(end error) {
	if s.box != nil {
		s.box.unlock()
	}
	s.w.Flush()
	if s.tls != nil && s.tls.ConnectionState().HandshakeComplete {
		s.raw.SetWriteDeadline(time.Now().Add(time.Second))
		s.tls.CloseWrite() // close_notify (P3-TLS-17)
	}
	if s.r.Buffered() > 0 {
		s.linger()
	}
	s.raw.Close()
}

// linger lets a client that said more than it should read the last reply: to
// close while octets are unread would take the reply back from it.
func (s *session) linger() {
	tcp, ok := s.raw.(*net.TCPConn)
	if !ok || tcp.CloseWrite() != nil {
		return
	}
	tcp.SetReadDeadline(time.Now().Add(time.Second))
	io.CopyN(io.Discard, tcp, 1<<20)
}

// logEnd tells the session's story in one line.
func (s *session) logEnd(end error, took time.Duration) {
	values := []any{"reason", reason(end), "retrieved", s.sent, "took", took.Round(time.Millisecond)}
	if s.box != nil {
		marked := 0
		for _, m := range s.box.mark {
			if m {
				marked++
			}
		}
		values = append(values, "messages", len(s.box.messages), "marked", marked, "deleted", s.box.removed)
	}
	var over *endError
	if errors.As(end, &over) && over.err != nil {
		values = append(values, "err", over.err)
	}
	s.log.Info("session ended", values...)
}

func reason(end error) string {
	var over *endError
	if errors.As(end, &over) {
		return over.reason
	}
	return "error"
}

// addressOf is the peer's address without its port, for the log.
func addressOf(a net.Addr) string {
	if host, _, err := net.SplitHostPort(a.String()); err == nil {
		return host
	}
	return a.String()
}
