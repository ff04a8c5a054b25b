package accounts

import (
	"context"
	"fmt"
	"net/netip"
	"runtime"
	"sync"

	"postfach/pop3"
)

// A Pool lets a number of checks run at once and some more wait: slow hashes need
// memory and time, other machines their rest, which guessing must not be able to use
// up. NewPool makes one. Its methods may be called from many goroutines.
type Pool struct {
	slots chan struct{}

	mu      sync.Mutex // guards what follows
	waiting int
	from    map[netip.Prefix]int // how many of them, for each network
}

// How many checks wait, for each one that runs: with the work factor of new
// accounts the last of them waits less than a second. And how many of those may
// come from one network, so that one guesser does not take all places.
const (
	waitingPerSlot = 64
	networkShare   = 4 // a quarter
)

// remoteChecks is how many checks wait for other machines at once.
const remoteChecks = 32

// NewPool returns a Pool in which so many checks run at once.
func NewPool(slots int) *Pool {
	return &Pool{slots: make(chan struct{}, slots), from: map[netip.Prefix]int{}}
}

// processors is how many checks can make progress at once.
func processors() int { return runtime.GOMAXPROCS(0) }

// errBusy is what a client hears for whom there is no place to wait.
var errBusy = &pop3.Error{Code: pop3.CodeSysTemp, Text: "too many logins at once, try again"}

// Do runs a check when it is its turn, or returns why it never was. From where it comes
// is what WithRemote noted.
func (p *Pool) Do(ctx context.Context, check func() error) error {
	select {
	case p.slots <- struct{}{}: // nobody waits
	default:
		network := networkOf(Remote(ctx))
		if !p.queue(network) {
			return errBusy
		}
		select {
		case p.slots <- struct{}{}:
			p.unqueue(network)
		case <-ctx.Done():
			p.unqueue(network)
			return fmt.Errorf("wait for a password check: %w", context.Cause(ctx))
		}
	}
	defer func() { <-p.slots }()
	return check()
}

func (p *Pool) queue(network netip.Prefix) bool {
	places := cap(p.slots) * waitingPerSlot
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.waiting >= places || network.IsValid() && p.from[network] >= places/networkShare {
		return false
	}
	p.waiting++
	p.from[network]++
	return true
}

func (p *Pool) unqueue(network netip.Prefix) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waiting--
	if p.from[network]--; p.from[network] == 0 {
		delete(p.from, network)
	}
}

// networkOf is a peer's IPv4 address or IPv6 /64. It is not valid for peers on
// this machine, such as a webmail program, which many people share.
func networkOf(a netip.Addr) netip.Prefix {
	if !a.IsValid() || a.IsLoopback() {
		return netip.Prefix{}
	}
	bits := 32
	if a.Is6() {
		bits = 64
	}
	return netip.PrefixFrom(a, bits).Masked()
}
