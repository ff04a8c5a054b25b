package shell

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// goodbye bounds how long a server that has answered QUIT may take to close.
const goodbye = 5 * time.Second

// mostFarewell is how many lines are heard behind the answer to QUIT, where there
// should be none.
const mostFarewell = 10

// quit says what QUIT deletes before it is sent: from then on there is no way
// back.
func (s *session) quit(ctx context.Context, line string) error {
	if marked := s.talk.marked(); len(marked) > 0 {
		words := s.screen.words()
		text := fmt.Sprintf(words.quitDelete, s.list(marked))
		if len(marked) > 1 {
			text = fmt.Sprintf(words.quitDeletes, words.messages(len(marked)), s.list(marked))
		}
		s.screen.say(text, warning)
		if s.interactive {
			answer, err := s.read(ctx, prompt{text: words.quitAsk, question: true})
			if err != nil && !isCancel(err) {
				return err
			}
			if err != nil || !words.yes(strings.TrimSpace(answer)) {
				s.screen.say(words.quitNot, meaning)
				return nil
			}
		}
	}
	if err := s.command(ctx, line); err != nil {
		return err
	}
	// From here on the server may close. To what is no proper QUIT it says -ERR,
	// too, and goes on.
	s.quitting = !s.refused || strings.EqualFold(line, "QUIT")
	if s.refused {
		return nil
	}
	s.wire.raw.within(min(goodbye, s.o.Timeout))
	for range mostFarewell {
		s.ask()
		select {
		case a := <-s.arrivals:
			s.asked = false
			if len(a.octets) > 0 {
				s.trace(false, a.octets)
			}
			if a.err != nil { // whatever it is, the session is over
				s.screen.event(s.talk.closed(isTimeout(a.err)))
				return errStop
			}
			s.showServer(a.line)
		case <-ctx.Done():
			return s.hangup(errStop)
		}
	}
	return s.hangup(errStop)
}

// list names messages, with sizes where they are known.
func (s *session) list(numbers []int) string {
	const most = 50
	words := s.screen.words()
	var all []string
	for _, n := range numbers[:min(len(numbers), most)] {
		text := fmt.Sprint(n)
		if size, ok := s.talk.size(n); ok {
			text += fmt.Sprintf(" (%s)", words.octets(size))
		}
		all = append(all, text)
	}
	if len(numbers) > most {
		all = append(all, "…")
	}
	return strings.Join(all, ", ")
}
