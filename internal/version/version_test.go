package version

import (
	"runtime/debug"
	"testing"
)

func TestVersionHasTheRevisionWhereItIsKnown(t *testing.T) {
	revision := debug.BuildSetting{Key: "vcs.revision", Value: "7b447bcd29fef72245a7c89ca127b21e0c0e14db"}
	modified := debug.BuildSetting{Key: "vcs.modified", Value: "true"}
	clean := debug.BuildSetting{Key: "vcs.modified", Value: "false"}
	for _, c := range []struct {
		version  string
		settings []debug.BuildSetting
		want     string
	}{
		{"v1.2.3", []debug.BuildSetting{revision}, "v1.2.3"},
		{"(devel)", nil, "devel"},
		{"", []debug.BuildSetting{modified}, "devel"},
		{"(devel)", []debug.BuildSetting{revision, clean}, "devel-7b447bcd29fe"},
		{"(devel)", []debug.BuildSetting{modified, revision}, "devel-7b447bcd29fe+dirty"},
		{"(devel)", []debug.BuildSetting{{Key: "vcs.revision", Value: "7b"}}, "devel-7b"},
	} {
		build := &debug.BuildInfo{Main: debug.Module{Version: c.version}, Settings: c.settings}
		if got := of(build); got != c.want {
			t.Errorf("%+v: %s, want %s", build, got, c.want)
		}
	}
	if String() == "" {
		t.Error("no version")
	}
}
