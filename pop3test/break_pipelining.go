package pop3test

import "strings"

func pipeliningFaults() []Fault {
	return []Fault{
		{
			Name: "replies-out-of-order", Doc: "Of two commands in one segment the second one is answered first.", Rules: []string{"P3-PIPE-01"},
			Command: outOfOrder,
		},
		{
			Name: "rest-of-segment-thrown-away", Doc: "Commands that follow in the same segment are lost.", Rules: []string{"P3-PIPE-01"},
			Edit: func(e *Exchange) {
				if !e.Is("STLS") {
					e.throwAway()
				}
			},
		},
		{
			Name: "long-batch-stalls", Doc: "After fifty commands without a pause nothing is answered any more.", Rules: []string{"P3-PIPE-03"},
			Command: func(e *Exchange) bool {
				count, _ := e.Values["batch"].(int)
				if !e.pending() {
					count = -1
				}
				e.Values["batch"] = count + 1
				e.Stall = count >= 50
				return e.Stall
			},
		},
		{
			Name: "input-lost-at-login", Doc: "What follows PASS in the same segment is lost when the login succeeds.", Rules: []string{"P3-PIPE-05"},
			Edit: func(e *Exchange) {
				if (e.Is("PASS") || e.Is("APOP")) && strings.HasPrefix(e.Reply, "+OK") {
					e.throwAway()
				}
			},
		},
		{
			Name: "replies-after-quit", Doc: "Commands behind QUIT in the same segment are answered.", Rules: []string{"P3-PIPE-08"},
			Command: func(e *Exchange) bool {
				switch {
				case e.Values["over"] != nil:
					e.Reply, e.Hangup = "+OK nothing done\r\n", !e.pending()
					return true
				case e.Is("QUIT") && e.pending():
					e.Reply, e.Open = e.Forward(), true
					e.Values["over"] = true
					return true
				}
				return false
			},
		},
		{
			Name: "batch-flushed-late", Doc: "PIPELINING is not announced, and the replies to a segment of several commands wait for the next one.", Rules: []string{"P3-PIPE-09"},
			Edit: flushLate,
		},
		{
			Name: "failure-cancels-batch", Doc: "A command that fails takes those behind it in the same segment with it.", Rules: []string{"P3-PIPE-10"},
			Edit: func(e *Exchange) {
				if strings.HasPrefix(e.Reply, "-ERR") {
					e.throwAway()
				}
			},
		},
	}
}

// pending reports whether more has come with the line.
func (s *Session) pending() bool { return s.front.br.Buffered() > 0 }

// throwAway loses what has come with the line.
func (s *Session) throwAway() {
	s.front.overhear()
	s.front.br.Discard(s.front.br.Buffered())
	s.front.overheard = 0
}

// held is where replies wait.
const held = "held"

// outOfOrder keeps the reply to a command until the next one is answered.
func outOfOrder(e *Exchange) bool {
	waiting, _ := e.Values[held].(string)
	if !e.LoggedIn || e.Is("QUIT") && waiting == "" {
		return false
	}
	reply := e.Forward()
	if waiting == "" && e.pending() {
		e.Values[held] = reply
		return true
	}
	delete(e.Values, held)
	e.Reply = reply + waiting
	return true
}

// flushLate keeps the replies to a batch.
func flushLate(e *Exchange) {
	if e.Is("CAPA") {
		e.Reply = withoutTag(e.Reply, "PIPELINING")
	}
	if e.Is("STLS") || e.Response || challenge(e.Reply) {
		return
	}
	waiting, _ := e.Values[held].(string)
	waiting += e.Reply
	inBatch := e.Values["batch"] != nil
	delete(e.Values, "batch")
	if e.pending() {
		e.Values["batch"] = true
	}
	if inBatch || e.pending() {
		e.Values[held] = waiting
		e.Reply = ""
		return
	}
	delete(e.Values, held)
	e.Reply = waiting
}
