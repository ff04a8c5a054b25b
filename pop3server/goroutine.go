package pop3server

import (
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"time"

	"postfach/internal/popwire"
	"postfach/pop3"
)

// main is a session's goroutine, until it has settled. Whatever panics costs this session
// only, and what it held is given back all the same (P3-LCK-05).
func (s *session) main() {
	makeRoom()
	s.part(s.live)
}

// settledMain is the goroutine of a session that is logged in and waits for commands that
// do not come at once. Its stack is small: those of many such sessions are much of what
// they cost (promise 15).
func (s *session) settledMain() { s.part(func() error { return s.transact(s.srv.serving) }) }

// part is what a goroutine does of a session: the rest of it, unless it settles.
func (s *session) part(live func() error) {
	var end error = &endError{endPanic, nil} // of runtime.Goexit
	defer func() {
		if end == errSettled {
			s.srv.running.Go(s.settledMain)
			return
		}
		s.finish(s.evictedOr(end))
	}()
	end = s.shield(live)
}

// finish ends a session that is over.
func (s *session) finish(end error) {
	defer close(s.over)
	defer s.forget()
	defer s.shield(func() error { s.unlock(noHurry); return nil }) // should the store hang
	defer s.raw.Close()                                            // again, should close have panicked
	s.shield(func() error { s.close(); return nil })
	s.shield(func() error { s.logEnd(end, time.Since(s.begun)); return nil })
}

// live is a session from its address to its end.
func (s *session) live() error {
	s.raw.SetDeadline(s.loginBy)
	if s.srv.draining() { // as in readLine
		return &endError{endShutdown, nil}
	}
	from := s.raw.RemoteAddr() // may wait for a PROXY header, until the deadline
	s.rip = addressOf(from)
	s.network = networkOf(ipOf(from))
	if s.refused || !s.srv.guard.arrive(&s.srv.limits, s.place, ipOf(from)) {
		return s.busy()
	}
	return s.serve(s.srv.serving)
}

// shield calls f, and makes a panic in it an end of the session.
func (s *session) shield(f func() error) (end error) {
	defer func() {
		if p := recover(); p != nil {
			s.srv.guard.count(&s.srv.guard.stats.Panics)
			s.log().Error("panic", "value", p, "stack", string(debug.Stack()))
			end = &endError{endPanic, nil}
		}
	}()
	return f()
}

// apart calls f on a stack of its own, which is gone when f returns: what a handshake
// needs of it is not kept while somebody has not logged in (promise 15). A panic in f is
// one in the caller, and so is runtime.Goexit.
func apart(f func() error) (err error) {
	var panicked any = "the goroutine ended" // unless f returns
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			if p := recover(); p != nil {
				panicked = fmt.Sprintf("%v\n%s", p, debug.Stack())
			}
		}()
		makeRoom()
		err = f()
		panicked = nil
	}()
	<-done
	if panicked != nil {
		panic(panicked)
	}
	return err
}

// makeRoom lets the stack of a goroutine that has just begun grow at once to most of what a
// login needs. Go would double it step by step, and copy more each time.
//
//go:noinline
func makeRoom() {
	var room [stackRoom]byte
	runtime.KeepAlive(&room)
}

// stackRoom is more than half of 8 KiB: a connection that has not logged in may keep 64 KiB
// in all (promise 15).
const stackRoom = 5 << 10

// forget takes the session out of all books.
func (s *session) forget() {
	s.early.end()
	s.srv.guard.leave(s.place)
	s.srv.mu.Lock()
	delete(s.srv.sessions, s)
	s.srv.mu.Unlock()
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
func (s *session) close() {
	s.unlock(unlockPatience)
	s.r.Forget() // nobody needs it while the last reply waits for the client
	if c, ok := s.raw.(*timedConn); ok {
		c.cork() // the last reply goes out together with the end
	}
	s.w.Flush()
	if s.tls != nil && s.tls.ConnectionState().HandshakeComplete {
		s.tls.CloseWrite() // close_notify (P3-TLS-17); package tls gives it five seconds
	}
	// Close would drop what is corked if the client has said something that is unread.
	half, ok := s.raw.(interface{ CloseWrite() error }) // TCP, behind a proxy, too
	if ok && half.CloseWrite() == nil && s.r.Buffered() > 0 {
		s.linger()
	}
	s.raw.Close()
}

// linger lets a client that said more than it should read the last reply: to
// close while octets are unread would take the reply back from it.
func (s *session) linger() {
	s.raw.SetReadDeadline(time.Now().Add(time.Second))
	io.CopyN(io.Discard, s.raw, 1<<20)
}
