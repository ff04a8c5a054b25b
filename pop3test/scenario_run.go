package pop3test

import (
	"cmp"
	"context"
	"time"

	"postfach/pop3check"
)

// An Outcome is what is known of a client beside what it said.
type Outcome struct {
	Exit           *int     // its exit status, nil: not known
	Output         string   // what it wrote for people
	Delivered      []string // what it made of the messages
	DeliveredKnown bool
}

// leaving is how long connections may stay open when a client says that it has
// done.
const leaving = 2 * time.Second

// Try plays a scenario, lets a client run, and returns what the client is
// judged by. security is how the client is set where the scenario leaves that
// open.
func (s *Server) Try(ctx context.Context, sc Scenario, security string, client func(context.Context) Outcome) (pop3check.ClientRun, error) {
	if err := s.Play(sc); err != nil {
		return pop3check.ClientRun{}, err
	}
	o := client(ctx)
	ctx, cancel := context.WithTimeout(ctx, leaving)
	defer cancel()
	// What is still open then is recorded as far as it came.
	_ = s.WaitSessions(ctx, len(s.Recordings()))
	return pop3check.ClientRun{
		Scenario: sc.Name, Security: cmp.Or(sc.Security, security), User: sc.User, Password: sc.Password,
		Recordings: s.Recordings(), Messages: sc.Messages,
		Exit: o.Exit, Output: o.Output, Delivered: o.Delivered, DeliveredKnown: o.DeliveredKnown,
	}, nil
}
