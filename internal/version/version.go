// Package version says which version a program of ours is.
package version

import "runtime/debug"

// String is the module's version, as the build has it: a release's, or one with time
// and revision. Where the build has none it is "devel", with the revision if that is
// known.
func String() string {
	build, ok := debug.ReadBuildInfo()
	if !ok {
		return devel
	}
	return of(build)
}

const devel = "devel"

// shortRevision is how many digits people compare.
const shortRevision = 12

func of(build *debug.BuildInfo) string {
	if v := build.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	revision, changed := "", ""
	for _, s := range build.Settings {
		switch {
		case s.Key == "vcs.revision":
			revision = s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			changed = "+dirty" // as the go command calls it
		}
	}
	if revision == "" {
		return devel
	}
	return devel + "-" + revision[:min(len(revision), shortRevision)] + changed
}
