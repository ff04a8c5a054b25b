//go:build unix

package interop

import (
	"context"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"postfach/internal/awkward"
	"postfach/internal/transcript"
)

// The three sessions of the document that Postfach began with play against the
// real program, line by line, and so does RFC 1939's.
func TestDocumentSessionsAtPostfachd(t *testing.T) {
	programs := build(t)
	for _, name := range []string{"netzprisma-plain", "netzprisma-apop", "netzprisma-capa", "rfc1939-section-10"} {
		t.Run(name, func(t *testing.T) {
			s, err := transcript.ParseFile("../../testdata/transcripts/" + name + ".txt")
			if err != nil {
				t.Fatal(err)
			}
			w := *programs
			w.data = filepath.Join(w.dir, name)
			set := s.Settings
			w.addUser(t, set.User, set.Secret, true)
			w.put(t, set.User, awkward.Maildrop(set.Maildrop))
			var config strings.Builder
			if set.Greeting != "" {
				fmt.Fprintf(&config, "greeting = %q\n", set.Greeting)
			}
			if set.SignOff != "" {
				fmt.Fprintf(&config, "sign_off = %q\n", set.SignOff)
			}
			fmt.Fprintf(&config, "last = %t\nannounce_historic = %t\n", set.Last, set.AnnounceHistoric)
			file := write(t, filepath.Join(w.dir, name+".toml"), config.String(), 0o644)
			w.start(t, "--config", file)

			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			conn, err := new(net.Dialer).DialContext(ctx, "tcp", net.JoinHostPort("127.0.0.1", w.plain))
			if err != nil {
				t.Fatal(err)
			}
			if err := transcript.Play(ctx, conn, s, transcript.Options{}); err != nil {
				t.Error(err)
			}
		})
	}
}
