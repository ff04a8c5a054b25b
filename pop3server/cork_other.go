//go:build !linux

package pop3server

func (c *timedConn) cork() {}
