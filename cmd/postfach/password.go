package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"

	"golang.org/x/term"

	"postfach/internal/hint"
	"postfach/internal/remotes"
	"postfach/pop3"
)

// accountPassword says where the password of an account elsewhere comes from.
type accountPassword struct {
	PasswordStdin   bool   `help:"Read the password from the first line of standard input." xor:"password"`
	PasswordCommand string `help:"Run a command with sh; the first line that it prints is the password." placeholder:"CMD" xor:"password"`
}

// password gets the password. It is never an argument: others could see it.
func (c *accountPassword) password(ctx context.Context, user, host string) (string, error) {
	switch {
	case c.PasswordStdin:
		line, err := stdinLine(ctx, bufio.NewReader(os.Stdin), "password")
		if err != nil {
			return "", &exitError{err, exitUsage}
		}
		return line, nil
	case c.PasswordCommand != "":
		return commandLine(ctx, "--password-command", c.PasswordCommand)
	}
	if password, ok := os.LookupEnv("POSTFACH_PASSWORD"); ok {
		return password, nil
	}
	if !term.IsTerminal(int(os.Stdin.Fd())) {
		err := errors.New("there is no terminal to ask for the password")
		return "", &exitError{hint.Add(err, "use --password-command, --password-stdin or POSTFACH_PASSWORD"), exitUsage}
	}
	return prompt(ctx, fmt.Sprintf("password of %s on %s: ", user, host))
}

// given reports whether a flag brings a password.
func (c *accountPassword) given() bool { return c.PasswordStdin || c.PasswordCommand != "" }

// commandLine returns the first line that a flag's command prints. That it fails is no
// wrong usage: a safe of passwords may be locked just now.
func commandLine(ctx context.Context, flag, command string) (string, error) {
	line, err := remotes.FirstLine(ctx, command, os.Stdin, os.Stderr)
	if err != nil {
		return "", hint.Add(fmt.Errorf("%s %q: %w", flag, command, err), "sh runs it; the first line that it prints is taken")
	}
	return line, nil
}

// tlsConfig is what --cafile, --pin and --client-cert make of TLS.
func tlsConfig(cafile, pin string, shown *clientCertificate) (*tls.Config, error) {
	conf := &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{pop3.ALPN}}
	var err error
	if cafile != "" {
		if conf.RootCAs, err = readRoots(cafile); err != nil {
			return nil, err
		}
	}
	trusted, err := parsePin(pin)
	if err != nil {
		return nil, err
	}
	trusted.Apply(conf)
	return conf, shown.addTo(conf)
}

// readRoots reads the certificates that --cafile names.
func readRoots(file string) (*x509.CertPool, error) {
	roots, err := remotes.Roots(file)
	if err != nil {
		return nil, &exitError{err, exitUsage}
	}
	return roots, nil
}

// parsePin reads what --pin says; nil for nothing.
func parsePin(s string) (remotes.Pin, error) {
	pin, err := remotes.ParsePin(s)
	if err != nil {
		return nil, &exitError{hint.Add(fmt.Errorf("--pin: %w", err), "postfach check HOST shows it"), exitUsage}
	}
	return pin, nil
}
