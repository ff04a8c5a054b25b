// Package confine makes a process give up what it does not need, once it has all
// that it needs open. What is given up is gone for good, for all threads and for
// the programs that it runs.
package confine

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Rules say what a process still needs of the machine.
type Rules struct {
	// Write are folders in which everything may be done but to run programs.
	Write []string
	// Read are files and folders, with all that is in those.
	Read []string
	// Run are programs, and folders of them. They may be read, too.
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

func inside(folders []string, path string) bool {
	path = Real(path)
	return slices.ContainsFunc(folders, func(folder string) bool {
		rest, err := filepath.Rel(Real(folder), path)
		return err == nil && rest != ".." && !strings.HasPrefix(rest, "../")
	})
}

// Real follows the links in a path as far as there is something.
func Real(path string) string {
	real, err := filepath.EvalSymlinks(path)
	parent := filepath.Dir(path)
	switch {
	case err == nil:
		return real
	case parent == path || !errors.Is(err, fs.ErrNotExist):
		return path
	}
	return filepath.Join(Real(parent), filepath.Base(path))
}
