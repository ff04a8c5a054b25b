package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"strings"

	"postfach/internal/hint"
	"postfach/internal/remotes"
)

// clientCertificate says which certificate the client has. Its account's server
// sees it, and no other (P3-EXT-04).
type clientCertificate struct {
	ClientCert string `help:"Show the client certificate in this PEM file." placeholder:"FILE" type:"existingfile"`
	ClientKey  string `help:"The file with the client certificate's key, if that is another one." placeholder:"FILE" type:"existingfile"`
}

// addTo makes conf show the certificate to a server that asks for one.
func (c *clientCertificate) addTo(conf *tls.Config) error {
	if err := c.usage(); err != nil || c.ClientCert == "" {
		return err
	}
	pair, err := remotes.ClientCertificate(c.ClientCert, c.ClientKey)
	if err != nil {
		return &exitError{hint.Add(fmt.Errorf("--client-cert: %w", err), "certificate and key must be PEM, and the key without a passphrase"), exitUsage}
	}
	conf.Certificates = []tls.Certificate{pair}
	return nil
}

func (c *clientCertificate) usage() error {
	if c.ClientKey != "" && c.ClientCert == "" {
		return &exitError{hint.Add(errors.New("--client-key, and no certificate"), "--client-cert FILE goes with it"), exitUsage}
	}
	return nil
}

// accountLogin says how one logs in at an account elsewhere, beside the password.
type accountLogin struct {
	Auth         string `help:"Log in by this mechanism, such as SCRAM-SHA-256, and no other." placeholder:"MECHANISM"`
	TokenCommand string `help:"Run a command with sh; the first line that it prints is an access token (OAUTHBEARER, XOAUTH2)." placeholder:"CMD" xor:"password"`
	clientCertificate
}

// given reports whether there is anything that is for one account alone.
func (c *accountLogin) given() bool {
	return c.Auth != "" || c.TokenCommand != "" || c.ClientCert != ""
}

// addTo says it of an account. It goes before what the account's file says;
// password tells that a flag brings one.
func (c *accountLogin) addTo(a *remotes.Account, password bool) error {
	if err := c.usage(); err != nil {
		return err
	}
	auth := strings.ToUpper(c.Auth)
	if auth != "" && a.URL.Auth != "" && a.URL.Auth != auth {
		err := fmt.Errorf("--auth %s, and ;AUTH=%s in the URL", c.Auth, a.URL.Auth)
		return &exitError{hint.Add(err, "leave one of the two out"), exitUsage}
	}
	if c.ClientCert != "" {
		a.ClientCert, a.ClientKey, a.ClientCertAt = c.ClientCert, c.ClientKey, ""
	}
	if c.TokenCommand != "" {
		a.TokenCommand, a.PasswordCommand = c.TokenCommand, ""
	}
	if password {
		a.TokenCommand = ""
	}
	u := *a.URL // the file's stays as it is
	switch a.URL = &u; {
	case auth != "":
		u.Auth = auth
	case password && u.Auth == "":
		u.Auth = "*" // and not by the certificate
	}
	return nil
}
