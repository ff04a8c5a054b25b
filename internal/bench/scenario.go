package bench

import (
	"context"
	"time"
)

// A Scenario is a kind of load, with its defaults.
type Scenario struct {
	Name, About string
	Unit        string // what an operation is
	AtOnce      int
	Users       int
	Window      int
	Messages    int
	Size        int
	Rate        float64
	For, Hold   time.Duration
}

// A scenario is a Scenario and how it is done: session by session, or as a whole.
type scenario struct {
	Scenario
	warmUp     int  // sessions with each maildrop; -1: none
	buffer     int  // octets
	deliveries bool // mail arrives meanwhile
	fills      bool // Maildirs are filled before each session
	intervals  bool
	session    func(ctx context.Context, w *worker, user string, account int) error
	whole      func(ctx context.Context, r *run, workers []*worker) error
}

const (
	small = 16 << 10 // room for replies of a line
	large = 256 << 10
)

// scenarios are all there are.
func scenarios() []scenario {
	return []scenario{
		{
			Scenario: Scenario{Name: "login", About: "connect, USER, PASS, STAT, QUIT", Unit: session, AtOnce: 8},
			warmUp:   1, buffer: small, session: loginSession,
		},
		{
			Scenario: Scenario{Name: "poll", About: "login, STAT, QUIT of a maildrop that does not change, and is not empty", Unit: session, AtOnce: 1},
			warmUp:   1, buffer: small, session: pollSession,
		},
		{
			Scenario: Scenario{Name: "retr", About: "login, LIST, RETR of all messages, several commands on the way", Unit: message, AtOnce: 1, Window: 32},
			warmUp:   1, buffer: large, session: retrSession,
		},
		{
			Scenario: Scenario{Name: "top", About: "login, LIST, TOP of all messages, several commands on the way", Unit: message, AtOnce: 1, Window: 32},
			warmUp:   1, buffer: large, session: topSession,
		},
		{
			Scenario: Scenario{Name: "list", About: "PASS, STAT, LIST, UIDL of a large maildrop; the time to the end of each reply", Unit: session, AtOnce: 1},
			warmUp:   1, buffer: large, session: listSession,
		},
		{
			Scenario: Scenario{Name: "dele", About: "DELE of many messages, then QUIT, whose time is measured; the Maildir is filled before", Unit: message, AtOnce: 1, Users: 1, Window: 32, Messages: 1000, Size: 1000},
			warmUp:   -1, buffer: large, fills: true, session: deleSession,
		},
		{
			Scenario: Scenario{Name: "idle", About: "log in many sessions and hold them; memory of each", Unit: session, AtOnce: 1000, Hold: 3 * time.Second},
			whole:    idle,
		},
		{
			Scenario: Scenario{Name: "users", About: "sessions of many users that fetch what is new, while mail arrives", Unit: session, AtOnce: 16, Users: 1000, Window: 32, Size: 4000, Rate: 50, For: 20 * time.Second},
			warmUp:   1, buffer: large, deliveries: true, session: usersSession,
		},
		{
			Scenario: Scenario{Name: "soak", About: "users for a long time, with a report at intervals", Unit: session, AtOnce: 16, Users: 1000, Window: 32, Size: 4000, Rate: 50, For: 10 * time.Minute},
			warmUp:   1, buffer: large, deliveries: true, intervals: true, session: usersSession,
		},
	}
}

// Scenarios returns all scenarios with their defaults.
func Scenarios() []Scenario {
	var all []Scenario
	for _, s := range scenarios() {
		all = append(all, s.Scenario)
	}
	return all
}

func scenarioNamed(name string) *scenario {
	for _, s := range scenarios() {
		if s.Name == name {
			return &s
		}
	}
	return nil
}
