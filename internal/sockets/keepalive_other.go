//go:build !linux

package sockets

import "net"

// keepAlive leaves it to package net, for each connection.
func keepAlive(*net.ListenConfig) {}
