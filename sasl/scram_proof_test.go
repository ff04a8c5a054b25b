package sasl_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"postfach/sasl"
)

// P3-SCRAM-18: how many passwords an account has shows in the work for no proof.
func TestProofCostsTheSameForManyKeys(t *testing.T) {
	one := verifier(t, sasl.SHA256, "pencil")
	many := &sasl.ScramVerifier{Salt: salt, Iterations: one.Iterations}
	for i := range 64 {
		other := []byte(fmt.Sprintf("key %2d of 32 octets.............", i))[:32]
		many.Keys = append(many.Keys, sasl.ScramKeys{StoredKey: other, ServerKey: other})
	}
	many.Keys = append(many.Keys, one.Keys...)
	for _, right := range []bool{false, true} {
		allocations := func(v *sasl.ScramVerifier) float64 {
			return testing.AllocsPerRun(20, func() {
				password := "crayon"
				if right {
					password = "pencil"
				}
				done, _, _ := talk(sasl.NewScramClient(sasl.SHA256, false, "u", password), (&ear{verifier: v}).server(sasl.SHA256, false), nil)
				if done != right {
					t.Errorf("done: %v", done)
				}
			})
		}
		if few, more := allocations(one), allocations(many); more-few > 5 || few-more > 5 {
			t.Errorf("%v allocations for 1 key, %v for 65", few, more)
		}
	}
}

// A proof is of the octets that were said: an attribute more, or in another place, is
// part of them.
func TestProofWithMoreAttributesIsTheLibrarys(t *testing.T) {
	for _, spoil := range []func(string) string{
		func(m string) string { return strings.Replace(m, ",p=", ",x=y,p=", 1) },
		func(m string) string { return strings.Replace(m, ",p=", ",p=AAAA,p=", 1) },
		func(m string) string { return m[:strings.Index(m, ",p=")] },
		func(m string) string {
			return m[:strings.Index(m, ",p=")] + ",p=" + base64.StdEncoding.EncodeToString(make([]byte, 32))
		},
		func(m string) string { return m[:strings.Index(m, ",p=")] + ",p=%" },
	} {
		e := &ear{verifier: verifier(t, sasl.SHA256, "other", "pencil")}
		server, client := e.server(sasl.SHA256, false), sasl.NewScramClient(sasl.SHA256, false, "u", "pencil")
		_, first, err := client.Start()
		if err != nil {
			t.Fatal(err)
		}
		challenge, _, err := server.Next(first)
		if err != nil {
			t.Fatal(err)
		}
		final, err := client.Next(challenge)
		if err != nil {
			t.Fatal(err)
		}
		if said, done, err := server.Next([]byte(spoil(string(final)))); err == nil || done || len(said) > 0 || e.key != -1 {
			t.Errorf("%q: %q, %v, %v, key %d", spoil(string(final)), said, done, err, e.key)
		}
	}
}
