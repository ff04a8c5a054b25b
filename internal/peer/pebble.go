//go:build unix

package peer

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// A Pebble is a running ACME server that validates as real ones do, in a world
// where each name is this machine.
type Pebble struct {
	Directory string // URL
	CAFile    string // the root of its own certificate
	// HTTP and TLS are where it looks for answers to the challenges http-01 and
	// tls-alpn-01. Nobody listens there yet.
	HTTP, TLS string
	// Zone is a folder with the TXT records of that world: a file for each name,
	// with a line for each record.
	Zone string

	management string
	client     *http.Client
}

const pebbleVersion = "v2.8.0"

// StartPebble starts a server whose DNS has the TXT records in the folder zone.
func StartPebble(t testing.TB, zone string) *Pebble {
	t.Helper()
	program := pebbleProgram(t)
	dns := startZone(t, zone)
	cert := NewCertificate(t)
	here := func() string { return net.JoinHostPort("127.0.0.1", freePort(t)) }
	listen := here()
	p := &Pebble{
		Directory: "https://" + listen + "/dir", CAFile: cert.CAFile,
		HTTP: here(), TLS: here(), Zone: zone, management: here(),
		client: &http.Client{
			Timeout:   10 * time.Second,
			Transport: &http.Transport{TLSClientConfig: cert.Client, DisableKeepAlives: true},
		},
	}
	config := filepath.Join(t.TempDir(), "pebble.json")
	text := fmt.Sprintf(`{"pebble": {"listenAddress": %q, "managementListenAddress": %q, "certificate": %q, "privateKey": %q,
"httpPort": %s, "tlsPort": %s, "profiles": {"default": {"description": "x", "validityPeriod": 7776000}}, "retryAfter": {"authz": 1, "order": 1}}}`,
		listen, p.management, cert.CertFile, cert.KeyFile, portOf(p.HTTP), portOf(p.TLS))
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "-config", config, "-dnsserver", dns)
	cmd.Env = append(os.Environ(), "PEBBLE_VA_NOSLEEP=1", "PEBBLE_WFE_NONCEREJECT=0")
	process := Start(t, cmd, nil)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for range 1000 {
		if _, err := p.get("https://" + listen + "/dir"); err == nil {
			if _, err = p.get("https://" + p.management + "/roots/0"); err == nil {
				return p
			}
		}
		select {
		case <-process.Done():
			t.Fatalf("pebble does not start:\n%s", process.Output())
		case <-tick.C:
		}
	}
	t.Fatal("pebble does not listen")
	return nil
}

func (p *Pebble) get(url string) ([]byte, error) {
	answer, err := p.client.Get(url)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", url, answer.Status)
	}
	return io.ReadAll(io.LimitReader(answer.Body, 1<<20))
}

// Client trusts what the server issues, under a name.
func (p *Pebble) Client(t testing.TB, name string) *tls.Config {
	t.Helper()
	root, err := p.get("https://" + p.management + "/roots/0")
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(root) {
		t.Fatalf("no certificate in %s", root)
	}
	return &tls.Config{RootCAs: roots, ServerName: name, MinVersion: tls.VersionTLS12}
}

// pebbleProgram is pebble from the path, or one that was built once from the Go
// proxy.
func pebbleProgram(t testing.TB) string {
	t.Helper()
	if path, err := exec.LookPath("pebble"); err == nil {
		return path
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		Missing(t, "pebble is not installed, and there is no place to build it: %v", err)
	}
	dir := filepath.Join(cache, "postfach-test")
	program := filepath.Join(dir, "pebble-"+pebbleVersion)
	if _, err := os.Stat(program); err == nil {
		return program
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		Missing(t, "pebble is not installed and cannot be built: %v", err)
	}
	// Another test may build it, too: whoever is ready last replaces it by the same.
	bin, err := os.MkdirTemp(dir, "build")
	if err != nil {
		Missing(t, "pebble is not installed and cannot be built: %v", err)
	}
	defer os.RemoveAll(bin)
	build := exec.Command("go", "install", "github.com/letsencrypt/pebble/v2/cmd/pebble@"+pebbleVersion)
	build.Env = append(os.Environ(), "GOBIN="+bin, "GOFLAGS=-mod=mod")
	if out, err := build.CombinedOutput(); err != nil {
		Missing(t, "pebble is not installed and cannot be built: %v\n%s", err, out)
	}
	if err := os.Rename(filepath.Join(bin, "pebble"), program); err != nil {
		Missing(t, "pebble is not installed and cannot be built: %v", err)
	}
	return program
}

// startZone answers for all names at once: this machine is their address, and
// their TXT records lie in a folder. It returns where it listens.
func startZone(t testing.TB, folder string) string {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	over := make(chan struct{})
	go func() {
		defer close(over)
		buf := make([]byte, 4096)
		for {
			n, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			if answer := answerDNS(buf[:n], folder); answer != nil {
				conn.WriteTo(answer, from)
			}
		}
	}()
	t.Cleanup(func() {
		conn.Close()
		<-over
	})
	return conn.LocalAddr().String()
}

func answerDNS(query []byte, folder string) []byte {
	var m dnsmessage.Message
	if err := m.Unpack(query); err != nil || len(m.Questions) != 1 {
		return nil
	}
	q := m.Questions[0]
	m.Response, m.Authoritative, m.Additionals = true, true, nil
	header := dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class}
	switch q.Type {
	case dnsmessage.TypeA:
		m.Answers = append(m.Answers, dnsmessage.Resource{Header: header, Body: &dnsmessage.AResource{A: [4]byte{127, 0, 0, 1}}})
	case dnsmessage.TypeTXT:
		name := strings.ToLower(strings.TrimSuffix(q.Name.String(), "."))
		text, _ := os.ReadFile(filepath.Join(folder, filepath.Base(name)))
		for line := range strings.Lines(string(text)) {
			m.Answers = append(m.Answers, dnsmessage.Resource{Header: header, Body: &dnsmessage.TXTResource{TXT: []string{strings.TrimSuffix(line, "\n")}}})
		}
	}
	answer, err := m.Pack()
	if err != nil {
		return nil
	}
	return answer
}

func portOf(address string) string {
	_, port, _ := net.SplitHostPort(address)
	return port
}
