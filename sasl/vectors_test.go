package sasl

import (
	"encoding/base64"
	"testing"
)

// TestScramVectors plays the exchanges of RFC 5802 section 5 and RFC 7677 section
// 3, both ends, octet by octet (P3-SCRAM-01, P3-SCRAM-02).
func TestScramVectors(t *testing.T) {
	for _, v := range []struct {
		hash                                                   ScramHash
		clientNonce, serverNonce, salt                         string
		clientFirst, serverFirst, clientFinal, serverSignature string
	}{
		{
			SHA1, "fyko+d2lbbFgONRv9qkxdawL", "3rfcNHYJY1ZVvWVs7j", "QSXCR+Q6sek8bf92",
			"n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL",
			"r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
			"c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
			"v=rmF9pqV8S7suAoZWja4dJRkFsKQ=",
		},
		{
			SHA256, "rOprNGfwEbeRWgbNEkqO", "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0", "W22ZaJ0SNY7soEsUEjb6gQ==",
			"n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
			"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
			"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
			"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
		},
	} {
		t.Run(v.hash.Mechanism(false), func(t *testing.T) {
			salt, err := base64.StdEncoding.DecodeString(v.salt)
			if err != nil {
				t.Fatal(err)
			}
			keys, err := NewScramKeys(v.hash, "pencil", salt, 4096)
			if err != nil {
				t.Fatal(err)
			}
			server := NewScramServer(v.hash, false, nil, func(_, name string) (*ScramVerifier, error) {
				if name != "user" {
					t.Errorf("lookup got %q", name)
				}
				return &ScramVerifier{salt, 4096, []ScramKeys{keys}}, nil
			}, func(int) error { return nil }).(*scramServer)
			server.nonce = func() string { return v.serverNonce }
			client := NewScramClient(v.hash, false, "user", "pencil").(*scramClient)
			client.nonce = func() string { return v.clientNonce }

			_, message, err := client.Start()
			is(t, message, v.clientFirst, err)
			message, _, err = server.Next(message)
			is(t, message, v.serverFirst, err)
			message, err = client.Next(message)
			is(t, message, v.clientFinal, err)
			message, done, err := server.Next(message)
			is(t, message, v.serverSignature, err)
			if done || client.Finished() {
				t.Error("finished before the server's proof was heard")
			}
			message, err = client.Next(message)
			is(t, message, "", err)
			_, done, err = server.Next(message)
			if !done || err != nil || !client.Finished() {
				t.Errorf("%v, %v, client finished %v", done, err, client.Finished())
			}
		})
	}
}

func is(t *testing.T, got []byte, want string, err error) {
	t.Helper()
	if string(got) != want || got == nil || err != nil {
		t.Errorf("%q, %v\nwant %q", got, err, want)
	}
}
