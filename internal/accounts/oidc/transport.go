package oidc

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// maxAnswer bounds what an issuer can make us hold, in octets.
const maxAnswer = 1 << 20

// newClient returns a client for one issuer. It knows no proxy: the environment
// does not say whom tokens are shown to.
func newClient(t *tls.Config, timeout time.Duration) *http.Client {
	return &http.Client{
		Timeout: timeout,
		Transport: &guarded{&http.Transport{
			TLSClientConfig:        t,
			ForceAttemptHTTP2:      true,
			DisableCompression:     true, // so that small is small
			MaxResponseHeaderBytes: 64 << 10,
			MaxIdleConnsPerHost:    4,
			IdleConnTimeout:        time.Minute,
		}},
		// An issuer that is somewhere else says so in its configuration.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

var errUnsafe = errors.New("the address does not begin with https")

// guarded asks only where it is safe to, and reads only so much.
type guarded struct{ *http.Transport }

func (g *guarded) RoundTrip(r *http.Request) (*http.Response, error) {
	if !safe(r.URL) {
		return nil, errUnsafe
	}
	answer, err := g.Transport.RoundTrip(r)
	if err == nil {
		answer.Body = &boundedBody{answer.Body, maxAnswer}
	}
	return answer, err
}

// A boundedBody fails when it is too long.
type boundedBody struct {
	io.ReadCloser
	left int
}

var errAnswer = fmt.Errorf("the answer has more than %d octets", maxAnswer)

func (b *boundedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p[:min(len(p), b.left+1)])
	if b.left -= n; b.left < 0 {
		return 0, errAnswer
	}
	return n, err
}
