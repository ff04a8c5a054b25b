// Package archtest holds the arrows of docs/DESIGN.md as tests: which package
// may import which, and what the code may not contain. It has no code of its
// own.
package archtest
