// Package interop lets other people's mail programs fetch mail from the real
// postfachd, and the real postfach fetch from other people's servers. It has
// tests only.
package interop
