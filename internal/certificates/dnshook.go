package certificates

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"time"

	"github.com/mholt/acmez/v3/acme"
)

// A dnsHook is a program of the operator's that changes the DNS for DNS01 (RFC
// 8555 section 8.4). It is called with its own arguments, and with three more:
// "present" or "cleanup", the name of a TXT record, and its value. It returns
// when the record is there, at all servers of the zone, or is gone.
type dnsHook struct {
	command []string
	timeout time.Duration
	home    string // a folder that it may write to, though the server is confined
}

// Present implements acmez.Solver.
func (h *dnsHook) Present(ctx context.Context, c acme.Challenge) error {
	return h.run(ctx, "present", c)
}

// CleanUp implements acmez.Solver. It runs although the server is about to end.
func (h *dnsHook) CleanUp(ctx context.Context, c acme.Challenge) error {
	return h.run(context.WithoutCancel(ctx), "cleanup", c)
}

func (h *dnsHook) run(ctx context.Context, what string, c acme.Challenge) error {
	ctx, cancel := context.WithTimeout(ctx, h.timeout)
	defer cancel()
	// No shell: the name and the value are an ACME server's words.
	args := append(slices.Clone(h.command[1:]), what, c.DNS01TXTRecordName(), c.DNS01KeyAuthorization())
	cmd := exec.CommandContext(ctx, h.command[0], args...)
	cmd.Env = []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8", "HOME=" + h.home}
	cmd.Dir = "/"
	said := &tail{}
	cmd.Stdout, cmd.Stderr = said, said
	cmd.WaitDelay = time.Second // for what it has started and left behind
	err := cmd.Run()
	if ctx.Err() != nil {
		err = errors.Join(ctx.Err(), err)
	}
	if err != nil {
		return fmt.Errorf("%s %s: %w; it said %q", h.command[0], what, err, said.String())
	}
	return nil
}

// A tail keeps the last octets that were written.
type tail struct{ buf []byte }

const tailSize = 300

func (t *tail) Write(p []byte) (int, error) {
	t.buf = append(t.buf, p[max(0, len(p)-tailSize):]...)
	t.buf = t.buf[max(0, len(t.buf)-tailSize):]
	return len(p), nil
}

func (t *tail) String() string { return string(bytes.TrimSpace(t.buf)) }
