package pop3check

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// A verdict is one rule being judged in one run. It is Skip until something
// that the rule is about has been seen; the first failure stays.
type verdict struct {
	run   *ClientRun
	talks []*talk
	runs  []ClientRun // all, for rules that compare

	status    Status
	want, got string
	in        *talk // where it was seen
}

func (v *verdict) fail(in *talk, want, got string, args ...any) {
	if v.status != Fail {
		v.status, v.in, v.want, v.got = Fail, in, want, fmt.Sprintf(got, args...)
	}
}

func (v *verdict) pass(in *talk, got string, args ...any) {
	if v.status == Skip {
		v.status, v.in, v.got = Pass, in, fmt.Sprintf(got, args...)
	}
}

// holds fails the verdict or lets it pass.
func (v *verdict) holds(ok bool, in *talk, want, got string, args ...any) {
	if ok {
		v.pass(in, got, args...)
		return
	}
	v.fail(in, want, got, args...)
}

func (v *verdict) trace() []string {
	lines := []string{"# scenario " + v.run.Scenario}
	if v.in != nil {
		lines = append(lines, v.in.transcript()...)
	}
	if v.run.Exit != nil {
		lines = append(lines, fmt.Sprintf("# exit status %d", *v.run.Exit))
	}
	return lines
}

// each calls f for every line that the client said, on all connections.
func (v *verdict) each(f func(t *talk, x *turn)) {
	for _, t := range v.talks {
		for _, x := range t.turns {
			f(t, x)
		}
	}
}

// said returns the first line with one of these keywords.
func (v *verdict) said(keywords ...string) (in *talk, said *turn) {
	v.each(func(t *talk, x *turn) {
		if said == nil && x.is(keywords...) {
			in, said = t, x
		}
	})
	return in, said
}

// last is the last connection, nil if there was none.
func (v *verdict) last() *talk {
	if len(v.talks) == 0 {
		return nil
	}
	return v.talks[len(v.talks)-1]
}

// contented reports whether the client is known to have said that all is well.
func (v *verdict) contented() bool { return v.run.Exit != nil && *v.run.Exit == 0 }

// complete fails the verdict unless the client has got everything and left
// with QUIT. want says what it had to cope with.
func (v *verdict) complete(want string) {
	if len(v.talks) == 0 {
		return
	}
	fetched := make(map[int]bool)
	v.each(func(_ *talk, x *turn) {
		if n, err := strconv.Atoi(x.args); err == nil && x.is("RETR") && x.ok() && x.complete {
			fetched[n] = true
		}
	})
	in, quit := v.said("QUIT")
	if in == nil {
		in = v.last()
	}
	switch {
	case len(fetched) < len(v.run.Messages):
		v.fail(in, want, "%d of %d messages were fetched", len(fetched), len(v.run.Messages))
	case quit == nil:
		v.fail(in, want, "no QUIT")
	case v.run.Exit != nil && *v.run.Exit != 0:
		v.fail(in, want, "all messages were fetched, but the exit status is %d", *v.run.Exit)
	case v.run.DeliveredKnown && v.missing() != "":
		v.fail(in, want, "%s", v.missing())
	default:
		v.pass(in, "all messages were fetched")
	}
}

// missing says what of the messages is not among what was delivered, "" if all
// is there. Clients may add header fields, and have their own line ends.
func (v *verdict) missing() string {
	for i, m := range v.run.Messages {
		found := false
		for _, d := range v.run.Delivered {
			found = found || strings.Contains(withoutCR(d), withoutCR(bodyOfMessage(m)))
		}
		if !found {
			return fmt.Sprintf("the body of message %d is not among what was delivered (%d files)", i+1, len(v.run.Delivered))
		}
	}
	return ""
}

func withoutCR(octets string) string { return strings.ReplaceAll(octets, "\r\n", "\n") }

func bodyOfMessage(message string) string {
	_, body, found := strings.Cut(message, "\r\n\r\n")
	if !found {
		return message
	}
	return strings.TrimSuffix(body, "\r\n")
}

// credentials reports whether a line begins a login, or carries a secret.
func (x *turn) credentials() bool {
	return x.response || x.is("USER", "PASS", "APOP") || x.is("AUTH") && x.args != ""
}

// noCredentials fails the verdict at the first credentials that accept picks.
func (v *verdict) noCredentials(want string, accept func(t *talk, x *turn) bool) {
	v.each(func(t *talk, x *turn) {
		if x.credentials() && accept(t, x) {
			v.fail(t, want, "the client said %s", x.show())
		}
	})
	if len(v.talks) > 0 {
		v.pass(v.last(), "no credentials were sent")
	}
}

// retrySoon is how long a client must wait at least before it tries again.
const retrySoon = time.Second

// noSecondLogin fails the verdict when a login is tried again soon after one
// failed.
func (v *verdict) noSecondLogin(want string) {
	var failed *turn
	v.each(func(t *talk, x *turn) {
		switch {
		case failed != nil && (x.is("PASS", "APOP") || x.is("AUTH") && x.args != "") && x.time.Sub(failed.time) < retrySoon:
			v.fail(t, want, "after %s the client said %s", failed.show(), x.show())
		case x.credentials() && x.answered && strings.HasPrefix(strings.ToUpper(x.reply), "-ERR") && !x.is("USER"):
			failed = x
		}
	})
	if failed != nil {
		v.holds(!v.contented(), v.last(), want, "the exit status after a login that failed; no second login")
	}
}
