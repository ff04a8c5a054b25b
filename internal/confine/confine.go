// Package confine makes a process give up what it does not need, once it has all
// that it needs open. What is given up is gone for good, for all threads and for
// the programs that it runs.
package confine

import (
	"os"
	"slices"

	"postfach/internal/vfs"
)

// Rules say what a process still needs of the machine.
type Rules struct {
	// Write are folders in which everything may be done but to run programs.
	Write []string
	// Read are files and folders, with all that is in those.
	Read []string
	// Run are programs, and folders of them. They may be read, too. Where they
	// Overlap with Write, what is written can be run.
	Run []string
	// Connect lets the process open TCP connections to elsewhere, and Bind lets it
	// listen on further ports.
	Connect, Bind bool
}

// Existing returns the rules without what does not exist. Landlock knows files and
// folders, not names: what comes to be later is out of reach.
func (r Rules) Existing() Rules {
	missing := func(path string) bool {
		_, err := os.Stat(path)
		return err != nil
	}
	for _, list := range []*[]string{&r.Write, &r.Read, &r.Run} {
		*list = slices.DeleteFunc(slices.Clone(*list), missing)
	}
	return r
}

// Writable reports whether the folders of Write hold a path, after all links in
// it have been followed. What does not exist yet would be where it says.
func (r Rules) Writable(path string) bool { return inside(r.Write, path) }

// Readable is Writable for reading.
func (r Rules) Readable(path string) bool {
	return inside(slices.Concat(r.Write, r.Read, r.Run), path)
}

// Runnable is Writable for running programs.
func (r Rules) Runnable(path string) bool { return inside(r.Run, path) }

// Overlap returns a path of Write and one of Run of which one is inside the other: what
// is written there can be run. Empty: there are none.
func (r Rules) Overlap() (write, run string) {
	for _, write := range r.Write {
		for _, run := range r.Run {
			if inside([]string{run}, write) || inside([]string{write}, run) {
				return write, run
			}
		}
	}
	return "", ""
}

func inside(folders []string, path string) bool {
	return slices.ContainsFunc(folders, func(folder string) bool {
		in, _ := vfs.Inside(folder, path) // by its name, where more cannot be found out
		return in
	})
}

// Real follows the links in a path as far as there is something.
func Real(path string) string {
	real, _ := vfs.Real(path)
	return real
}
