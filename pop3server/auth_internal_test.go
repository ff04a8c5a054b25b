package pop3server

import (
	"bufio"
	"errors"
	"net"
	"testing"
	"time"

	"postfach/sasl"
)

// An endless mechanism always wants more.
type endless struct{ asked int }

func (e *endless) Next([]byte) (challenge []byte, done bool, err error) {
	e.asked++
	return nil, false, nil
}

// hasty says that it is done, and has asked nobody.
type hasty struct{}

func (hasty) Next([]byte) (challenge []byte, done bool, err error) { return nil, true, nil }

// converseWith lets a session talk to a client that always says the same.
func converseWith(t *testing.T, server sasl.Server) error {
	t.Helper()
	srv := new(Server)
	srv.start() // without a store: nobody gets that far
	ours, theirs := net.Pipe()
	s := &session{srv: srv, raw: theirs, conn: theirs, loginBy: time.Now().Add(time.Minute)}
	s.early = presence{server: srv.accepting, deadline: s.loginBy}
	s.present = &s.early
	defer s.early.end()
	s.newBuffers()
	talked := make(chan struct{})
	go func() {
		defer close(talked)
		for lines := bufio.NewScanner(ours); lines.Scan(); {
			if _, err := ours.Write([]byte("AAAA\r\n")); err != nil {
				return
			}
		}
	}()
	err := s.converse(&mechanism{name: "TEST", begin: func(*session, *exchange) sasl.Server { return server }}, nil)
	theirs.Close()
	<-talked
	return err
}

// An exchange comes to an end, whatever the mechanism does.
func TestExchangesAreBounded(t *testing.T) {
	e := new(endless)
	err := converseWith(t, e)
	var no *refusal
	if !errors.As(err, &no) || e.asked != maxSteps {
		t.Errorf("%v after %d steps", err, e.asked)
	}
}

func TestMechanismThatAsksNobodyLetsNobodyIn(t *testing.T) {
	if err := converseWith(t, hasty{}); err == nil || errors.Is(err, errNextState) {
		t.Errorf("%v", err)
	}
}
