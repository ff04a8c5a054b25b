package pop3server

import (
	"net"
	"syscall"
)

// cork holds a last piece of what is written back, until it fills a packet, CloseWrite, or
// 200 ms (tcp(7)). The end of a connection then costs no packet of its own, and the client
// is woken once. Where that fails it costs the packet, and no more.
func (c *timedConn) cork() {
	raw, err := c.Conn.(*net.TCPConn).SyscallConn()
	if err != nil {
		return
	}
	raw.Control(func(fd uintptr) { syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_CORK, 1) })
}
