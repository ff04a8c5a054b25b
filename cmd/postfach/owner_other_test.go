//go:build !unix

package main

// sameOwner does nothing: files belong to who makes them.
func sameOwner(string, string) error { return nil }
