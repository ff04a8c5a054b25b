package sockets

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/pires/go-proxyproto"
)

const patience = 30 * time.Second

// proxies are those in the network 127.0.0.2/31, on this machine, so that
// 127.0.0.1 is from elsewhere.
func proxies(wait time.Duration) *Proxies {
	return &Proxies{Networks: []netip.Prefix{netip.MustParsePrefix("127.0.0.2/31")}, Wait: wait}
}

// accept returns both ends of a connection that a proxy has opened.
func accept(t testing.TB, from string, p *Proxies) (proxy *net.TCPConn, conn net.Conn) {
	t.Helper()
	s := open(t)
	turn := s.Turn(p)
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}, Timeout: patience}
	c, err := dialer.Dial("tcp", s.Addr().String())
	must(t, err)
	t.Cleanup(func() { c.Close() })
	conn, err = turn.Accept()
	must(t, err)
	t.Cleanup(func() { conn.Close() })
	return c.(*net.TCPConn), conn
}

// A header of version 2 by hand: signature, version and command, family, length.
func v2(command, family byte, body string) string {
	return "\r\n\r\n\x00\r\nQUIT\n" + string([]byte{0x20 | command, family, byte(len(body) >> 8), byte(len(body))}) + body
}

// by the library's formatter, which shares nothing with what is above.
func formatted(t testing.TB, version byte, source, destination string, tlvs ...proxyproto.TLV) string {
	t.Helper()
	from, err := net.ResolveTCPAddr("tcp", source)
	must(t, err)
	to, err := net.ResolveTCPAddr("tcp", destination)
	must(t, err)
	h := proxyproto.HeaderProxyFromAddrs(version, from, to)
	must(t, h.SetTLVs(tlvs))
	octets, err := h.Format()
	must(t, err)
	return string(octets)
}

const four = "\xcb\x00\x71\x05\xc0\x00\x02\x01\x14\x01\x00\x6e" // 203.0.113.5:5121 to 192.0.2.1:110

func TestHeaderSaysWhoTheClientIs(t *testing.T) {
	long := proxyproto.TLV{Type: 0xe0, Value: bytes.Repeat([]byte("x"), 3000)}
	for name, test := range map[string]struct{ header, remote, local string }{
		"v1 TCP4":         {"PROXY TCP4 203.0.113.5 192.0.2.1 5121 110\r\n", "203.0.113.5:5121", "192.0.2.1:110"},
		"v1 TCP6":         {"PROXY TCP6 2001:db8::5 2001:db8::1 5121 995\r\n", "[2001:db8::5]:5121", "[2001:db8::1]:995"},
		"v1 by library":   {formatted(t, 1, "198.51.100.7:1", "192.0.2.1:995"), "198.51.100.7:1", "192.0.2.1:995"},
		"v2 TCP4":         {v2(1, 0x11, four), "203.0.113.5:5121", "192.0.2.1:110"},
		"v2 with TLVs":    {v2(1, 0x11, four+"\x04\x00\x02ab"), "203.0.113.5:5121", "192.0.2.1:110"},
		"v2 by library":   {formatted(t, 2, "[2001:db8::9]:7", "[2001:db8::1]:995", long), "[2001:db8::9]:7", "[2001:db8::1]:995"},
		"v2 mapped":       {formatted(t, 2, "[::ffff:203.0.113.5]:7", "192.0.2.1:110"), "203.0.113.5:7", "192.0.2.1:110"},
		"LOCAL":           {v2(0, 0, ""), "the proxy", "the socket"},
		"LOCAL with ends": {v2(0, 0x11, four), "the proxy", "the socket"},
		"UNKNOWN":         {"PROXY UNKNOWN\r\n", "the proxy", "the socket"},
		"UNKNOWN with":    {"PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n", "the proxy", "the socket"},
	} {
		t.Run(name, func(t *testing.T) {
			proxy, conn := accept(t, "127.0.0.2", proxies(patience))
			remote, local := test.remote, test.local
			if remote == "the proxy" {
				remote, local = proxy.LocalAddr().String(), proxy.RemoteAddr().String()
			}
			// What comes in the same segment belongs to the client.
			_, err := io.WriteString(proxy, test.header+"CAPA\r\nQUIT\r\n")
			must(t, err)
			if got := conn.RemoteAddr().String(); got != remote {
				t.Errorf("remote end %s, want %s", got, remote)
			}
			if got := conn.LocalAddr().String(); got != local {
				t.Errorf("local end %s, want %s", got, local)
			}
			_, err = io.WriteString(proxy, strings.Repeat("x", 1000))
			must(t, err)
			must(t, proxy.CloseWrite())
			if got, err := io.ReadAll(conn); err != nil || string(got) != "CAPA\r\nQUIT\r\n"+strings.Repeat("x", 1000) {
				t.Errorf("%q, %v", got, err)
			}
			_, err = io.WriteString(conn, "+OK\r\n")
			must(t, err)
			must(t, conn.(*proxied).CloseWrite())
			if got, err := io.ReadAll(proxy); err != nil || string(got) != "+OK\r\n" {
				t.Errorf("the client gets %q, %v", got, err)
			}
		})
	}
}

// Only the kernel knows who is on this machine. A *net.TCPAddr that is loopback
// would be allowed more.
func TestClaimedLoopbackIsNotThisMachine(t *testing.T) {
	for header, local := range map[string]bool{
		"PROXY TCP4 127.0.0.1 127.0.0.1 5121 110\r\n":                                        false,
		"PROXY TCP4 127.8.8.8 192.0.2.1 5121 110\r\n":                                        false,
		"PROXY TCP6 ::1 ::1 5121 110\r\n":                                                    false,
		"PROXY TCP6 ::ffff:127.0.0.1 ::1 5121 110\r\n":                                       false,
		v2(1, 0x11, "\x7f\x00\x00\x01\x7f\x00\x00\x01\x14\x01\x00\x6e"):                      false,
		v2(1, 0x21, strings.Repeat("\x00", 15)+"\x01"+strings.Repeat("\x00", 15)+"\x01abcd"): false,
		"PROXY UNKNOWN\r\n": false,
		v2(0, 0x11, "\x7f\x00\x00\x01\x7f\x00\x00\x01\x14\x01\x00\x6e"): true, // the proxy itself
		v2(0, 0, ""): true,
	} {
		proxy, conn := accept(t, "127.0.0.2", proxies(patience))
		_, err := io.WriteString(proxy, header)
		must(t, err)
		if tcp, ok := conn.RemoteAddr().(*net.TCPAddr); ok != local || ok && !tcp.IP.IsLoopback() {
			t.Errorf("%q: the client is %T %s", header, conn.RemoteAddr(), conn.RemoteAddr())
		}
		// It has the address of the machine that it is on: the proxy's.
		if conn.RemoteAddr().Network() != "tcp" || conn.RemoteAddr().String() != proxy.LocalAddr().String() {
			t.Errorf("%q: from %s %s", header, conn.RemoteAddr().Network(), conn.RemoteAddr())
		}
	}
}

func TestBadHeaderEndsTheConnection(t *testing.T) {
	for name, header := range map[string]string{
		"none":               "CAPA\r\n",
		"TLS":                "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03abcdefghijkl",
		"v1 without CR":      "PROXY TCP4 203.0.113.5 192.0.2.1 5121 110\n",
		"v1 family":          "PROXY UDP4 203.0.113.5 192.0.2.1 5121 110\r\n",
		"v1 lower case":      "proxy TCP4 203.0.113.5 192.0.2.1 5121 110\r\n",
		"v1 other family":    "PROXY TCP6 203.0.113.5 192.0.2.1 5121 110\r\n",
		"v1 two spaces":      "PROXY  TCP4 203.0.113.5 192.0.2.1 5121 110\r\n",
		"v1 port":            "PROXY TCP4 203.0.113.5 192.0.2.1 65536 110\r\n",
		"v1 port with sign":  "PROXY TCP4 203.0.113.5 192.0.2.1 +512 110\r\n",
		"v1 zone":            "PROXY TCP6 fe80::1%eth0 2001:db8::1 1 110\r\n",
		"v1 octal":           "PROXY TCP4 203.0.113.005 192.0.2.1 1 110\r\n",
		"v1 without an end":  "PROXY TCP4 " + strings.Repeat("1", 200),
		"v1 too long":        "PROXY UNKNOWN " + strings.Repeat("x", 100) + "\r\n",
		"v1 cut off":         "PROXY TCP4 203.0.113.5",
		"v2 version":         strings.Replace(v2(1, 0x11, four), "\x21", "\x31", 1),
		"v2 command":         v2(2, 0x11, four),
		"v2 family":          v2(1, 0x41, four),
		"v2 without ends":    v2(1, 0x00, ""),
		"v2 datagrams":       v2(1, 0x12, four),
		"v2 unix":            v2(1, 0x31, strings.Repeat("a\x00", 108)),
		"v2 short":           v2(1, 0x11, four[:11]),
		"v2 too long":        v2(1, 0x11, four+strings.Repeat("x", 4096)),
		"v2 cut off":         v2(1, 0x11, four)[:20],
		"v2 LOCAL too long":  v2(0, 0, strings.Repeat("x", 5000)),
		"v2 signature alone": v2(1, 0x11, "")[:12],
	} {
		t.Run(name, func(t *testing.T) {
			proxy, conn := accept(t, "127.0.0.3", proxies(patience))
			_, err := io.WriteString(proxy, header)
			must(t, err)
			must(t, proxy.CloseWrite())
			if _, err := conn.Write([]byte("+OK\r\n")); !errors.Is(err, errHeader) {
				t.Errorf("a greeting: %v", err)
			}
			if _, err := conn.Read(make([]byte, 10)); !errors.Is(err, errHeader) {
				t.Errorf("a command: %v", err)
			}
			if conn.RemoteAddr().String() != proxy.LocalAddr().String() || conn.LocalAddr().String() != proxy.RemoteAddr().String() {
				t.Errorf("ends %s and %s", conn.RemoteAddr(), conn.LocalAddr())
			}
		})
	}
}

func TestOthersAreNotBelieved(t *testing.T) {
	client, conn := accept(t, "127.0.0.1", proxies(patience))
	const header = "PROXY TCP4 203.0.113.5 192.0.2.1 5121 110\r\n"
	_, err := io.WriteString(client, header)
	must(t, err)
	if got := conn.RemoteAddr().String(); got != client.LocalAddr().String() {
		t.Errorf("the client is %s", got)
	}
	got := make([]byte, len(header))
	if _, err := io.ReadFull(conn, got); err != nil || string(got) != header {
		t.Errorf("read %q, %v", got, err)
	}
	if _, ok := conn.(*net.TCPConn); !ok {
		t.Errorf("a %T", conn)
	}
}

// On a socket for both kinds of addresses, IPv4 ones have the form of IPv6.
func TestProxyAtASocketForAllAddresses(t *testing.T) {
	l, err := Listen(":0")
	must(t, err)
	s := New(l)
	defer s.Close()
	turn := s.Turn(proxies(patience))
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}}
	proxy, err := dialer.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", l.Addr().(*net.TCPAddr).Port))
	must(t, err)
	defer proxy.Close()
	conn, err := turn.Accept()
	must(t, err)
	defer conn.Close()
	_, err = io.WriteString(proxy, "PROXY TCP4 203.0.113.5 192.0.2.1 5121 110\r\n")
	must(t, err)
	if got := conn.RemoteAddr().String(); got != "203.0.113.5:5121" {
		t.Errorf("the client is %s", got)
	}
}

// However slowly a header drips, its end comes by the same moment.
func TestHeaderHasADeadline(t *testing.T) {
	for _, begin := range []string{"", "\r", "PROX", v2(1, 0x11, four)[:15]} {
		proxy, conn := accept(t, "127.0.0.2", proxies(50*time.Millisecond))
		_, err := io.WriteString(proxy, begin)
		must(t, err)
		var timeout net.Error
		if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, errHeader) || !errors.As(err, &timeout) || !timeout.Timeout() {
			t.Errorf("after %q: %v", begin, err)
		}
	}
}

// Whoever ends sessions sets a deadline in the past; that has to wake those that
// wait for a header.
func TestDeadlineWakesWhoWaitsForAHeader(t *testing.T) {
	_, conn := accept(t, "127.0.0.2", proxies(patience))
	woken := make(chan error)
	go func() {
		_, err := conn.Read(make([]byte, 1))
		woken <- err
	}()
	must(t, conn.SetReadDeadline(time.Unix(1, 0)))
	if err := <-woken; !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error(err)
	}
}

// Silent proxies keep nobody waiting at the door.
func TestAcceptWaitsForNoHeader(t *testing.T) {
	s := open(t)
	turn := s.Turn(proxies(patience))
	for range 5 {
		dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}}
		silent, err := dialer.Dial("tcp", s.Addr().String())
		must(t, err)
		defer silent.Close()
		conn, err := turn.Accept()
		must(t, err)
		defer conn.Close()
	}
}

// pipe is a connection that reads what it was given, and remembers nothing.
type pipe struct {
	net.Conn
	from *bytes.Reader
}

func (p pipe) Read(b []byte) (int, error) { return p.from.Read(b) }
func (p pipe) RemoteAddr() net.Addr       { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2), Port: 1} }

func (p pipe) LocalAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 9), Port: 2} }

func (p pipe) SetReadDeadline(time.Time) error { return nil }

// Whatever comes, there are two ends, nobody is taken for this machine but the
// proxy itself, and what stands behind the header is what the client has said.
func FuzzHeader(f *testing.F) {
	f.Add([]byte("PROXY TCP4 203.0.113.5 192.0.2.1 5121 110\r\nQUIT\r\n"))
	f.Add([]byte("PROXY UNKNOWN\r\nQUIT\r\n"))
	f.Add([]byte(v2(1, 0x11, four) + "QUIT\r\n"))
	f.Add([]byte(v2(0, 0, "") + "QUIT\r\n"))
	f.Add([]byte(v2(1, 0x31, strings.Repeat("\x00", 216))))
	f.Fuzz(func(t *testing.T, octets []byte) {
		conn := proxies(time.Minute).behind(pipe{from: bytes.NewReader(octets)})
		remote, local := conn.RemoteAddr(), conn.LocalAddr()
		if remote == nil || local == nil || remote.String() == "" || local.String() == "" {
			t.Fatalf("ends %v and %v", remote, local)
		}
		rest, err := io.ReadAll(conn)
		if err != nil {
			if !errors.Is(err, errHeader) || remote.String() != "127.0.0.2:1" {
				t.Errorf("%v from %v", err, remote)
			}
			return
		}
		if !bytes.HasSuffix(octets, rest) || len(rest) == len(octets) {
			t.Errorf("behind the header: %q", rest)
		}
		tcp, ok := remote.(*net.TCPAddr)
		command := bytes.HasPrefix(octets, []byte(v2(0, 0, "")[:13]))
		if ok && tcp.IP.IsLoopback() && !command {
			t.Errorf("%q is taken for this machine", octets)
		}
	})
}

// fe80::1 is another machine on each link.
func TestAddressesOfALinkAreNotBelieved(t *testing.T) {
	p := &Proxies{Networks: []netip.Prefix{netip.MustParsePrefix("fe80::1/128"), netip.MustParsePrefix("192.0.2.0/24")}}
	for from, want := range map[net.Addr]bool{
		&net.TCPAddr{IP: net.ParseIP("fe80::1"), Zone: "eth0"}: false,
		&net.TCPAddr{IP: net.ParseIP("fe80::1"), Zone: "eth1"}: false,
		&net.TCPAddr{IP: net.ParseIP("192.0.2.7")}:             true,
		&net.UnixAddr{Name: "x"}:                               false,
	} {
		if got := p.trust(from); got != want {
			t.Errorf("%s: %t", from, got)
		}
	}
}
