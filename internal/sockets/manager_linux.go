package sockets

import (
	"fmt"
	"net"
	"os"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"golang.org/x/sys/unix"
)

// A Manager is the service manager that has started the process and wants to
// hear how it is: systemd, by sd_notify. nil: there is none, and all methods do
// nothing. One goroutine uses it.
type Manager struct {
	conn     *net.UnixConn // kept: confinement may forbid another one
	interval time.Duration // of the watchdog; 0: there is none
}

// FindManager connects to the manager that NOTIFY_SOCKET names. The variables are
// unset: programs that this one runs have nothing to tell. nil, nil: nobody asks.
func FindManager() (*Manager, error) {
	name := os.Getenv("NOTIFY_SOCKET")
	if err := os.Unsetenv("NOTIFY_SOCKET"); err != nil {
		return nil, err
	}
	interval, err := daemon.SdWatchdogEnabled(true)
	if err != nil {
		return nil, fmt.Errorf("the service manager's watchdog: %w", err)
	}
	if name == "" {
		return nil, nil
	}
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		return nil, fmt.Errorf("the service manager's socket: %w", err)
	}
	return &Manager{conn, interval}, nil
}

// Ready says that connections are accepted, and what status is to be shown.
func (m *Manager) Ready(status string) { m.tell(daemon.SdNotifyReady + "\nSTATUS=" + status) }

// Reloading says that the configuration is read again. Ready ends it.
func (m *Manager) Reloading() {
	m.tell(fmt.Sprintf("%s\nMONOTONIC_USEC=%d\nSTATUS=reloading", daemon.SdNotifyReloading, monotonic().Microseconds()))
}

// Stopping says that the process is about to end, within a time: TimeoutStopSec= of
// the unit does not cut that short.
func (m *Manager) Stopping(within time.Duration) {
	m.tell(fmt.Sprintf("%s\nEXTEND_TIMEOUT_USEC=%d\nSTATUS=ending", daemon.SdNotifyStopping, (within + stopReserve).Microseconds()))
}

// stopReserve is for what the end takes beside the time that sessions have.
const stopReserve = 10 * time.Second

// Alive is what the watchdog waits for.
func (m *Manager) Alive() { m.tell(daemon.SdNotifyWatchdog) }

// Pulse is how often Alive is to be called: three times for each time that the
// watchdog would miss it. 0: never.
func (m *Manager) Pulse() time.Duration {
	if m == nil {
		return 0
	}
	return m.interval / 3
}

// tell never waits and never fails: a manager that cannot hear cannot be told.
func (m *Manager) tell(state string) {
	if m == nil {
		return
	}
	m.conn.SetWriteDeadline(time.Now().Add(time.Second))
	m.conn.Write([]byte(state))
}

// Close lets go of the manager.
func (m *Manager) Close() error {
	if m == nil {
		return nil
	}
	return m.conn.Close()
}

// monotonic is the clock by which systemd tells reloads apart.
func monotonic() time.Duration {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		return 0
	}
	return time.Duration(now.Nano())
}
