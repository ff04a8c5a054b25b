package certificates

import (
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/caddyserver/certmagic"
	"github.com/mholt/acmez/v3"
	"github.com/mholt/acmez/v3/acme"
)

// What anybody can have of a Responder.
const (
	responderTimeout = 10 * time.Second // from connect to answer
	responderHeader  = 8 << 10
)

// ResponderConnections is how many a Responder has at once, at most.
const ResponderConnections = 256

// A Responder answers an ACME server's challenges at an address of its own, and
// nothing else. It knows those of all ACMEs of the process.
type Responder struct {
	crowd   *crowd
	over    chan struct{} // closed by Close
	running sync.WaitGroup
}

// Respond answers the challenges HTTP01 or TLSALPN01 that come to l, which it
// closes when it is closed.
func Respond(l net.Listener, c Challenge, log *slog.Logger) *Responder {
	r := &Responder{crowd: &crowd{Listener: l, most: ResponderConnections}, over: make(chan struct{})}
	log = logOr(log)
	serve := func(l net.Listener) error { return r.serveTLS(l, log) }
	if c == HTTP01 {
		serve = serveHTTP
	}
	r.running.Go(func() {
		if err := serve(r.crowd); !errors.Is(err, net.ErrClosed) {
			log.Error("challenges are not answered any more", "err", err, "hint", "restart the server")
		}
	})
	return r
}

// Addr is where it listens.
func (r *Responder) Addr() net.Addr { return r.crowd.Addr() }

// Close ends it, once.
func (r *Responder) Close() {
	if r == nil {
		return
	}
	close(r.over)
	r.crowd.Close()
	r.running.Wait()
}

func serveHTTP(l net.Listener) error {
	server := &http.Server{
		Handler:        http.HandlerFunc(answerHTTP01),
		ReadTimeout:    responderTimeout,
		WriteTimeout:   responderTimeout,
		MaxHeaderBytes: responderHeader,
		ErrorLog:       slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo), // what strangers do wrong is no news
	}
	server.SetKeepAlivesEnabled(false)
	return server.Serve(l)
}

// answerHTTP01 is RFC 8555 section 8.3.
func answerHTTP01(w http.ResponseWriter, r *http.Request) {
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	challenge, ok := certmagic.GetACMEChallenge(canonical(host))
	if !ok || challenge.Type != acme.ChallengeTypeHTTP01 || r.Method != http.MethodGet || r.URL.Path != challenge.HTTP01ResourcePath() {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Write([]byte(challenge.KeyAuthorization))
}

// serveTLS is RFC 8737: the handshake is the answer.
func (r *Responder) serveTLS(l net.Listener, log *slog.Logger) error {
	config := challengeTLS()
	for {
		c, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return err
		}
		if err != nil {
			select {
			case <-time.After(100 * time.Millisecond): // too few descriptors, mostly: they come back
			case <-r.over:
			}
			continue
		}
		r.running.Go(func() {
			defer func() {
				c.Close()
				if p := recover(); p != nil { // it costs this connection
					log.Error("panic", "value", p, "stack", string(debug.Stack()))
				}
			}()
			c.SetDeadline(time.Now().Add(responderTimeout))
			if server := tls.Server(c, config); server.Handshake() == nil {
				server.Close()
			}
		})
	}
}

// challengeTLS has AEAD ciphers only, as pop3server has. RFC 8737 allows ACME servers
// to speak TLS 1.2.
func challengeTLS() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12, NextProtos: []string{acmez.ACMETLS1Protocol},
		CipherSuites: []uint16{
			tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
			tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
			tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
		},
		GetCertificate: answerTLSALPN01, SessionTicketsDisabled: true,
	}
}

func answerTLSALPN01(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	challenge, ok := certmagic.GetACMEChallenge(canonical(hello.ServerName))
	if !ok || challenge.Type != acme.ChallengeTypeTLSALPN01 || len(hello.SupportedProtos) != 1 || hello.SupportedProtos[0] != acmez.ACMETLS1Protocol {
		return nil, errors.New("no challenge is expected")
	}
	return acmez.TLSALPN01ChallengeCert(challenge.Challenge)
}

// splitListening tells certmagic where the Responder is.
func splitListening(address string) (host string, port int, err error) {
	host, text, err := net.SplitHostPort(address)
	if err != nil {
		return "", 0, err
	}
	if ip := net.ParseIP(strings.Trim(host, "[]")); ip != nil && ip.IsUnspecified() {
		host = ""
	}
	port, err = strconv.Atoi(text)
	return host, port, err
}
