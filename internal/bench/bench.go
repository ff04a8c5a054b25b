// Package bench measures POP3 servers under load, checks every reply while it does,
// and has what a comparison needs besides: a server that answers from memory, a proxy
// that delays, and Maildirs that are the same each time.
//
// Its client shares the machine with the server, so it is lean: a large buffer, no work
// for each line of a message, no allocation for each reply.
package bench

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// A Security says how a connection is protected.
type Security string

// The kinds of Security.
const (
	Clear Security = "none"
	STLS  Security = "stls"
	TLS   Security = "tls" // from the first octet
)

// A Target is the server under load, and who logs in.
type Target struct {
	Addr     string
	Security Security // "": Clear
	// Resume keeps session tickets, so that all handshakes but the first are short.
	Resume bool
	// TLS is the client's configuration. Nil: the certificate is not verified when
	// Addr is a loopback address, and verified against the system's roots otherwise.
	TLS *tls.Config
	// User is a name, or a pattern in which %d is the account's number, from 1.
	User     string
	Password string
	// Timeout is how long nothing may move, and up to a tenth more. 0: a minute.
	Timeout time.Duration
}

// A Load says what is done to a Target. Zero values are the scenario's defaults, which
// Scenarios has.
type Load struct {
	Scenario string
	Target   Target

	AtOnce int // sessions at the same time
	Users  int // accounts, when Target.User has a %d; 0: as many as AtOnce
	// Count is the number of sessions; For is how long sessions begin. With neither,
	// For is DefaultFor; with both, whichever ends first.
	Count int
	For   time.Duration
	// WarmUp is the number of sessions with each maildrop that are not measured;
	// less than 0: none.
	WarmUp int

	Window   int           // commands on the way
	Lines    int           // of the body, for TOP
	Messages int           // dele: how many are marked
	Hold     time.Duration // idle: how long sessions are held before memory is read
	// Maildirs is the folder with a Maildir for each account, for deliveries.
	Maildirs string
	Size     int     // octets of messages that are delivered
	Rate     float64 // deliveries a second
	Delete   bool    // users: sessions delete what they have fetched

	// PID is the first process of the server, whose CPU and memory are read; 0: none.
	PID int
	// Force allows a Target that is not on this machine.
	Force bool
	// Report, if not nil, hears how it goes, every Every; 0: ten seconds.
	Report func(Interval)
	Every  time.Duration
}

// Defaults that all scenarios share.
const (
	DefaultFor     = 5 * time.Second
	DefaultTimeout = time.Minute
	// MaxWindow bounds the commands on the way: a server that does not read while
	// it writes must find room for all of them in its socket.
	MaxWindow = 2048
)

// Errors of a Load that cannot be run.
var (
	// ErrAddr: the Target's address is not HOST:PORT.
	ErrAddr = errors.New("not an address")
	// ErrNotLoopback: the Target is another machine, and Force is not set.
	ErrNotLoopback = errors.New("not an address of this machine")
	// ErrNoScenario: there is no such scenario.
	ErrNoScenario = errors.New("no such scenario")
	// ErrNoMaildirs: the scenario puts messages into Maildirs, and does not know where
	// they are.
	ErrNoMaildirs = errors.New("the folder of the Maildirs is not given")
	// ErrNoProcesses: this system does not tell what processes use.
	ErrNoProcesses = errors.New("CPU and memory of processes can be read on Linux only")
	// ErrMistakes: the server answered, but not always rightly.
	ErrMistakes = errors.New("mistakes of the server")
	// ErrNotEmpty: a Maildir that is to be made is there already.
	ErrNotEmpty = errors.New("is there already")
)

// loopback reports whether addr is of this machine and nobody else's.
func loopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.Unmap().IsLoopback()
}

// UserName returns the name of the account with this number.
func UserName(pattern string, number int) string {
	return strings.ReplaceAll(pattern, "%d", strconv.Itoa(number))
}

// Check returns the error that Run would begin with.
func (l Load) Check() error {
	_, err := l.settle()
	return err
}

// settle fills in defaults, and refuses what cannot be run.
func (l *Load) settle() (*scenario, error) {
	s := scenarioNamed(l.Scenario)
	if s == nil {
		return nil, fmt.Errorf("%q: %w", l.Scenario, ErrNoScenario)
	}
	t := &l.Target
	if _, _, err := net.SplitHostPort(t.Addr); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrAddr, err)
	}
	if !l.Force && !loopback(t.Addr) {
		return nil, fmt.Errorf("%s: %w", t.Addr, ErrNotLoopback)
	}
	if t.Security == "" {
		t.Security = Clear
	}
	if t.Timeout == 0 {
		t.Timeout = DefaultTimeout
	}
	set(&l.AtOnce, s.AtOnce, 1)
	set(&l.Window, s.Window, 1)
	set(&l.Messages, s.Messages)
	set(&l.WarmUp, s.warmUp)
	set(&l.Size, s.Size)
	if l.Rate == 0 {
		l.Rate = s.Rate
	}
	if l.Hold == 0 {
		l.Hold = s.Hold
	}
	if l.Every == 0 {
		l.Every = 10 * time.Second
	}
	l.Window = min(l.Window, MaxWindow)
	switch {
	case !strings.Contains(t.User, "%d"):
		l.Users = 1
		if s.deliveries || s.fills {
			l.AtOnce = 1 // what it knows of a maildrop is one worker's
		}
	case l.Users == 0:
		l.Users = max(l.AtOnce, s.Users)
	case l.Users < l.AtOnce:
		l.AtOnce = l.Users // a maildrop has one session
	}
	if l.For == 0 && l.Count == 0 {
		l.For = max(s.For, DefaultFor)
	}
	if s.deliveries {
		l.WarmUp = max(l.WarmUp, 1) // else what is there would count as delivered
	}
	if (s.deliveries || s.fills) && l.Maildirs == "" {
		return nil, fmt.Errorf("%s: %w", s.Name, ErrNoMaildirs)
	}
	return s, nil
}

// set gives n the first of values that is not zero, unless it has one.
func set(n *int, values ...int) {
	for _, v := range values {
		if *n == 0 {
			*n = v
		}
	}
}
