// Package playtest plays testdata/transcripts at this project's server, at its
// client, and at other people's servers. It has tests only.
package playtest
