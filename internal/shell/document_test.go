package shell

import (
	"bufio"
	"context"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"postfach/internal/awkward"
	"postfach/internal/explain"
	"postfach/internal/transcript"
	"postfach/pop3"
)

// documentScript is what a person types for the C: lines of a transcript.
func documentScript(s *transcript.Script) string {
	var b strings.Builder
	for _, l := range s.Lines {
		if l.Kind != transcript.Client {
			continue
		}
		for _, p := range l.Parts {
			if p.Secret == "" { // the shell computes the digest
				b.WriteString(p.Octets)
			}
		}
		b.WriteString("\n")
	}
	return b.String()
}

var ports = regexp.MustCompile(`127\.0\.0\.1:\d+`)

// normal replaces what differs from run to run.
func normal(out string) string { return ports.ReplaceAllString(out, "127.0.0.1:PORT") }

// A stampedConn puts a timestamp of a known form into the server's greeting, and
// translates the digest that the shell makes of it.
type stampedConn struct {
	net.Conn
	t             *testing.T
	stamp, secret string
	real          string
}

func (c *stampedConn) Read(p []byte) (int, error) {
	if c.real != "" {
		return c.Conn.Read(p)
	}
	line, err := bufio.NewReader(io.LimitReader(c.Conn, 512)).ReadString('\n')
	if err != nil {
		return 0, err
	}
	c.real, _ = pop3.Timestamp(line)
	return copy(p, strings.Replace(line, c.real, c.stamp, 1)), nil
}

func (c *stampedConn) Write(p []byte) (int, error) {
	line := string(p)
	if strings.HasPrefix(line, "APOP ") {
		digest := pop3.APOPDigest(c.stamp, c.secret)
		if !strings.Contains(line, digest) {
			c.t.Errorf("%q: the digest is not %s", line, digest)
		}
		line = strings.Replace(line, digest, pop3.APOPDigest(c.real, c.secret), 1)
	}
	_, err := io.WriteString(c.Conn, line)
	return len(p), err
}

// stamped dials so that the greeting's timestamp is the document's.
func stamped(t *testing.T, s *transcript.Script) func(context.Context, string, string) (net.Conn, error) {
	stamp := "<32568.1095545686@mail.example.com>"
	if s.Name == "netzprisma-plain.txt" {
		stamp = "<3.1686@m.example.com>"
	}
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return &stampedConn{Conn: conn, t: t, stamp: stamp, secret: s.Settings.Secret}, nil
	}
}

// golden compares with a file in testdata; POSTFACH_UPDATE=1 writes it.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name+".golden")
	if os.Getenv("POSTFACH_UPDATE") != "" {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s: got\n%s\nwant\n%s\nPOSTFACH_UPDATE=1 writes it anew", name, got, want)
	}
}

// The three sessions of the document that Postfach began with, typed into the
// shell, come out with their explanations.
func TestDocumentSessions(t *testing.T) {
	for _, name := range []string{"netzprisma-plain", "netzprisma-apop", "netzprisma-capa"} {
		for _, lang := range []explain.Language{explain.English, explain.German} {
			for _, width := range []int{120, 80} {
				full := name + "." + string(lang)
				if width == 80 {
					full += ".narrow"
				}
				t.Run(full, func(t *testing.T) {
					s, err := transcript.ParseFile("../../testdata/transcripts/" + name + ".txt")
					if err != nil {
						t.Fatal(err)
					}
					srv := serve(t, s.Settings, awkward.Maildrop(s.Settings.Maildrop))
					p := play(t, srv.addr, documentScript(s), func(o *Options) {
						o.Look.Lang, o.Look.Width = lang, width
						o.DialContext = stamped(t, s)
						o.Password = func(_ context.Context, _, _ string) (string, error) { return s.Settings.Secret, nil }
					})
					if p.err != nil {
						t.Error(p.err)
					}
					if strings.Contains(p.out, "meinkennwort") || strings.Contains(p.log, "meinkennwort") {
						t.Error("the password is shown")
					}
					golden(t, full, normal(p.out))
				})
			}
		}
	}
}
