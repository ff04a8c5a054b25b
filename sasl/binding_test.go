package sasl_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"math/big"
	"testing"

	"postfach/sasl"
)

// P3-SCRAM-15, AMB-15: the hash is that of the certificate's signature, SHA-256
// for weaker ones, and there is no binding where there is no one hash.
func TestEndPointBinding(t *testing.T) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	sum256 := func(b []byte) []byte { s := sha256.Sum256(b); return s[:] }
	sum384 := func(b []byte) []byte { s := sha512.Sum384(b); return s[:] }
	sum512 := func(b []byte) []byte { s := sha512.Sum512(b); return s[:] }
	for _, test := range []struct {
		signature x509.SignatureAlgorithm
		key       crypto.Signer
		sum       func([]byte) []byte
	}{
		{x509.SHA256WithRSA, rsaKey, sum256},
		{x509.SHA384WithRSA, rsaKey, sum384},
		{x509.SHA512WithRSA, rsaKey, sum512},
		{x509.SHA256WithRSAPSS, rsaKey, sum256},
		{x509.SHA384WithRSAPSS, rsaKey, sum384},
		{x509.ECDSAWithSHA256, ecKey, sum256},
		{x509.ECDSAWithSHA384, ecKey, sum384},
		{x509.ECDSAWithSHA512, ecKey, sum512},
		{x509.PureEd25519, edKey, nil},
	} {
		template := &x509.Certificate{SerialNumber: big.NewInt(1), SignatureAlgorithm: test.signature}
		der, err := x509.CreateCertificate(rand.Reader, template, template, test.key.Public(), test.key)
		if err != nil {
			t.Fatal(test.signature, err)
		}
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		b, ok := sasl.EndPointBinding(cert)
		if ok != (test.sum != nil) || ok && (b.Type != sasl.TLSServerEndPoint || !bytes.Equal(b.Data, test.sum(der))) {
			t.Errorf("%s: %v, %x", test.signature, ok, b.Data)
		}
	}
	// Nobody signs like this any more.
	for _, old := range []x509.SignatureAlgorithm{x509.MD5WithRSA, x509.SHA1WithRSA, x509.ECDSAWithSHA1} {
		b, ok := sasl.EndPointBinding(&x509.Certificate{Raw: []byte("DER"), SignatureAlgorithm: old})
		if !ok || !bytes.Equal(b.Data, sum256([]byte("DER"))) {
			t.Errorf("%s: %v, %s", old, ok, hex.EncodeToString(b.Data))
		}
	}
	if _, ok := sasl.EndPointBinding(&x509.Certificate{}); ok {
		t.Error("an unknown signature has a hash")
	}
}

// state is a *tls.ConnectionState.
type state func(label string, context []byte, length int) ([]byte, error)

func (s state) ExportKeyingMaterial(label string, context []byte, length int) ([]byte, error) {
	return s(label, context, length)
}

// P3-SCRAM-14.
func TestExporterBinding(t *testing.T) {
	b, ok := sasl.ExporterBinding(state(func(label string, context []byte, length int) ([]byte, error) {
		if label != "EXPORTER-Channel-Binding" || context == nil || len(context) > 0 || length != 32 {
			t.Errorf("%q, %#v, %d", label, context, length)
		}
		return make([]byte, length), nil
	}))
	if !ok || b.Type != sasl.TLSExporter || len(b.Data) != 32 {
		t.Errorf("%+v, %v", b, ok)
	}
	if _, ok := sasl.ExporterBinding(state(func(string, []byte, int) ([]byte, error) { return nil, errors.New("no extended master secret") })); ok {
		t.Error("a binding of a connection that has none")
	}
}
