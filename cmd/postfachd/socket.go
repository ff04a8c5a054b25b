package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"syscall"
	"time"

	"postfach/internal/config"
	"postfach/internal/hint"
	"postfach/internal/sockets"
)

// A socket is one address, and what the configuration says of it.
type socket struct {
	*sockets.Socket
	spec config.Listener // as it was opened, or as a reload has changed it
	from string          // who has opened it: "postfachd" or "systemd"
}

// assigned are the service manager's sockets: one for each listener, and that for ACME's
// challenges; nil where there is none.
func assigned(cfg *config.Config, given *sockets.Inherited) (ready []sockets.Listener, challenges sockets.Listener) {
	var wishes []sockets.Wish
	for _, spec := range cfg.Listeners {
		wishes = append(wishes, sockets.Wish{Address: spec.Address, Name: protocolOf(spec)})
	}
	if address := cfg.TLS.ACME.ListenAddress(); address != "" {
		found := given.Assign(append(wishes, sockets.Wish{Address: address, Name: "acme"}))
		return found[:len(wishes)], found[len(wishes)]
	}
	return given.Assign(wishes), nil
}

// listenAll opens all addresses, or none. Sockets that are ready, one for each, are
// used before own ones are.
func listenAll(specs []config.Listener, ready []sockets.Listener) ([]*socket, error) {
	var opened []*socket
	for i, spec := range specs {
		l, from := ready[i], "systemd"
		if l == nil {
			var err error
			if l, err = sockets.Listen(spec.Address); err != nil {
				closeAll(opened)
				for _, rest := range ready[i:] {
					if rest != nil {
						rest.Close()
					}
				}
				return nil, listenHint(fmt.Errorf("listen on %s: %w", spec.Address, err))
			}
			from = "postfachd"
		}
		opened = append(opened, &socket{sockets.New(l), spec, from})
	}
	return opened, nil
}

// listenChallenges opens the address where an ACME server asks whether a host is
// ours, while low ports are still to be had, unless a socket is ready. nil: there is
// none.
func listenChallenges(cfg *config.Config, ready sockets.Listener) (sockets.Listener, error) {
	address := cfg.TLS.ACME.ListenAddress()
	if address == "" || ready != nil {
		return ready, nil
	}
	l, err := sockets.Listen(address)
	if err != nil {
		return nil, listenHint(fmt.Errorf("listen on %s for ACME challenges: %w", address, err))
	}
	return l, nil
}

// refuseRest closes the service manager's sockets that nobody has wished for.
func refuseRest(given *sockets.Inherited, log *slog.Logger) {
	for _, left := range given.Rest() {
		log.Warn("a socket of the service manager's is not used", "err", left)
	}
}

func listenHint(err error) error {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return hint.Add(err, "another server has the port: end it, or choose another one with --pop3 ADDR and --pop3s ADDR (port 0: any free one)")
	case errors.Is(err, syscall.EACCES):
		return hint.Add(err, "ports below 1024 need postfachd.socket, or AmbientCapabilities=CAP_NET_BIND_SERVICE in the unit file, or root, which is given up")
	}
	return hint.Add(err, "127.0.0.1:1110, [::1]:1110, :1110 for all addresses")
}

func closeAll(opened []*socket) {
	for _, s := range opened {
		s.Close()
	}
}

// protocol is what the address is for: pop3 or pop3s.
func (s *socket) protocol() string { return protocolOf(s.spec) }

func protocolOf(l config.Listener) string {
	if l.TLS == config.Implicit {
		return "pop3s"
	}
	return "pop3"
}

func (s *socket) port() string {
	_, port, err := net.SplitHostPort(s.Addr().String())
	if err != nil {
		return ""
	}
	return port
}

// turn is the socket for one server. wait is how long a login may take, and so a
// PROXY header.
func (s *socket) turn(wait time.Duration) *sockets.Turn {
	networks := s.spec.Proxies()
	if len(networks) == 0 {
		return s.Turn(nil)
	}
	return s.Turn(&sockets.Proxies{Networks: networks, Wait: wait})
}
