//go:build !cgo

package timers

const usesC = false
