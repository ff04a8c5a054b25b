package main

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pires/go-proxyproto"
)

// behindProxy starts postfachd with two listeners that believe 127.0.0.2 and
// 127.0.0.3. Other addresses of this machine are from elsewhere.
func behindProxy(t *testing.T, data, more string) *program {
	t.Helper()
	name := filepath.Join(tempDir(t), "postfachd.toml")
	configure := func(networks string) {
		must(t, os.WriteFile(name, fmt.Appendf(nil, `%s
[[listener]]
address = "127.0.0.1:0"
proxy_protocol = %s
[[listener]]
address = "127.0.0.1:0"
tls = "implicit"
proxy_protocol = %[2]s
`, more, networks), 0o644))
	}
	configure(`["127.0.0.2/31"]`)
	p := launch(t, "--data", data, "--config", name)
	p.stdout.wait(t, "listening pop3s ")
	p.stderr.wait(t, "msg=listening protocol=pop3s") // the last line before clients'
	return p
}

// dialFrom connects from an address of this machine, and says header first.
func (p *program) dialFrom(protocol, from, header string) net.Conn {
	p.t.Helper()
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}, Timeout: patience}
	conn, err := dialer.Dial("tcp", p.address(protocol))
	must(p.t, err)
	p.t.Cleanup(func() { conn.Close() })
	must(p.t, conn.SetDeadline(time.Now().Add(patience)))
	_, err = io.WriteString(conn, header)
	must(p.t, err)
	return conn
}

// header is one of the given version, by the library that the server reads it
// with. The tests of internal/sockets have some by hand.
func header(t *testing.T, version byte, source string) string {
	t.Helper()
	from, err := net.ResolveTCPAddr("tcp", source)
	must(t, err)
	octets, err := proxyproto.HeaderProxyFromAddrs(version, from, &net.TCPAddr{IP: net.ParseIP("192.0.2.1"), Port: 110}).Format()
	must(t, err)
	return string(octets)
}

const local = "\r\n\r\n\x00\r\nQUIT\n\x20\x00\x00\x00" // LOCAL: the proxy itself

// Promise 10 behind a proxy: the real ends decide whether a password may be said
// in clear, and nobody is this machine because a header says so.
func TestClientsBehindAProxyAreNotThisMachine(t *testing.T) {
	data := begunData(t)
	p := behindProxy(t, data, "")
	password := firstPassword(t, data)
	for name, test := range map[string]struct {
		from, header string
		clear        bool
	}{
		"far away, v1":       {"127.0.0.2", "PROXY TCP4 203.0.113.5 192.0.2.1 5121 110\r\n", false},
		"far away, v2":       {"127.0.0.3", header(t, 2, "203.0.113.5:5121"), false},
		"claims to be here":  {"127.0.0.2", "PROXY TCP4 127.0.0.1 127.0.0.1 5121 110\r\n", false},
		"claims it, v2":      {"127.0.0.2", header(t, 2, "127.0.0.1:5121"), false},
		"nobody knows":       {"127.0.0.2", "PROXY UNKNOWN\r\n", false},
		"the proxy itself":   {"127.0.0.2", local, true},
		"here, and no proxy": {"127.0.0.4", "", true},
	} {
		c := newClient(t, p.dialFrom("pop3", test.from, test.header))
		if got := c.line(); !strings.HasPrefix(got, "+OK") {
			t.Errorf("%s: greeting %s", name, got)
		}
		if got := c.say("USER postfach"); strings.HasPrefix(got, "+OK") != test.clear {
			t.Errorf("%s: USER in clear: %s", name, got)
		}
		if test.clear {
			if got := c.say("PASS " + password); !strings.HasPrefix(got, "+OK") {
				t.Errorf("%s: PASS: %s", name, got)
			}
		}
		c.say("QUIT")
	}
	p.end()
}

// The header stands before TLS, and the log has the client's address.
func TestHeaderStandsBeforeTLS(t *testing.T) {
	data := begunData(t)
	p := behindProxy(t, data, "")
	conn := p.dialFrom("pop3s", "127.0.0.2", header(t, 2, "203.0.113.5:5121"))
	secured := tls.Client(conn, &tls.Config{RootCAs: pool(t, data), ServerName: "localhost"})
	c := newClient(t, secured)
	c.login("postfach", firstPassword(t, data))
	if line := p.stderr.wait(t, "msg=login"); !strings.Contains(line, "rip=203.0.113.5") {
		t.Error(line)
	}
	c.say("QUIT")
	if line := p.stderr.wait(t, "reason=quit"); !strings.Contains(line, "rip=203.0.113.5") {
		t.Error(line)
	}

	// And STLS works behind one.
	conn = p.dialFrom("pop3", "127.0.0.2", header(t, 1, "203.0.113.6:5121"))
	c = newClient(t, conn)
	c.line()
	if got := c.say("STLS"); !strings.HasPrefix(got, "+OK") {
		t.Fatal(got)
	}
	c = newClient(t, tls.Client(conn, &tls.Config{RootCAs: pool(t, data), ServerName: "localhost"}))
	if got := c.say("USER postfach"); !strings.HasPrefix(got, "+OK") {
		t.Error(got)
	}
	// A failed login is told of with the client's address, for fail2ban.
	c.say("PASS wrong")
	p.stderr.wait(t, "rip=203.0.113.6")
	p.end()
}

// Octets that a client should not have sent take the last reply from it, unless
// the server closes its own half first.
func TestLastReplyArrivesBehindAProxy(t *testing.T) {
	p := behindProxy(t, begunData(t), "")
	conn := p.dialFrom("pop3", "127.0.0.2", header(t, 1, "203.0.113.5:5121")+"STLS\r\n"+strings.Repeat("x", 100_000))
	got, err := io.ReadAll(conn)
	if lines := strings.Split(strings.TrimSpace(string(got)), "\r\n"); err != nil || len(lines) != 2 || !strings.HasPrefix(lines[1], "-ERR") {
		t.Errorf("got %q, %v", got, err)
	}
	p.end()
}

func TestBadHeaderEndsTheConnectionWithOneLine(t *testing.T) {
	p := behindProxy(t, begunData(t), "")
	for protocol, bad := range map[string][]string{
		"pop3":  {"CAPA\r\n", "PROXY TCP4 999.0.0.1 192.0.2.1 1 2\r\n", "PROXY TCP4 " + strings.Repeat("1", 500), local[:12] + "\x21\x11\xff\xff" + strings.Repeat("x", 10_000)},
		"pop3s": {"\x16\x03\x01\x00\x05hello", "PROXY \r\n", local[:12] + "\x21\x12\x00\x0c" + strings.Repeat("x", 12)},
	} {
		for _, octets := range bad {
			before := p.stderr.count()
			conn := p.dialFrom(protocol, "127.0.0.2", octets)
			conn.(*net.TCPConn).CloseWrite()
			if got, _ := io.ReadAll(conn); len(got) > 0 {
				t.Errorf("%q gets %q", octets, got)
			}
			line := p.stderr.waitAfter(t, before, "session ended")
			if !strings.Contains(line, `level=WARN msg="session ended"`) || !strings.Contains(line, `reason="PROXY header"`) || !strings.Contains(line, "hint=\"in HAProxy") || !strings.Contains(line, "rip=127.0.0.2") || p.stderr.count() != before+1 {
				t.Errorf("%q is logged as\n%s", octets, strings.Join(p.stderr.text[before:], "\n"))
			}
		}
	}
	p.end()
}

// Who is not believed says nothing that does not exist.
func TestHeaderFromElsewhereIsABadCommand(t *testing.T) {
	p := behindProxy(t, begunData(t), "")
	c := newClient(t, p.dialFrom("pop3", "127.0.0.4", "PROXY TCP4 203.0.113.5 192.0.2.1 5121 110\r\n"))
	c.line()
	if got := c.line(); !strings.HasPrefix(got, "-ERR") {
		t.Errorf("PROXY: %s", got)
	}
	if got := c.say("CAPA"); !strings.HasPrefix(got, "+OK") {
		t.Errorf("CAPA: %s", got)
	}
	p.end()
	if strings.Contains(p.stderr.String(), "203.0.113.5") {
		t.Error("it was believed")
	}
}

// Silent and dripping proxies stop nobody, and go when their time is over.
func TestSlowHeadersStopNobody(t *testing.T) {
	p := behindProxy(t, begunData(t), "[limits]\nlogin = \"1s\"\n")
	var slow []net.Conn
	for _, begin := range []string{"", "", "\r\n\r\n", "PROX", local[:14]} {
		slow = append(slow, p.dialFrom("pop3", "127.0.0.2", begin), p.dialFrom("pop3s", "127.0.0.3", begin))
	}
	c := newClient(t, p.dialFrom("pop3", "127.0.0.2", header(t, 1, "203.0.113.5:5121")))
	if got := c.line(); !strings.HasPrefix(got, "+OK") {
		t.Error(got)
	}
	for _, conn := range slow {
		if got, err := io.ReadAll(conn); len(got) > 0 || err != nil {
			t.Errorf("a slow one gets %q, %v", got, err)
		}
	}
	p.end()
}

// SIGHUP changes whom a listener believes, and a grace period waits for nobody's
// header.
func TestProxiesAreReloaded(t *testing.T) {
	p := behindProxy(t, begunData(t), "")
	name := p.cmd.Args[len(p.cmd.Args)-1]
	text, err := os.ReadFile(name)
	must(t, err)
	must(t, os.WriteFile(name, []byte(strings.ReplaceAll(string(text), "127.0.0.2/31", "127.0.0.8")), 0o644))
	p.hup()
	c := newClient(t, p.dialFrom("pop3", "127.0.0.2", ""))
	c.line() // without a header
	c = newClient(t, p.dialFrom("pop3", "127.0.0.8", header(t, 1, "203.0.113.5:5121")))
	c.line()
	if got := c.say("USER postfach"); !strings.HasPrefix(got, "-ERR") {
		t.Errorf("USER in clear: %s", got)
	}
	p.dialFrom("pop3", "127.0.0.8", "PROXY ")
	p.end()
}
