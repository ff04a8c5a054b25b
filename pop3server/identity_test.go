package pop3server_test

import (
	"context"
	"testing"

	"postfach/pop3server"
)

// elsewhere lets everybody in to another maildrop than the one of the account's name.
type elsewhere struct{ maildrop string }

func (e elsewhere) Authenticate(_ context.Context, _ *pop3server.Peer, name, _ string) (pop3server.Identity, error) {
	return pop3server.Identity{User: name, Maildrop: e.maildrop}, nil
}

// The store is asked for what the accounts said, and not for the name once more.
func TestMaildropIsTheIdentitys(t *testing.T) {
	for maildrop, want := range map[string]string{"": "+OK maildrop has 1 message (3 octets)", "homeless": "-ERR [SYS/PERM] this account has no maildrop"} {
		srv, _ := newServer(newDrop("x\r\n"))
		srv.Auth = elsewhere{maildrop}
		c := connect(t, srv)
		c.talk("S: +OK POP3 server ready\nC: USER u\nS: +OK send PASS\nC: PASS p\nS: " + want)
	}
}
