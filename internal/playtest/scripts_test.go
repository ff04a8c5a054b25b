package playtest

import (
	"cmp"
	"context"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"

	"postfach/internal/awkward"
	"postfach/internal/transcript"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// each runs play for each transcript as a subtest, but for those which say
// that they are not for this place.
func each(t *testing.T, place string, play func(*testing.T, *transcript.Script)) {
	t.Helper()
	files, err := filepath.Glob("../../testdata/transcripts/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no transcripts: %v", err)
	}
	for _, file := range files {
		s, err := transcript.ParseFile(file)
		if err != nil {
			t.Error(err)
			continue
		}
		s.Settings.User = cmp.Or(s.Settings.User, "u")
		if s.Settings.Password == "" {
			s.Settings.Password = "p w"
		}
		if _, not := s.Settings.Not[place]; not {
			continue // the file has the reason
		}
		t.Run(s.Name, func(t *testing.T) { play(t, s) })
	}
}

// messages returns what the script's maildrop holds.
func messages(t *testing.T, s *transcript.Script) []awkward.Message {
	t.Helper()
	drop := awkward.Maildrop(s.Settings.Maildrop)
	if drop == nil {
		t.Fatalf("there is no maildrop %q", s.Settings.Maildrop)
	}
	return drop
}

// limit bounds a game in real time; none of them comes near it.
func limit(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// The places in "#! not PLACE: reason" are the ones that are looked for.
func TestTranscriptsNameKnownPlaces(t *testing.T) {
	known := map[string]bool{"client": true, "dovecot": true, "octets": true}
	each(t, "", func(t *testing.T, s *transcript.Script) {
		for place := range s.Settings.Not {
			if !known[place] {
				t.Errorf("nobody plays at %q", place)
			}
		}
	})
}
