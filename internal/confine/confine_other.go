//go:build !linux

package confine

import "errors"

// Harden has nothing to give up here.
func Harden() error { return nil }

// A Status tells what the kernel says of this process.
type Status struct{}

// OpenStatus is not known here.
func OpenStatus() (*Status, error) { return nil, errors.ErrUnsupported }

// Close closes it.
func (*Status) Close() error { return nil }

// Values are not known here.
func (*Status) Values() ([]any, error) { return nil, errors.ErrUnsupported }

// Landlock is not known here.
func Landlock(Rules) (inForce string, err error) {
	return "", errors.New("this system has no Landlock")
}

// NoSockets is not known here.
func NoSockets() error { return errors.New("this system has no seccomp") }
