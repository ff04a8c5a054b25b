//go:build unix

package main

import (
	"bufio"
	"crypto/tls"
	"strings"
	"testing"
)

// Promise 9 (P3-TLS-06, P3-TLS-09): what was said before TLS is not used in it,
// in whatever pieces it comes.
func TestNothingSaidBeforeTLSIsUsed(t *testing.T) {
	h := newHouse(t)
	p := h.serve()
	for name, octets := range map[string]string{
		"a login":        "STLS\r\nUSER postfach\r\nPASS " + h.password + "\r\nSTAT\r\n",
		"one command":    "STLS\r\nCAPA\r\n",
		"half a command": "STLS\r\nUSER post",
		"one octet":      "STLS\r\n\n",
		"STLS":           "STLS\r\nSTLS\r\n",
		"an exchange":    "STLS\r\nAUTH PLAIN\r\nAHBvc3RmYWNoAHg=\r\n",
		"a handshake":    "STLS\r\n\x16\x03\x01\x00\x05",
	} {
		c := p.dial()
		c.line()
		c.send(octets)
		if got := c.line(); got != "-ERR nothing may follow STLS before TLS" {
			t.Errorf("%s behind STLS: %q", name, got)
			continue
		}
		if got := c.closed(); got != "" {
			t.Errorf("%s behind STLS: then %q", name, got)
		}
	}

	// In later segments they are no handshake.
	for _, octets := range []string{"USER postfach\r\nPASS " + h.password + "\r\n", "\r\n\r\n\r\n", "CAPA\r\n"} {
		c := p.dial()
		c.line()
		c.ok("STLS")
		c.send(octets)
		if got := c.closed(); strings.Contains(got, "+OK") || strings.Contains(got, "-ERR") {
			t.Errorf("%q after STLS: %q", octets, got)
		}
	}

	// A name and a language from before are forgotten.
	c := p.dial()
	c.line()
	c.ok("LANG de")
	c.ok("USER postfach")
	c.ok("STLS")
	c.startTLS(h.data)
	if got := c.refused("PASS " + h.password); got != "-ERR send USER first" {
		t.Errorf("PASS inside TLS, USER before it: %s", got)
	}
	c.ok("USER postfach")
	c.ok("PASS " + h.password)
	c.ok("QUIT")
	p.end()
}

// startTLS goes on in TLS.
func (c *client) startTLS(data string) {
	c.t.Helper()
	conn := tls.Client(c.conn, trusting(c.t, data))
	must(c.t, conn.Handshake())
	c.conn, c.r = conn, bufio.NewReader(conn)
}
