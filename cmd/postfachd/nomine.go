//go:build !mines

package main

import "postfach/pop3server"

// mine does nothing. In a program that is built with the tag mines, for a test, it
// makes the server panic at what has "mine" in its name, and hang at what has
// "stalled" in it.
func mine(*pop3server.Server) {}
