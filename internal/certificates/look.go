package certificates

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"postfach/internal/vfs"
)

// look says what the files look like from outside, so that a change shows. A
// program that renews certificates replaces files, or where links lead. The new
// file may be as long as the old one and of the same moment.
func look(f Files) string {
	var b strings.Builder
	for _, name := range f.names() {
		info, err := vfs.OS{}.Stat(name)
		if err != nil {
			fmt.Fprintf(&b, "%s missing %t\n", name, errors.Is(err, fs.ErrNotExist))
			continue
		}
		fmt.Fprintf(&b, "%s %d %d %d %d %s\n", name, info.ID, info.Size, info.ModTime.UnixNano(), info.ChangeTime.UnixNano(), info.Mode)
	}
	return b.String()
}

func (f Files) names() []string {
	var names []string
	for _, p := range f.Pairs {
		names = append(names, p.Certificate, p.Key)
	}
	for _, name := range []string{f.ClientCA, f.ClientCRL} {
		if name != "" {
			names = append(names, name)
		}
	}
	return names
}
