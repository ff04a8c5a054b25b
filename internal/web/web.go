// Package web is the face of package explore in a browser: pages that work
// without script, from this process, for one person on this machine.
package web

import (
	"context"
	"net"

	"postfach/internal/explore"
)

// A Face is the explorer as web pages. One person uses it.
type Face struct{}

// New returns a Face for pages at this host and port. Close it.
func New(p explore.Picker) (*Face, error) { return &Face{}, nil }

// Address returns what a person types into the browser for a server that listens
// at addr. The token in it works once.
func (f *Face) Address(addr net.Addr) string { return "" }

// Serve serves until ctx ends.
func (f *Face) Serve(ctx context.Context, l net.Listener) error { return nil }

// Close lets go of all maildrops.
func (f *Face) Close() error { return nil }
