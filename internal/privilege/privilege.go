// Package privilege gives root up. What a program of root's does in a folder
// that belongs to somebody else it does as that somebody: the owner of a folder
// can plant links in it, and root would follow them.
package privilege
