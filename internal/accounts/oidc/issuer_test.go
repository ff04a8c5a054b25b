//go:build unix

package oidc

import (
	"bytes"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"postfach/internal/peer"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	audience = peer.OIDCAudience
	client   = peer.OIDCClient
	secret   = peer.OIDCSecret
)

// A clock goes when it is told to.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// logged collects what is logged.
type logged struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// open returns an Issuer over a provider, and its clock.
func open(t testing.TB, p *peer.OIDC, change func(*Config)) (*Issuer, *clock) {
	t.Helper()
	watch := &clock{now: time.Now()}
	c := Config{
		Issuer: p.URL, Audience: []string{"other", audience}, CA: p.Cert.CAFile,
		Timeout: 10 * time.Second, Log: slog.New(slog.NewTextHandler(io.Discard, nil)), now: watch.Now,
	}
	if change != nil {
		change(&c)
	}
	i, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { i.Close() })
	return i, watch
}

func claimsOf(p *peer.OIDC, changes map[string]any) map[string]any { return p.Claims(changes) }

func secretFile(t testing.TB) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(name, []byte(secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// introspects lets an Issuer ask about tokens.
func introspects(t testing.TB) func(*Config) {
	return func(c *Config) { c.ClientID, c.SecretFile = client, secretFile(t) }
}

// spoil changes an octet in the middle of one of a token's three parts.
func spoil(token string, part int) string {
	parts := strings.Split(token, ".")
	text := []byte(parts[part])
	i := len(text) / 2
	if text[i] == 'A' {
		text[i] = 'B'
	} else {
		text[i] = 'A'
	}
	parts[part] = string(text)
	return strings.Join(parts, ".")
}
