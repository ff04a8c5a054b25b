package main

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"postfach/internal/accounts"
	"postfach/internal/hint"
)

// userCertCmd keeps the client certificates that are an account's.
type userCertCmd struct {
	Add    userCertAddCmd    `cmd:"" help:"Let a client certificate log in to an account (EXTERNAL)."`
	List   userCertListCmd   `cmd:"" help:"List the fingerprints (SHA-256) of the account's client certificates."`
	Remove userCertRemoveCmd `cmd:"" help:"Take a client certificate away. It lets nobody in from then on."`
}

type userCertAddCmd struct {
	User string `arg:""`
	File string `arg:"" help:"PEM file with the certificate; - for standard input."`
	dataFlag
}

// Help is what --help adds.
func (*userCertAddCmd) Help() string {
	return `The server takes it when an authority in tls.client_ca has signed it, and its date is good. The account notes the certificate's SHA-256, and a renewed certificate is another one: add it before the old one ends.

An account that has certificates in its list has no others, whatever client_certificate_names says.`
}

func (c *userCertAddCmd) Run(ctx context.Context) error {
	cert, others, err := readCertificate(ctx, c.File)
	if err != nil {
		return hint.Add(err, "expected a PEM file, with the client's own certificate before others; - is for standard input")
	}
	editor, err := c.editor(c.User)
	if err != nil {
		return err
	}
	fingerprint := accounts.Fingerprint(cert)
	err = editor.AddCertificate(c.User, fingerprint)
	if errors.Is(err, accounts.ErrCertificateExists) {
		return hint.Add(err, "there is nothing to do: postfach user cert list %s %s", c.User, c.flags())
	}
	if err != nil {
		return c.hinted(err)
	}
	fmt.Printf("certificate of %s added: %s\n", c.User, fingerprint)
	for _, note := range doubts(cert, others, time.Now()) {
		fmt.Fprintf(os.Stderr, "note: %s\n", note)
	}
	return nil
}

// doubts say why a server may not take a certificate. It is the account's all the
// same: whoever adds it may know better.
func doubts(cert *x509.Certificate, others int, now time.Time) []string {
	var notes []string
	if others > 0 {
		notes = append(notes, fmt.Sprintf("it is the first of %d in the file; the others are not looked at", others+1))
	}
	if cert.IsCA {
		notes = append(notes, "it is an authority's, and not a client's: is it the right file?")
	}
	if now.After(cert.NotAfter) {
		notes = append(notes, "it has expired, and the server will not take it")
	}
	uses := cert.ExtKeyUsage
	if (len(uses) > 0 || len(cert.UnknownExtKeyUsage) > 0) && !slices.Contains(uses, x509.ExtKeyUsageClientAuth) && !slices.Contains(uses, x509.ExtKeyUsageAny) {
		notes = append(notes, "it is not made for clients (extendedKeyUsage), and the server will not take it")
	}
	return notes
}

// maxPEM bounds what is read, in octets.
const maxPEM = 1 << 20

// readCertificate reads the first certificate of a PEM file, or of standard input for
// "-", and says how many follow it. Keys and other blocks are skipped.
func readCertificate(ctx context.Context, name string) (cert *x509.Certificate, others int, err error) {
	in := os.Stdin
	if name != "-" {
		if in, err = os.Open(name); err != nil {
			return nil, 0, err
		}
		defer in.Close()
	}
	text, err := await(ctx, func() ([]byte, error) { return io.ReadAll(io.LimitReader(in, maxPEM)) })
	if err != nil {
		return nil, 0, err
	}
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		switch {
		case block.Type != "CERTIFICATE":
		case cert != nil:
			others++
		default:
			if cert, err = x509.ParseCertificate(block.Bytes); err != nil {
				return nil, 0, fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	if cert == nil {
		return nil, 0, fmt.Errorf("%s: there is no certificate in it", name)
	}
	return cert, others, nil
}

type userCertListCmd struct {
	User string `arg:""`
	dataFlag
	JSON bool `name:"json" help:"As JSON."`
}

func (c *userCertListCmd) Run() error {
	editor, err := c.editor(c.User)
	if err != nil {
		return err
	}
	a, err := findAccount(editor, c.User)
	if err != nil {
		return c.hinted(err)
	}
	if c.JSON {
		return printJSON(append([]string{}, a.Certificates...)) // [] and not null
	}
	for _, fingerprint := range a.Certificates {
		fmt.Println(fingerprint)
	}
	return nil
}

type userCertRemoveCmd struct {
	User string `arg:""`
	File string `arg:"" help:"PEM file with the certificate, - for standard input, or its SHA-256." name:"file-or-sha-256"`
	dataFlag
}

func (c *userCertRemoveCmd) Run(ctx context.Context) error {
	fingerprint, err := accounts.ParseFingerprint(c.File)
	if err != nil {
		cert, _, err := readCertificate(ctx, c.File)
		if err != nil {
			return hint.Add(err, "give a PEM file, or the fingerprint as postfach user cert list %s prints it", c.User)
		}
		fingerprint = accounts.Fingerprint(cert)
	}
	editor, err := c.editor(c.User)
	if err != nil {
		return err
	}
	left, err := editor.RemoveCertificate(c.User, fingerprint)
	if errors.Is(err, accounts.ErrNoCertificate) {
		return hint.Add(err, "postfach user cert list %s %s", c.User, c.flags())
	}
	if err != nil {
		return c.hinted(err)
	}
	fmt.Printf("certificate of %s removed: %s\n", c.User, fingerprint)
	if left == 0 {
		fmt.Fprintf(os.Stderr, "note: %s lists no certificate any more. Where the server has client_certificate_names, one with that name in it lets in now, this one too: have its authority revoke it\n", c.User)
	}
	return nil
}
