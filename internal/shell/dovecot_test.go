package shell

import (
	"strings"
	"testing"

	"postfach/internal/peer"
)

// A whole session with somebody else's server: STLS by hand, each login, reading
// and deleting.
func TestDovecot(t *testing.T) {
	d := peer.StartDovecot(t, peer.User{Name: "ben", Password: "hunter22"})
	d.Deliver(t, "ben", 1, []byte("Subject: one\r\n\r\n.\r\n"))
	d.Deliver(t, "ben", 2, []byte("Subject: two\r\n\r\ntext\r\n"))
	for _, c := range []struct{ login, rest, want string }{
		{"USER ben\nPASS hunter22", "STAT\nTOP 2 0", "S: +OK 2 "},
		{"PSAS hunter22\nUSER ben\nPASS wrong-hunter22", "NOOP", "S: -ERR"},
		{"USER ben\nAUTH PLAIN", "LIST\nRETR 1", "S: ..\n"},
		{"USER ben\nAUTH LOGIN", "UIDL\nDELE 1", "S: +OK"},
	} {
		p := play(t, d.Plain, "CAPA\nSTLS\n"+c.login+"\n"+c.rest+"\nQUIT\n", func(o *Options) {
			o.TLS = d.Cert.Client
			password("hunter22")(o)
		})
		if p.err != nil {
			t.Errorf("%v\n%s", p.err, p.out)
		}
		contains(t, p.log, c.want, "(tls)")
		contains(t, p.out, "TLS 1.3")
		if strings.Contains(p.out+p.log, "hunter22") {
			t.Errorf("the password is shown:\n%s%s", p.out, p.log)
		}
		if strings.Contains(p.out, "This comes after the end") || strings.Contains(p.out, "Nobody asked") {
			t.Errorf("the conversation was not followed:\n%s", p.out)
		}
	}
}
