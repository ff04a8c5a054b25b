package sockets

import (
	"cmp"
	"net"
	"syscall"
)

// keepAlive has the listening socket ask after silent clients as package net would have
// each connection do (every 15 s, nine times). Linux hands the options down to those that
// are accepted, which spares four calls of the system for each.
func keepAlive(c *net.ListenConfig) {
	c.KeepAlive = -1 // not by package net
	c.Control = func(_, _ string, socket syscall.RawConn) (err error) {
		failed := socket.Control(func(fd uintptr) {
			err = cmp.Or(
				syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_KEEPALIVE, 1),
				syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_KEEPIDLE, 15),
				syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_KEEPINTVL, 15),
				syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_KEEPCNT, 9),
			)
		})
		return cmp.Or(failed, err)
	}
}
