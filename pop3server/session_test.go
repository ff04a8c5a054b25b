package pop3server_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"postfach/maildrop"
	"postfach/pop3"
	"postfach/pop3server"
)

// three is the maildrop BOX3 of the requirements catalogue, nearly.
func three() *drop {
	return newDrop(
		"From: a@example.com\r\nSubject: dots\r\n\r\n.\r\n..two\r\nlast\r\n",
		"Subject: two\r\n\r\nbody\r\n",
		"Subject: three\r\n\r\nbody\r\n",
	)
}

func TestDeletionLeavesAGapAndQuitRemoves(t *testing.T) {
	d := three()
	srv, log := newServer(d)
	c := connect(t, srv)
	c.talk(login + `
		C: STAT
		S: +OK 3 100
		C: DELE 2
		S: +OK message 2 deleted
		C: DELE 2
		S: -ERR message 2 is deleted
		C: LIST
		S: +OK scan listing follows
		S: 1 54
		S: 3 24
		S: .
		C: UIDL
		S: +OK unique-id listing follows
		S: 1 id1
		S: 3 id3
		S: .
		C: STAT
		S: +OK 2 78
		C: RETR 1
		S: +OK 54 octets
		S: From: a@example.com
		S: Subject: dots
		S:
		S: ..
		S: ...two
		S: last
		S: .
		C: QUIT
		S: +OK POP3 server signing off
		(close)
	`)
	<-c.done
	if len(d.messages) != 2 || d.octets["id2"] != "" {
		t.Errorf("messages after QUIT: %v", d.messages)
	}
	if s := log.String(); !strings.Contains(s, "reason=quit") || !strings.Contains(s, "deleted=1") {
		t.Errorf("log does not tell the story:\n%s", s)
	}
}

// P3-ST-03: whatever ends a session, only QUIT removes.
func TestHangupDeletesNothing(t *testing.T) {
	for _, end := range []struct{ name, last string }{
		{"drop", ""}, {"quit without line end", "QUIT"}, {"quit with argument", "QUIT now\r\n"},
	} {
		t.Run(end.name, func(t *testing.T) {
			d := three()
			d.update = func([]pop3.UniqueID) error { t.Error("Update called"); return nil }
			srv, _ := newServer(d)
			c := connect(t, srv)
			c.talk(login + "C: DELE 1\nS: +OK ...")
			if end.last != "" {
				c.send(end.last)
			}
			c.conn.Close()
			<-c.done
			if d.locked {
				t.Error("the lock outlived its session")
			}
		})
	}
}

// P3-UPD-02, P3-UPD-04.
func TestQuitTellsTheTruth(t *testing.T) {
	for _, test := range []struct {
		err  error
		want string
	}{
		{&maildrop.UpdateError{Remaining: []pop3.UniqueID{"id2"}, Err: io.ErrClosedPipe}, "-ERR [SYS/TEMP] 1 deleted messages not removed"},
		{errors.New("disk on fire"), "-ERR [SYS/TEMP] 2 deleted messages not removed"},
	} {
		d := three()
		d.update = func(ids []pop3.UniqueID) error {
			if len(ids) != 2 || ids[0] != "id1" || ids[1] != "id2" {
				t.Errorf("Update(%v)", ids)
			}
			return test.err
		}
		srv, log := newServer(d)
		c := connect(t, srv)
		c.talk(login + "C: DELE 1\nS: +OK ...\nC: DELE 2\nS: +OK ...\nC: QUIT\nS: " + test.want + "\n(close)")
		<-c.done
		if d.locked || !strings.Contains(log.String(), test.err.Error()) {
			t.Errorf("locked %v, log:\n%s", d.locked, log)
		}
	}
}

// P3-MLT-08: a body that cannot be read whole never ends in ".".
func TestBrokenBodyIsCutOff(t *testing.T) {
	for name, content := range map[string]func() io.Reader{
		"read error": func() io.Reader {
			return io.MultiReader(strings.NewReader("Subject: x\r\n"), iotest.ErrReader(io.ErrNoProgress))
		},
		"shorter": func() io.Reader { return strings.NewReader("Subject: x\r\n\r\nbo\r\n") },
		"longer":  func() io.Reader { return strings.NewReader("Subject: two\r\n\r\nbody\r\nmore\r\n") },
		"empty":   func() io.Reader { return strings.NewReader("") },
		"change at end": func() io.Reader {
			return io.MultiReader(strings.NewReader("Subject: two\r\n\r\nbody\r\n"), iotest.ErrReader(maildrop.ErrChanged))
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := three()
			d.content = func(pop3.UniqueID) (io.ReadCloser, error) { return io.NopCloser(content()), nil }
			srv, log := newServer(d)
			c := connect(t, srv)
			c.talk(login)
			c.send("DELE 1\r\nRETR 2\r\nQUIT\r\n")
			got, err := io.ReadAll(c.r)
			if err != nil || bytes.Contains(got, []byte("\r\n.\r\n")) || !bytes.Contains(got, []byte("+OK message 1")) {
				t.Errorf("got %q, %v", got, err)
			}
			<-c.done
			if len(d.messages) != 3 || !strings.Contains(log.String(), "reply cut off") {
				t.Errorf("%d messages, log:\n%s", len(d.messages), log)
			}
		})
	}
}

// P3-LCK-08: one message that is gone or unreadable is one -ERR.
func TestBadMessageDoesNotBlockTheOthers(t *testing.T) {
	d := three()
	d.content = func(id pop3.UniqueID) (io.ReadCloser, error) {
		switch id {
		case "id1":
			return nil, maildrop.ErrGone
		case "id2":
			return nil, errors.New("input/output error")
		}
		return io.NopCloser(strings.NewReader(d.octets[id])), nil
	}
	srv, _ := newServer(d)
	connect(t, srv).talk(login + `
		C: RETR 1
		S: -ERR another program has removed message 1
		C: TOP 2 0
		S: -ERR [SYS/TEMP] message 2 cannot be read
		C: TOP 3 0
		S: +OK top of message follows
		S: Subject: three
		S:
		S: .
		C: QUIT
		S: +OK POP3 server signing off
	`)
}

func TestRefusals(t *testing.T) {
	d := three()
	srv, log := newServer(d)
	srv.Limits.FailureDelay = time.Nanosecond
	c := connect(t, srv)
	c.talk(`
		S: +OK POP3 server ready
		C: STAT
		S: -ERR not in this state of the session
		C: PASS p w
		S: -ERR send USER first
		C: USER u
		S: +OK send PASS
		C: NOOP
		S: -ERR not in this state of the session
		C: PASS p w
		S: -ERR send USER first
		C: USER homeless
		S: +OK send PASS
		C: CAPA
		S: +OK Capability list follows
		S: TOP
		S: UIDL
		S: USER
		S: SASL PLAIN
		S: UTF8 USER
		S: LANG
		S: RESP-CODES
		S: AUTH-RESP-CODE
		S: PIPELINING
		S: EXPIRE NEVER
		S: .
		C: PASS p w
		S: -ERR [SYS/PERM] this account has no maildrop
		C: USER broken
		S: +OK send PASS
		C: PASS x
		S: -ERR [SYS/TEMP] internal error, try again later
		C: LANG de
		S: +OK de Antworten sind jetzt deutsch
		C: USER nosuch
		S: +OK weiter mit PASS
		C: PASS p w
		S: -ERR [AUTH] Anmeldung fehlgeschlagen
		C: LANG xx
		S: -ERR keine solche Sprache
		C: LAST
		S: -ERR nicht in diesem Zustand der Sitzung
		C: APOP u 0123
		S: -ERR hier nicht verfügbar
		C: AUTH PLAIN =
		S: -ERR [AUTH] fehlerhafte Anmeldedaten
		C: QUIT
		S: +OK POP3-Server meldet sich ab
		(close)
	`)
	<-c.done
	if s := log.String(); !strings.Contains(s, "secret detail") || !strings.Contains(s, "name=nosuch") || strings.Contains(s, "p w") {
		t.Errorf("log:\n%s", s)
	}
}

// P3-LCK-09: the lock is no news for those who do not know the password.
func TestSecondSessionHearsInUse(t *testing.T) {
	d := three()
	srv, _ := newServer(d)
	srv.Limits.FailureDelay = time.Nanosecond
	first, second := connect(t, srv), connect(t, srv)
	first.talk(login)
	second.talk(`
		S: +OK POP3 server ready
		C: USER u
		S: +OK send PASS
		C: PASS wrong
		S: -ERR [AUTH] login failed
		C: USER u
		S: +OK send PASS
		C: PASS p w
		S: -ERR [IN-USE] another session has this maildrop
	`)
	first.talk("C: NOOP\nS: +OK nothing done\nC: QUIT\nS: +OK ...\n(close)")
	second.talk("C: USER u\nS: +OK ...\nC: PASS p w\nS: +OK ...")
}

func TestGreetingHasATimestampOnlyIfAPOPWorks(t *testing.T) {
	d, source := three(), &secrets{}
	srv, _ := newServer(d)
	srv.APOP, srv.Hostname, srv.Greeting = source, "mail.example.com", "POP3-Server Netzprisma"
	c := connect(t, srv)
	line, err := c.r.ReadString('\n')
	stamp, ok := pop3.Timestamp(line)
	if err != nil || !ok || !strings.HasPrefix(line, "+OK POP3-Server Netzprisma <") || !strings.HasSuffix(stamp, "@mail.example.com>") {
		t.Fatalf("greeting %q, %v", line, err)
	}
	c.talk("C: APOP u " + strings.ToUpper(pop3.APOPDigest(stamp, "tanstaaf")) + "\nS: +OK maildrop has 3 messages (100 octets)")
	source.off = true
	connect(t, srv).talk("S: +OK POP3-Server Netzprisma\nC: APOP u 00112233445566778899aabbccddeeff\nS: -ERR not available here")
}

// P3-GRT-04.
func TestTimestampsNeverRepeat(t *testing.T) {
	srv, _ := newServer(three())
	srv.APOP = &secrets{}
	seen := map[string]bool{}
	for range 200 {
		c := connect(t, srv)
		line, _ := c.r.ReadString('\n')
		stamp, ok := pop3.Timestamp(line)
		if !ok || seen[stamp] {
			t.Fatalf("greeting %q", line)
		}
		seen[stamp] = true
		c.conn.Close()
	}
}

func TestPasswordsInClearAreRefused(t *testing.T) {
	srv, _ := newServer(three())
	srv.AllowCleartext = false // and a pipe is no loopback address
	connect(t, srv).talk(`
		S: +OK POP3 server ready
		C: CAPA
		S: +OK Capability list follows
		S: TOP
		S: UIDL
		S: UTF8 USER
		S: LANG
		S: RESP-CODES
		S: AUTH-RESP-CODE
		S: PIPELINING
		S: EXPIRE NEVER
		S: .
		C: USER u
		S: -ERR no passwords without TLS, and there is none here
		C: AUTH PLAIN AHUAcCB3
		S: -ERR no passwords without TLS, and there is none here
	`)
}

// P3-PIPE-01, P3-PIPE-05: one segment, replies in order, in few writes.
func TestPipelinedCommandsAreAnsweredInOneWrite(t *testing.T) {
	srv, _ := newServer(three())
	c := connect(t, srv)
	c.talk("S: +OK POP3 server ready")
	c.send("USER u\r\nPASS p w\r\nSTAT\r\nLIST 1\r\nQUIT\r\nNOOP\r\n")
	buf := make([]byte, 4096)
	n, err := c.conn.Read(buf)
	const want = "+OK send PASS\r\n+OK maildrop has 3 messages (100 octets)\r\n+OK 3 100\r\n+OK 1 54\r\n+OK POP3 server signing off\r\n"
	if got := string(buf[:n]); err != nil || got != want {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestTooManyBadCommandsEndTheSession(t *testing.T) {
	d := three()
	srv, _ := newServer(d)
	c := connect(t, srv)
	c.talk(login + "C: DELE 1\nS: +OK ...")
	for range 20 {
		c.talk("C: XYZZ\nS: -ERR unknown command")
	}
	c.talk("(close)")
	if len(d.messages) != 3 {
		t.Error("a message was removed")
	}
}

func TestThirdWrongPasswordEndsTheConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, _ := newServer(three())
		c := connect(t, srv)
		c.talk("S: +OK POP3 server ready")
		begun := time.Now()
		for range 3 {
			c.talk("C: USER u\nS: +OK send PASS\nC: PASS x\nS: -ERR [AUTH] login failed")
		}
		c.talk("(close)")
		if took := time.Since(begun); took != 6*time.Second {
			t.Errorf("three guesses took %v", took)
		}
	})
}

// AMB-05: dripping octets do not move the login deadline.
func TestLoginDeadlineIsAbsolute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, log := newServer(three())
		c := connect(t, srv)
		c.talk("S: +OK POP3 server ready")
		begun := time.Now()
		for {
			<-time.After(7 * time.Second)
			if _, err := io.WriteString(c.conn, "C"); err != nil {
				break
			}
		}
		<-c.done
		if took := time.Since(begun); took != 63*time.Second || !strings.Contains(log.String(), "login deadline") {
			t.Errorf("after %v, log:\n%s", took, log)
		}
	})
}

// P3-ST-04, P3-ST-05, P3-ST-06, P3-ST-03.
func TestAutoLogoutIsSilentAfterTenMinutes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := three()
		srv, log := newServer(d)
		srv.Limits.Idle = time.Second // is raised
		c := connect(t, srv)
		c.talk(login + "C: DELE 1\nS: +OK ...")
		for range 3 {
			<-time.After(599 * time.Second)
			c.talk("C: NOOP\nS: +OK nothing done")
		}
		begun := time.Now()
		c.talk("(close)")
		if took := time.Since(begun); took != 10*time.Minute || len(d.messages) != 3 {
			t.Errorf("after %v, %d messages, log:\n%s", took, len(d.messages), log)
		}
	})
}

// AMB-30: a slow reader is not idle, a dead one is.
func TestWriteDeadlineIsPerPiece(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDrop("Subject: long\r\n\r\n" + strings.Repeat(strings.Repeat("x", 70)+"\r\n", 4000))
		srv, log := newServer(d)
		c := connect(t, srv)
		c.talk(login)
		c.send("RETR 1\r\n")
		for range 10 { // 40 minutes in all
			<-time.After(4 * time.Minute)
			if _, err := io.CopyN(io.Discard, c.conn, 16<<10); err != nil {
				t.Fatal(err)
			}
		}
		<-time.After(6 * time.Minute)
		<-c.done
		if !strings.Contains(log.String(), "session ended") {
			t.Errorf("log:\n%s", log)
		}
	})
}

// P3-ST-15: running replies end, no further command is obeyed.
func TestShutdownDeletesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDrop("Subject: long\r\n\r\n"+strings.Repeat("x\r\n", 100_000), "Subject: two\r\n\r\n") // more than one piece
		srv, log := newServer(d)
		c := connect(t, srv)
		c.talk(login)
		c.send("DELE 2\r\nRETR 1\r\nQUIT\r\n")
		synctest.Wait() // the long reply waits for its reader
		stopped := make(chan error, 1)
		go func() { stopped <- srv.Shutdown(t.Context()) }()
		synctest.Wait()
		got, err := io.ReadAll(c.r)
		if err != nil || !bytes.HasSuffix(got, []byte("x\r\n.\r\n")) || bytes.Count(got, []byte("+OK")) != 2 {
			t.Errorf("got %d octets, %v", len(got), err)
		}
		if err := <-stopped; err != nil {
			t.Error(err)
		}
		if err := srv.ServeConn(nopConn()); !errors.Is(err, pop3server.ErrServerClosed) {
			t.Errorf("after Shutdown: %v", err)
		}
		if len(d.messages) != 2 || !strings.Contains(log.String(), "reason=shutdown") {
			t.Errorf("%d messages, log:\n%s", len(d.messages), log)
		}
	})
}

func TestShutdownEndsWaitingSessionsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := three()
		srv, _ := newServer(d)
		c := connect(t, srv)
		c.talk(login + "C: DELE 1\nS: +OK ...")
		if err := srv.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		c.talk("(close)")
		if len(d.messages) != 3 || d.locked {
			t.Errorf("%d messages, locked %v", len(d.messages), d.locked)
		}
	})
}

// A peer that does not read cannot hold up the shutdown for ever.
func TestShutdownCutsOffWhenItsTimeIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, _ := newServer(newDrop("Subject: long\r\n\r\n" + strings.Repeat("x\r\n", 40000)))
		c := connect(t, srv)
		c.talk(login)
		c.send("RETR 1\r\n")
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		begun := time.Now()
		if err := srv.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(begun) != 5*time.Second {
			t.Errorf("%v after %v", err, time.Since(begun))
		}
	})
}

func TestPanicCostsOneSession(t *testing.T) {
	d := three()
	d.update = func([]pop3.UniqueID) error { panic("a bug") }
	srv, log := newServer(d)
	first, second := connect(t, srv), connect(t, srv)
	second.talk("S: +OK POP3 server ready")
	first.talk(login + "C: DELE 1\nS: +OK ...\nC: QUIT\n(close)")
	<-first.done
	d.update = nil
	second.talk(strings.Replace(login, "S: +OK POP3 server ready", "", 1) + "C: STAT\nS: +OK 3 100\nC: QUIT\nS: +OK ...\n(close)")
	if !strings.Contains(log.String(), "a bug") {
		t.Errorf("log:\n%s", log)
	}
}

func TestOneConnectionTooManyIsToldSo(t *testing.T) {
	srv, _ := newServer(three())
	srv.Limits.Connections = 1
	connect(t, srv).talk(login)
	connect(t, srv).talk("S: -ERR [SYS/TEMP] too many connections, try again later\n(close)")
}

func TestLastCountsWithinTheSession(t *testing.T) {
	srv, _ := newServer(three())
	srv.Last, srv.AnnounceHistoric = true, true
	connect(t, srv).talk(login + `
		C: LAST
		S: +OK 0
		C: RETR 2
		S: +OK ...
		S: Subject: two
		S:
		S: body
		S: .
		C: TOP 3 0
		S: +OK ...
		S: Subject: three
		S:
		S: .
		C: LAST
		S: +OK 2
		C: DELE 2
		S: +OK ...
		C: LAST
		S: +OK 2
		C: RSET
		S: +OK ...
		C: LAST
		S: +OK 0
	`)
}

// Promise 20: a maildrop that takes long to open does not hold up the end.
func TestShutdownDoesNotWaitForALogin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, _ := newServer(three())
		srv.Store = slow{}
		c := connect(t, srv)
		c.talk("S: +OK ...\nC: USER u\nS: +OK ...\nC: PASS p w")
		synctest.Wait()
		stopped := make(chan error, 1)
		go func() { stopped <- srv.Shutdown(t.Context()) }()
		c.talk("S: -ERR [SYS/TEMP] ...\n(close)")
		if err := <-stopped; err != nil {
			t.Error(err)
		}
	})
}

// A slow store opens nothing until it is told to stop.
type slow struct{}

func (slow) Open(ctx context.Context, _ string) (maildrop.Maildrop, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// P3-PIPE-08: what follows QUIT does not take its reply away.
func TestReplyToQuitArrivesWhateverFollowsIt(t *testing.T) {
	srv, _ := newServer(three())
	c := connectTCP(t, srv)
	c.send("QUIT\r\n" + strings.Repeat("NOOP\r\n", 5000))
	got, err := io.ReadAll(c.r)
	if err != nil || string(got) != "+OK POP3 server ready\r\n+OK POP3 server signing off\r\n" {
		t.Errorf("got %q, %v", got, err)
	}
}

// P3-PIPE-08, P3-UPD-04: nor does what the client says while messages are removed, and which
// nobody reads.
func TestReplyToQuitArrivesWhateverIsUnread(t *testing.T) {
	d := three()
	removing, said := make(chan bool), make(chan bool)
	d.update = func([]pop3.UniqueID) error {
		removing <- true
		<-said
		return nil
	}
	srv, _ := newServer(d)
	c := connectTCP(t, srv)
	c.talk(login + "C: DELE 1\nS: +OK ...")
	c.send("QUIT\r\n")
	<-removing
	c.send("NOOP\r\n")
	said <- true
	c.talk("S: +OK POP3 server signing off")
}

func TestGiganticNameIsCutInTheLog(t *testing.T) {
	srv, log := newServer(three())
	srv.Limits.FailureDelay = time.Nanosecond
	c := connect(t, srv)
	c.talk("S: +OK ...\nC: USER " + strings.Repeat("x", 1900) + "\nS: +OK ...\nC: PASS y\nS: -ERR [AUTH] ...")
	if strings.Contains(log.String(), strings.Repeat("x", 100)) {
		t.Error("the whole name is in the log")
	}
}

// A long line is for SASL only.
func TestOnlyAuthLinesMayBeLong(t *testing.T) {
	srv, _ := newServer(three())
	c := connect(t, srv)
	c.talk("S: +OK ...\nC: USER " + strings.Repeat("x", 3000) + "\nS: -ERR line too long")
	c.talk("C: auth " + strings.Repeat("x", 3000) + "\nS: -ERR mechanism not available")
}
