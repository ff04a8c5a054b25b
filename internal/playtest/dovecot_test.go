//go:build unix

package playtest

import (
	"context"
	"encoding/base64"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"

	"postfach/internal/peer"
	"postfach/internal/transcript"
)

// A rule is proved when other people's server keeps it, too. Where Dovecot
// differs, the transcript says why.
func TestTranscriptsAtDovecot(t *testing.T) {
	cases := make(map[string]*transcript.Script)
	var users []peer.User
	each(t, "dovecot", func(_ *testing.T, s *transcript.Script) {
		// An account for each script: they change their maildrops.
		name := fmt.Sprintf("user%d", len(users)+1)
		secret := s.Settings.Password
		if s.Settings.Secret != "" {
			secret = s.Settings.Secret
		}
		cases[name] = s
		users = append(users, peer.User{Name: name, Password: secret})
	})
	d := peer.StartDovecot(t, users...)
	for _, u := range users {
		s := cases[u.Name]
		for i, m := range messages(t, s) {
			// Dovecot's sizes do not count the line end that it adds to a
			// message without one (P3-MSG-07): here every message has one.
			d.Deliver(t, u.Name, i+1, m.Wire())
		}
		t.Run(s.Name, func(t *testing.T) {
			ctx := limit(t)
			dial := func(ctx context.Context) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, "tcp", d.Plain)
			}
			conn, err := dial(ctx)
			if err != nil {
				t.Fatal(err)
			}
			rename(s, u.Name)
			o := transcript.Options{Dial: dial, TLS: d.Cert.Client}
			if err := transcript.Play(ctx, conn, s, o); err != nil {
				t.Error(err)
			}
		})
	}
}

// rename makes the script log in as user, in AUTH PLAIN's responses, too.
func rename(s *transcript.Script, user string) {
	for i, l := range s.Lines {
		if l.Kind != transcript.Client || len(l.Parts) == 0 {
			continue
		}
		words := strings.Split(l.Parts[0].Octets, " ")
		last := &words[len(words)-1]
		if plain, err := base64.StdEncoding.DecodeString(*last); err == nil && strings.Contains(string(plain), "\x00") {
			fields := strings.Split(string(plain), "\x00")
			for j := range fields[:len(fields)-1] {
				if fields[j] == s.Settings.User {
					fields[j] = user
				}
			}
			*last = base64.StdEncoding.EncodeToString([]byte(strings.Join(fields, "\x00")))
		} else if k := strings.ToUpper(words[0]); (k == "USER" || k == "APOP") && len(words) > 1 {
			name, _, _ := strings.Cut(words[1], "\r") // there may be more commands
			name = strings.TrimSuffix(name, "\n")
			if name == s.Settings.User {
				words[1] = user + words[1][len(name):]
			}
		}
		l.Parts = slices.Clone(l.Parts)
		l.Parts[0].Octets = strings.Join(words, " ")
		s.Lines[i] = l
	}
}
