//go:build unix

package oidc

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"postfach/internal/accounts"
	"postfach/internal/peer"
	"postfach/pop3"
	"postfach/pop3server"
)

// slow makes a provider wait with its answers. begun hears of the first question.
func slow(t *testing.T, p *peer.OIDC) (begun <-chan struct{}, release func()) {
	t.Helper()
	asked, open := make(chan struct{}), make(chan struct{})
	var once, end sync.Once
	p.Instead(func(w http.ResponseWriter, r *http.Request) {
		once.Do(func() { close(asked) })
		<-open
		http.Error(w, "away", http.StatusServiceUnavailable)
	})
	release = func() { end.Do(func() { close(open) }) }
	t.Cleanup(release)
	return asked, release
}

// Tokens under known keys go on to work while the issuer takes its time: somebody who
// invents a key must not be able to stop them.
func TestInventedKeyStopsNoGoodToken(t *testing.T) {
	k := peer.NewKey(t, "k", jose.ES256)
	p := peer.StartOIDC(t, k)
	i, watch := open(t, p, func(c *Config) { c.Timeout = time.Hour })
	unique := 0
	good := func(when string) {
		t.Helper()
		unique++
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		if _, err := i.User(ctx, k.Sign(t, claimsOf(p, map[string]any{"jti": fmt.Sprint(unique)}), nil)); err != nil {
			t.Errorf("%s: %v", when, err)
		}
	}
	good("before")
	begun, release := slow(t, p)
	watch.pass(minPause)
	invented := k
	invented.ID = "invented"
	token := invented.Sign(t, claimsOf(p, nil), nil)
	var asking sync.WaitGroup
	asking.Go(func() {
		if _, err := i.User(t.Context(), token); err == nil || errors.Is(err, pop3server.ErrCredentials) {
			t.Errorf("the invented key: %v", err)
		}
	})
	<-begun
	good("while the issuer is asked for a key that was invented")
	release()
	asking.Wait()
}

// An issuer that has been away is asked again, and those who have an answer that is old
// do not wait for it.
func TestNobodyWaitsForAnIssuerThatWasAway(t *testing.T) {
	k := peer.NewKey(t, "k", jose.ES256)
	p := peer.StartOIDC(t, k)
	i, watch := open(t, p, func(c *Config) { c.Timeout = time.Hour })
	user := func(when string) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		c := claimsOf(p, map[string]any{"exp": watch.Now().Add(time.Hour).Unix(), "jti": watch.Now().String()})
		if _, err := i.User(ctx, k.Sign(t, c, nil)); err != nil {
			t.Errorf("%s: %v", when, err)
		}
	}
	user("before")
	p.Down()
	watch.pass(maxAge)
	user("away")
	begun, release := slow(t, p)
	watch.pass(minPause)
	user("slow")
	<-begun // it was asked all the same
	watch.pass(time.Second)
	user("still slow")
	release()
}

// A panic in the goroutine that asks costs the question, and not the process.
func TestPanicOfAQuestionIsItsError(t *testing.T) {
	f := newFetched(&Config{now: time.Now, Timeout: time.Hour}, func(context.Context) (int, error) { panic("boom") })
	if _, have, err := f.get(t.Context(), false); err == nil || !have.IsZero() {
		t.Errorf("got %v, %v", have, err)
	}
}

// One network does not take all turns of those who ask the issuer about tokens.
func TestQuestionsAboutTokensAreShared(t *testing.T) {
	p := peer.StartOIDC(t)
	p.Tokens = map[string]map[string]any{"good": {"active": true, "aud": audience, "email": "anna@example.org", "email_verified": true}}
	i, _ := open(t, p, introspects(t))
	if err := i.Probe(t.Context()); err == nil { // there are no keys, and it is known where to ask
		t.Fatal("keys of nobody's")
	}
	stop := make(chan struct{})
	p.Instead(func(w http.ResponseWriter, _ *http.Request) {
		<-stop
		w.Header().Set("Content-Type", "application/json")
		w.Write([]byte(`{"active":false}`))
	})
	const more = 50
	most := atOnce + atOnce*64/4 // those that are asked, and a quarter of all places to wait
	said := make(chan error, most+more)
	greedy := accounts.WithRemote(t.Context(), netip.MustParseAddr("192.0.2.1"))
	var asking sync.WaitGroup
	for n := range most + more {
		asking.Go(func() {
			_, err := i.User(greedy, fmt.Sprint("token", n))
			said <- err
		})
	}
	for range more {
		if err := <-said; pop3.CodeOf(err) != pop3.CodeSysTemp {
			t.Fatalf("beyond a quarter of the places: %v", err)
		}
	}
	asking.Go(func() {
		elsewhere := accounts.WithRemote(t.Context(), netip.MustParseAddr("198.51.100.1"))
		if _, err := i.User(elsewhere, "other"); !errors.Is(err, pop3server.ErrCredentials) {
			t.Errorf("from elsewhere: %v", err)
		}
	})
	close(stop)
	asking.Wait()
	for range most {
		if err := <-said; !errors.Is(err, pop3server.ErrCredentials) {
			t.Errorf("who had a place: %v", err)
		}
	}
}
