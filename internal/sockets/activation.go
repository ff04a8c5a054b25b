package sockets

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"

	"github.com/coreos/go-systemd/v22/activation"
	"golang.org/x/sys/unix"

	"postfach/internal/hint"
)

// Inherited are the listening sockets that the service manager has opened and
// handed over (LISTEN_FDS). Assign finds those for some addresses; Rest closes what
// nobody has wished for.
type Inherited struct {
	sockets []inherited
	bad     []error
}

type inherited struct {
	Listener
	name string // FileDescriptorName= in the socket unit
}

// Inherit takes over what the environment announces, once: the variables are
// unset, and the descriptors are closed in programs that this one runs.
func Inherit() *Inherited {
	all := new(Inherited)
	for _, file := range activation.Files(true) {
		l, err := listener(file)
		file.Close() // l has a descriptor of its own
		if err != nil {
			all.bad = append(all.bad, fmt.Errorf("%s: %w", file.Name(), err))
			continue
		}
		all.sockets = append(all.sockets, inherited{l, file.Name()})
	}
	return all
}

// listener refuses what is no TCP socket that listens.
func listener(file *os.File) (Listener, error) {
	raw, err := file.SyscallConn()
	if err != nil {
		return nil, err
	}
	var listens int
	var failed error
	if err := raw.Control(func(fd uintptr) { listens, failed = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_ACCEPTCONN) }); err != nil {
		return nil, err
	}
	if failed != nil {
		return nil, os.NewSyscallError("getsockopt", failed)
	}
	if listens == 0 {
		return nil, hint.Add(errors.New("it does not listen, so it is one connection and no address"),
			"remove Accept=yes from the socket unit: one server takes all connections; the addresses are ListenStream=")
	}
	l, err := net.FileListener(file)
	if err != nil {
		return nil, err
	}
	tcp, ok := l.(*net.TCPListener)
	if !ok {
		l.Close()
		return nil, hint.Add(fmt.Errorf("it is no TCP socket, but %s", l.Addr().Network()), "ListenStream= with a port, or an address and a port")
	}
	return tcp, nil
}

// A Wish is an address that somebody wants to listen on.
type Wish struct {
	Address string // host:port
	Name    string // what a socket for it may be called, one of Names
}

// Names are what sockets may be called (FileDescriptorName=), for each kind of wish.
var Names = []string{"pop3", "pop3s", "acme"}

// Assign hands the sockets to those who wish for them, at the same index; nil
// where there is none. All wishes come at once: what one does not get another may.
//
// A socket belongs to the wish for just its address. What is left for all addresses,
// of whatever kind, belongs to a wish for all. A socket with the name of another kind
// of wish is not taken for its address. In the end what is left belongs to the wishes
// of its name, in order, whatever the address.
func (all *Inherited) Assign(wishes []Wish) []Listener {
	found := make([]Listener, len(wishes))
	meant := func(w Wish, s inherited) bool { return s.name == w.Name || !slices.Contains(Names, s.name) }
	all.assign(found, wishes, func(w Wish, s inherited) bool { return meant(w, s) && sameAddress(w.Address, s.Addr()) })
	all.assign(found, wishes, func(w Wish, s inherited) bool { return meant(w, s) && bothUnspecified(w.Address, s.Addr()) })
	all.assign(found, wishes, func(w Wish, s inherited) bool { return s.name == w.Name })
	return found
}

func (all *Inherited) assign(found []Listener, wishes []Wish, fits func(Wish, inherited) bool) {
	for i, w := range wishes {
		for j, s := range all.sockets {
			if found[i] == nil && s.Listener != nil && fits(w, s) {
				found[i], all.sockets[j].Listener = s.Listener, nil
			}
		}
	}
}

// Rest closes what nobody has wished for, and says of each what it was and why it is of
// no use, with a hint.
func (all *Inherited) Rest() []error {
	rest := all.bad
	for _, s := range all.sockets {
		if s.Listener != nil {
			rest = append(rest, hint.Add(fmt.Errorf("%s: %s: no listener has this address or name", s.name, s.Addr()),
				`ListenStream= has to be the address of a listener, or FileDescriptorName= "pop3", "pop3s" or "acme"`))
			s.Close()
		}
	}
	all.sockets, all.bad = nil, nil
	return rest
}

// sameAddress reports whether a socket listens on just what was wished for. Without a
// host that is "::".
func sameAddress(wish string, have net.Addr) bool {
	a, b, ok := onePort(wish, have)
	return ok && a == b
}

// bothUnspecified reports whether a socket listens on all addresses of some kind, and
// all were wished for: "", "0.0.0.0" or "::".
func bothUnspecified(wish string, have net.Addr) bool {
	a, b, ok := onePort(wish, have)
	return ok && a.IsUnspecified() && b.IsUnspecified()
}

// onePort returns two addresses that have the same port.
func onePort(wish string, have net.Addr) (a, b netip.Addr, ok bool) {
	tcp, err := net.ResolveTCPAddr("tcp", wish)
	bound, isTCP := have.(*net.TCPAddr)
	if err != nil || !isTCP || tcp.Port == 0 || tcp.Port != bound.Port {
		return a, b, false
	}
	return addressOf(tcp), addressOf(bound), true
}

func addressOf(a *net.TCPAddr) netip.Addr {
	if a.IP == nil {
		return netip.IPv6Unspecified()
	}
	return a.AddrPort().Addr().Unmap()
}
