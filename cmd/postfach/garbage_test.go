package main

import (
	"os"
	"os/exec"
	"runtime"
	"runtime/metrics"
	"slices"
	"strings"
	"testing"
	"time"
)

// The first collection, whenever it is, sets everything to what is usual.
func TestGarbageIsCollectedAsUsualFromTheFirstTimeOn(t *testing.T) {
	const again = "POSTFACH_TEST_COLLECT_LATE"
	if os.Getenv(again) == "" { // what is set is set for the process
		cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
		cmd.Env = slices.DeleteFunc(append(os.Environ(), again+"=yes"), func(v string) bool {
			return strings.HasPrefix(v, "GOGC=") || strings.HasPrefix(v, "GOMEMLIMIT=")
		})
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
		}
		return
	}
	settings := func() [2]uint64 {
		s := []metrics.Sample{{Name: "/gc/gogc:percent"}, {Name: "/gc/gomemlimit:bytes"}}
		metrics.Read(s)
		return [2]uint64{s[0].Value.Uint64(), s[1].Value.Uint64()}
	}
	usual := settings()
	collectLate()
	if got := settings(); got == usual || got[1] != littleMemory {
		t.Errorf("before: %v", got)
	}
	var cycles runtime.MemStats
	runtime.ReadMemStats(&cycles)
	for begin := cycles.NumGC; cycles.NumGC == begin; runtime.ReadMemStats(&cycles) {
		hold = make([]byte, 1<<20)
	}
	for deadline := time.Now().Add(10 * time.Second); settings() != usual && time.Now().Before(deadline); {
		runtime.Gosched()
	}
	if got := settings(); got != usual {
		t.Errorf("after the first collection: %v, want %v", got, usual)
	}
}

var hold []byte
