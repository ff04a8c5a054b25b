package web

import (
	"strings"
	"testing"

	"postfach/internal/explore"
)

func TestKeysInAddresses(t *testing.T) {
	t.Parallel()
	for _, k := range []explore.Key{"1", "a/b?c=d&e#f", "\x00\xff", `"><script>`, explore.Key(strings.Repeat("x", 70))} {
		s := formatKey(k)
		if strings.ContainsAny(s, `/?&=#"<>%+`) {
			t.Errorf("%q became %q", k, s)
		}
		if got, err := parseKey(s); err != nil || got != k {
			t.Errorf("%q came back as %q, %v", k, got, err)
		}
	}
	for _, s := range []string{"", "=", "!", "YQ==", "a", "YR"} {
		if k, err := parseKey(s); err == nil {
			t.Errorf("%q is %q", s, k)
		}
	}
}
