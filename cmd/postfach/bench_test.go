package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"postfach/internal/bench"
)

// benchCommand parses a command line.
func benchCommand(t *testing.T, args ...string) (*benchCmd, error) {
	t.Helper()
	var c struct {
		Bench benchCmd `cmd:""`
	}
	parser, err := kong.New(&c)
	if err != nil {
		t.Fatal(err)
	}
	_, err = parser.Parse(append([]string{"bench"}, args...))
	return &c.Bench, err
}

// runsUntilTheEnd runs a server until the test ends, and returns its first line, which
// is JSON.
func runsUntilTheEnd(t *testing.T, run func(context.Context, io.Writer) error) (said map[string]any) {
	t.Helper()
	r, w := io.Pipe()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		err := run(ctx, w)
		w.CloseWithError(err)
		done <- err
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("the server ended: %v", err)
		}
	})
	line, err := bufio.NewReader(r).ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &said)
	}
	if err != nil {
		t.Fatal(err)
	}
	return said
}

func benchCanned(t *testing.T, args ...string) map[string]any {
	t.Helper()
	c, err := benchCommand(t, append([]string{"canned", "--json"}, args...)...)
	if err != nil {
		t.Fatal(err)
	}
	return runsUntilTheEnd(t, c.Canned.run)
}

func TestBenchRunPrintsJSON(t *testing.T) {
	server, fromLF := benchCanned(t, "--messages", "20", "--size", "1000"), benchCanned(t, "--messages", "20", "--size", "1000", "--from-lf")
	if server["pid"] != float64(os.Getpid()) {
		t.Errorf("%v", server)
	}
	delay, err := benchCommand(t, "delay", "--to", server["pop3"].(string), "--rtt", "1ms", "--json")
	if err != nil {
		t.Fatal(err)
	}
	proxy := runsUntilTheEnd(t, delay.Delay.run)
	for _, args := range [][]string{
		{"retr", server["pop3"].(string)},
		{"retr", server["pop3"].(string), "--tls", "stls"},
		{"retr", server["pop3s"].(string), "--tls", "tls", "--resume"},
		{"retr", proxy["address"].(string)},
		{"retr", fromLF["pop3"].(string)},
	} {
		c, err := benchCommand(t, append([]string{"run", "--json", "--count", "2", "--password", "x"}, args...)...)
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		if err := c.Run.run(t.Context(), &out, io.Discard); err != nil {
			t.Fatal(err)
		}
		var r bench.Result
		dec := json.NewDecoder(&out)
		dec.DisallowUnknownFields()
		if err := dec.Decode(&r); err != nil || r.Version != 1 || r.Operations != 40 || r.Octets != 40_000 || r.Mistakes.Count != 0 {
			t.Errorf("%v: %v %+v", args, err, r)
		}
	}
}

// The floor has the certificate that the servers have which it is compared with.
func TestBenchCannedHasTheCertificate(t *testing.T) {
	conf, err := bench.SelfSigned()
	if err != nil {
		t.Fatal(err)
	}
	pair := conf.Certificates[0]
	key, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	certFile, keyFile := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for name, block := range map[string]*pem.Block{certFile: {Type: "CERTIFICATE", Bytes: pair.Certificate[0]}, keyFile: {Type: "PRIVATE KEY", Bytes: key}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	server := benchCanned(t, "--cert", certFile, "--key", keyFile)
	conn, err := tls.Dial("tcp", server["pop3s"].(string), &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if got := conn.ConnectionState().PeerCertificates[0].Raw; !bytes.Equal(got, pair.Certificate[0]) {
		t.Error("it is another one")
	}
	if _, err := benchCommand(t, "canned", "--cert", certFile); err == nil {
		t.Error("a certificate without a key was taken")
	}
	mixed, err := benchCommand(t, "canned", "--cert", keyFile, "--key", certFile)
	if err != nil {
		t.Fatal(err)
	}
	var exit *exitError
	if err := mixed.Canned.run(t.Context(), io.Discard); !errors.As(err, &exit) || exit.code != exitUsage {
		t.Errorf("no pair: %v", err)
	}
}

func TestBenchRunRefuses(t *testing.T) {
	for _, args := range [][]string{
		{"run", "walk", "127.0.0.1:1"},
		{"run", "login", "192.0.2.1:110"},
		{"run", "users", "127.0.0.1:1"},
		{"run", "login", "127.0.0.1"},
	} {
		c, err := benchCommand(t, args...) // wrong usage is told before a password is asked for
		if err != nil {
			t.Fatal(err)
		}
		var exit *exitError
		if err := c.Run.run(t.Context(), io.Discard, io.Discard); !errors.As(err, &exit) || exit.code != exitUsage {
			t.Errorf("%v: %v", args, err)
		}
	}
}

// A server that makes mistakes has an exit code of its own.
func TestBenchRunTellsMistakes(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				io.WriteString(conn, "+OK\r\n")
				for lines := bufio.NewScanner(conn); lines.Scan(); {
					reply := "+OK\r\n" // STAT says nothing
					io.WriteString(conn, reply)
					if lines.Text() == "QUIT" {
						return
					}
				}
			}()
		}
	}()
	c, err := benchCommand(t, "run", "login", l.Addr().String(), "--password", "x", "--count", "2", "--cold", "--at-once", "1")
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	var exit *exitError
	if err := c.Run.run(t.Context(), &out, io.Discard); !errors.As(err, &exit) || exit.code != exitMistakes {
		t.Errorf("%v", err)
	}
	if !strings.Contains(out.String(), "STAT") {
		t.Errorf("%s", out.String())
	}
}

func TestBenchMaildirs(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "mail")
	c, err := benchCommand(t, "maildirs", dir, "--users", "2", "--messages", "3", "--size", "1000", "--names", "sizes", "--json")
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := c.Maildirs.run(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	if want := `{"maildirs":2,"messages":6,"octets":6000}` + "\n"; out.String() != want {
		t.Errorf("%s", out.String())
	}
	if names, _ := filepath.Glob(filepath.Join(dir, "user2", "cur", "*,S=*,W=1000:2,")); len(names) != 3 {
		t.Errorf("%q", names)
	}
	if err := c.Maildirs.run(t.Context(), &out); !errors.Is(err, bench.ErrNotEmpty) {
		t.Errorf("again: %v", err)
	}
}
