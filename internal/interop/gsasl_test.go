//go:build unix

package interop

import (
	"bytes"
	"context"
	stdtls "crypto/tls"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"postfach/internal/peer"
	"postfach/pop3client"
	"postfach/sasl"
)

// A binding is a kind of TLS connection and what SCRAM is bound to there. TLS 1.2
// has both types: tls-unique, its own, and with the extended master secret the
// exporter (P3-SCRAM-13, P3-SCRAM-14).
type binding struct {
	name     string
	version  uint16
	priority string // GnuTLS's
	kind     string
}

// of is what libgsasl is told of the connection. Knowing one and not using it would
// say that the server has hidden -PLUS, and be refused (P3-SCRAM-12).
func (b binding) of(mechanism string) string {
	if mechanism == sasl.ScramSHA256Plus {
		return b.kind
	}
	return "none"
}

func bindings() []binding {
	return []binding{
		{"TLS 1.3 tls-exporter", stdtls.VersionTLS13, "NORMAL:-VERS-ALL:+VERS-TLS1.3", sasl.TLSExporter},
		{"TLS 1.2 tls-exporter", stdtls.VersionTLS12, "NORMAL:-VERS-ALL:+VERS-TLS1.2", sasl.TLSExporter},
		{"TLS 1.2 tls-unique", stdtls.VersionTLS12, "NORMAL:-VERS-ALL:+VERS-TLS1.2", sasl.TLSUnique},
	}
}

var scramMechanisms = []string{sasl.ScramSHA256Plus, sasl.ScramSHA256}

// buildGsasl compiles the program in testdata/gsasl.c.
func buildGsasl(t *testing.T) string {
	t.Helper()
	gcc := peer.Need(t, "gcc")
	libraries, err := exec.Command(peer.Need(t, "pkg-config"), "--cflags", "--libs", "libgsasl", "gnutls").Output()
	if err != nil {
		peer.Missing(t, "libgsasl and GnuTLS cannot be compiled with")
	}
	program := filepath.Join(t.TempDir(), "gsasl")
	args := append([]string{"-Wall", "-O1", "-o", program, "testdata/gsasl.c"}, strings.Fields(string(libraries))...)
	if out, err := exec.Command(gcc, args...).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return program
}

// libgsasl logs in at postfachd, and does not with a wrong password.
func TestGsaslLogsIn(t *testing.T) {
	program := buildGsasl(t)
	w := build(t)
	w.addUser(t, user, password, false)
	w.startHasty(t, "")
	for _, b := range bindings() {
		for _, mechanism := range scramMechanisms {
			for _, try := range []struct{ password, want string }{{password, "+OK maildrop has"}, {"not " + password, "-ERR [AUTH] "}} {
				t.Run(b.name+" "+mechanism+" "+try.want, func(t *testing.T) {
					ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
					defer cancel()
					var out, log bytes.Buffer
					cmd := exec.CommandContext(ctx, program, "client", w.tls, w.ca(), b.priority, b.of(mechanism), mechanism, user, try.password)
					cmd.Stdout, cmd.Stderr = &out, &log
					err := cmd.Run()
					if ok := strings.HasPrefix(try.want, "+OK"); !strings.HasPrefix(out.String(), try.want) || ok != (err == nil) {
						t.Errorf("got %q, %v; want %q\n%s", out.String(), err, try.want, log.String())
					}
				})
			}
		}
	}
}

// pop3client logs in at libgsasl, and takes no refusal for a success.
func TestGsaslLetsIn(t *testing.T) {
	program := buildGsasl(t)
	certificate := peer.NewCertificate(t)
	for _, b := range bindings() {
		for _, mechanism := range scramMechanisms {
			for _, try := range []string{password, "not " + password} {
				t.Run(b.name+" "+mechanism+" "+try, func(t *testing.T) {
					port := make(chan string, 1)
					cmd := exec.Command(program, "server", certificate.CertFile, certificate.KeyFile, b.priority, b.of(mechanism), mechanism, user, password)
					p := peer.Start(t, cmd, func(line string) {
						if number, ok := strings.CutPrefix(line, "port "); ok {
							port <- number
						}
					})
					select {
					case number := <-port:
						logIn(t, number, certificate, b, mechanism, try)
					case <-p.Done():
					}
					<-p.Done()
					if code := cmd.ProcessState.ExitCode(); code != map[bool]int{true: 0, false: 1}[try == password] {
						t.Errorf("libgsasl ends with %d:\n%s", code, p.Output())
					}
				})
			}
		}
	}
}

func logIn(t *testing.T, port string, certificate *peer.Certificate, b binding, mechanism, try string) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	config := certificate.Client.Clone()
	config.MaxVersion = b.version
	c, err := pop3client.Dial(ctx, "localhost:"+port, &pop3client.Options{TLS: config})
	if err != nil {
		t.Error(err)
		return
	}
	defer c.Close()
	ours := sasl.NewScramClient(sasl.SHA256, false, user, try)
	if mechanism == sasl.ScramSHA256Plus {
		offered := c.ChannelBindings()
		i := slices.IndexFunc(offered, func(cb sasl.ChannelBinding) bool { return cb.Type == b.kind })
		if i < 0 {
			t.Errorf("no %s among %d bindings", b.kind, len(offered))
			return
		}
		ours = sasl.NewScramPlusClient(sasl.SHA256, offered[i], user, try)
	}
	if err := c.Auth(ctx, ours); (err == nil) != (try == password) {
		t.Errorf("with password %q: %v", try, err)
		return
	}
	if err := c.Quit(ctx); err != nil && try == password {
		t.Error(err)
	}
}
