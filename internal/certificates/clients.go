package certificates

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"time"

	"postfach/internal/hint"
)

// clients are whose client certificates are taken. nil: nobody's.
type clients struct {
	authorities *x509.CertPool
	revoked     map[revoked]bool
	lists       []*x509.RevocationList
	listFile    string
	digest      [sha256.Size]byte // of all that it was read from
}

// A revoked is a certificate that its issuer has taken back.
type revoked struct{ issuer, serial string }

// readClients reads the two files. Without authorities it returns nil.
func readClients(ca, crl string) (*clients, error) {
	if ca == "" {
		return nil, nil
	}
	text, err := os.ReadFile(ca)
	if err != nil {
		return nil, hint.Add(fmt.Errorf("client authorities: %w", err), "tls.client_ca is a PEM file that uid %d can read", os.Getuid())
	}
	who := &clients{authorities: x509.NewCertPool(), revoked: map[revoked]bool{}, listFile: crl}
	issuers, err := parseCertificates(text)
	if err != nil {
		return nil, hint.Add(fmt.Errorf("client authorities %s: %w", ca, err), "tls.client_ca is a PEM file with at least one CERTIFICATE")
	}
	for _, c := range issuers {
		who.authorities.AddCert(c)
	}
	var lists []byte
	if crl != "" {
		if lists, err = os.ReadFile(crl); err == nil {
			err = who.addLists(lists, issuers)
		}
		if err != nil {
			err = fmt.Errorf("revoked client certificates %s: %w", crl, err)
			if hint.Of(err) != "" {
				return nil, err
			}
			return nil, hint.Add(err, "tls.client_crl is a file with whole lists of the authorities in tls.client_ca, in PEM or DER")
		}
	}
	sum := sha256.Sum256(text)
	who.digest = sha256.Sum256(append(sum[:], lists...))
	return who, nil
}

// parseCertificates reads all certificates of a PEM file.
func parseCertificates(text []byte) ([]*x509.Certificate, error) {
	var all []*x509.Certificate
	for {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	if len(all) == 0 {
		return nil, errors.New("there is no certificate in it")
	}
	return all, nil
}

// addLists takes one list in DER, or any number in PEM.
func (c *clients) addLists(text []byte, issuers []*x509.Certificate) error {
	ders := [][]byte{text}
	if bytes.Contains(text, []byte("-----BEGIN")) {
		ders = nil
		begun := bytes.Count(text, []byte("-----BEGIN X509 CRL-----"))
		for {
			var block *pem.Block
			if block, text = pem.Decode(text); block == nil {
				break
			}
			if block.Type == "X509 CRL" {
				ders = append(ders, block.Bytes)
			}
		}
		if len(ders) != begun { // pem skips what it cannot read
			return errors.New("one of the lists in it is damaged")
		}
	}
	for _, der := range ders {
		if err := c.addList(der, issuers); err != nil {
			return err
		}
	}
	if len(c.lists) == 0 {
		return errors.New("there is no list in it")
	}
	return nil
}

func (c *clients) addList(der []byte, issuers []*x509.Certificate) error {
	if isVersion1(der) {
		return hint.Add(errors.New("a list of version 1, which RFC 5280 does not have any more"),
			"make it with version 2: crl_extensions = crl_ext in the section of the authority in openssl.cnf, and then openssl ca -gencrl")
	}
	list, err := x509.ParseRevocationList(der)
	if err != nil {
		return err
	}
	// A list of changes, or of some certificates only, says so in a critical
	// extension. To take it for a whole one would let revoked certificates in.
	for _, e := range list.Extensions {
		if e.Critical {
			return fmt.Errorf("the list of %s is not a whole one: it has the extension %s", list.Issuer, e.Id)
		}
	}
	signed := slices.ContainsFunc(issuers, func(i *x509.Certificate) bool {
		return bytes.Equal(i.RawSubject, list.RawIssuer) && list.CheckSignatureFrom(i) == nil
	})
	if !signed {
		return fmt.Errorf("the list of %s is not signed by any of the client authorities", list.Issuer)
	}
	for _, e := range list.RevokedCertificateEntries {
		c.revoked[revoked{string(list.RawIssuer), e.SerialNumber.String()}] = true
	}
	c.lists = append(c.lists, list)
	return nil
}

// isVersion1 reports whether a list is of version 1, as openssl makes it where it is not
// told of extensions: there is no number of a version in it.
func isVersion1(der []byte) bool {
	var list struct {
		Signed, Algorithm asn1.RawValue
		Signature         asn1.BitString
	}
	_, err := asn1.Unmarshal(der, &list)
	return err == nil && bytes.HasPrefix(list.Signed.Bytes, []byte{asn1.TagSequence | 0x20})
}

// check refuses a client all of whose chains have a revoked certificate in them.
// A session that is resumed is asked again.
func (c *clients) check(state tls.ConnectionState) error {
	if len(state.VerifiedChains) == 0 {
		return nil // none was given
	}
	if c == nil {
		return errors.New("client certificates are not taken any more")
	}
	good := func(chain []*x509.Certificate) bool {
		return !slices.ContainsFunc(chain, func(cert *x509.Certificate) bool {
			return c.revoked[revoked{string(cert.RawIssuer), cert.SerialNumber.String()}]
		})
	}
	if !slices.ContainsFunc(state.VerifiedChains, good) {
		return errors.New("the client certificate was revoked")
	}
	return nil
}

// trust is different for different authorities and lists.
func (c *clients) trust() [sha256.Size]byte {
	if c == nil {
		return [sha256.Size]byte{}
	}
	return c.digest
}

// warn says which lists should have been replaced. They stay in force: without
// them revoked certificates would be taken, and to take none locks all out.
func (c *clients) warn(log *slog.Logger, now time.Time) {
	if c == nil {
		return
	}
	for _, list := range c.lists {
		if !list.NextUpdate.IsZero() && now.After(list.NextUpdate) {
			log.Warn("a list of revoked client certificates is old", "file", c.listFile, "issuer", list.Issuer.String(), "until", list.NextUpdate,
				"hint", "put the next one there; this one stays in force until then")
		}
	}
}
