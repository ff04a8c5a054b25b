package pop3check

import "slices"

// A ClientRun is what a client did in one scenario of a test server: what it is
// judged by.
type ClientRun struct {
	// Scenario is the name of what the server did.
	Scenario string
	// Security is what the client was told to use: "clear", "stls" or "tls"; ""
	// if that is not known.
	Security string
	// User and Password are what the client was given.
	User, Password string
	// Recordings are the connections that it made, in their order.
	Recordings []Recording
	// Messages is what the maildrop had: octets as they are once unstuffed.
	Messages []string

	// Exit is the client's exit status, nil if that is not known.
	Exit *int
	// Output is what it wrote for people, "" if that is not known.
	Output string
	// Delivered is what it made of the messages. It says something only if
	// DeliveredKnown.
	Delivered      []string
	DeliveredKnown bool
}

// A ClientCheck is one rule that a client shows on the wire.
type ClientCheck struct {
	Requirement
	// Scenarios are those in which the rule is judged. None: all.
	Scenarios []string

	judge func(*verdict)
}

// A clientRow is a check as the files write it.
type clientRow struct {
	id    string
	in    []string // scenarios; nil: all
	judge func(*verdict)
}

// ClientChecks returns all checks of clients, in the catalogue's order.
func ClientChecks() []ClientCheck {
	rows := make(map[string]clientRow)
	for _, r := range slices.Concat(
		clientSyntax(), clientGreeting(), clientMessages(), clientLogin(), clientSASL(), clientTLS(), clientPipelining(),
	) {
		rows[r.id] = r
	}
	var all []ClientCheck
	for _, req := range Requirements() {
		if r, ok := rows[req.ID]; ok {
			all = append(all, ClientCheck{Requirement: req, Scenarios: r.in, judge: r.judge})
		}
	}
	return all
}

// JudgeClient judges runs by all checks: a result for each. A rule that was
// broken in one scenario is broken; one that the client never came to is
// skipped.
func JudgeClient(runs []ClientRun) []Result {
	var all []Result
	talks := make([][]*talk, len(runs))
	for i, r := range runs {
		talks[i] = talksOf(r.Recordings)
	}
	for _, c := range ClientChecks() {
		result := Result{Requirement: c.Requirement, Status: Skip, Got: "the client did nothing that the rule is about"}
		for i := range runs {
			if len(c.Scenarios) > 0 && !slices.Contains(c.Scenarios, runs[i].Scenario) {
				continue
			}
			v := &verdict{run: &runs[i], talks: talks[i], runs: runs, status: Skip}
			c.judge(v)
			if v.status == Fail || v.status == Pass && result.Status == Skip {
				result.Status, result.Want, result.Got, result.Trace = v.status, printable(v.want), printable(v.got), v.trace()
			}
			if v.status == Fail {
				break
			}
		}
		all = append(all, result)
	}
	return all
}
