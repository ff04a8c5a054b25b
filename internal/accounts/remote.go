package accounts

import (
	"context"
	"net/netip"
)

type remoteKey struct{}

// WithRemote notes from where somebody tries to log in, for sources that tell it
// to others.
func WithRemote(ctx context.Context, ip netip.Addr) context.Context {
	return context.WithValue(ctx, remoteKey{}, ip)
}

// Remote returns what WithRemote noted, or the zero Addr.
func Remote(ctx context.Context) netip.Addr {
	ip, _ := ctx.Value(remoteKey{}).(netip.Addr)
	return ip
}
