package sasl_test

import (
	"testing"

	"postfach/sasl"
)

// P3-SCRAM-18: the answer to a name comes before the proof, as often as somebody
// asks. How many passwords an account has must not show in how long that takes.
func TestChallengeCostsTheSameForManyKeys(t *testing.T) {
	allocations := func(keys int) float64 {
		v := &sasl.ScramVerifier{Salt: salt, Iterations: 4096}
		for range keys {
			v.Keys = append(v.Keys, sasl.ScramKeys{StoredKey: make([]byte, 32), ServerKey: make([]byte, 32)})
		}
		return testing.AllocsPerRun(20, func() {
			s := sasl.NewScramServer(sasl.SHA256, false, nil, func(string, string) (*sasl.ScramVerifier, error) { return v, nil }, nil)
			if _, _, err := s.Next([]byte("n,,n=anna,r=nonce")); err != nil {
				t.Fatal(err)
			}
		})
	}
	if one, many := allocations(1), allocations(65); many > one+20 { // the race detector adds some
		t.Errorf("%v allocations for one key, %v for 65", one, many)
	}
}
