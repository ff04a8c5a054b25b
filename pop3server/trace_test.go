package pop3server_test

import (
	"encoding/base64"
	"strings"
	"sync"
	"testing"

	"postfach/pop3"
	"postfach/sasl"
)

// P3-USR-12: with what a trace shows of SCRAM nobody can try passwords. Neither end's
// proof is in it, whether the client waits for the server's or not.
func TestTracesHaveNoProofOfSCRAM(t *testing.T) {
	for _, h := range []sasl.ScramHash{sasl.SHA256, sasl.SHA1} {
		for name, waits := range map[string]bool{", step by step": true, ", in a hurry": false} {
			t.Run(h.Mechanism(false)+name, func(t *testing.T) {
				srv, log := newFullServer(three())
				var mu sync.Mutex
				var wire strings.Builder
				srv.Trace = func(e pop3.TraceEvent) {
					mu.Lock()
					defer mu.Unlock()
					wire.Write(e.Octets)
				}
				c, _ := connectFull(t, srv, trusting(0))
				client := sasl.NewScramClient(h, false, "u", "p w")
				_, first, err := client.Start()
				if err != nil {
					t.Fatal(err)
				}
				proof := next(t, client, c.line("AUTH "+h.Mechanism(false)+" "+b64(string(first))))
				hurry := "\r\n"
				if waits {
					hurry = ""
				}
				c.send(b64(proof) + "\r\n" + hurry)
				signature := c.answer()
				next(t, client, signature)
				if waits {
					c.send("\r\n")
				}
				c.want(c.answer(), welcome)
				c.talk("C: QUIT\nS: +OK ...\n(close)")
				<-c.done
				for _, secret := range []string{strings.TrimPrefix(signature, "+ "), b64(proof), b64(string(first))} {
					if strings.Contains(log.String()+wire.String(), secret) {
						t.Errorf("%q in\n%s\n%s", secret, log, wire.String())
					}
				}
				if shown := wire.String(); strings.Count(shown, "+ <secret>\r\n") != 1 || strings.Index(shown, "+ <secret>") > strings.Index(shown, welcome) {
					t.Errorf("not all is in its place:\n%s", shown)
				}
			})
		}
	}
}

// next is a client's response to a challenge.
func next(t *testing.T, client sasl.Client, challenge string) string {
	t.Helper()
	octets, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(challenge, "+ "))
	if err != nil {
		t.Fatalf("%q: %v", challenge, err)
	}
	response, err := client.Next(octets)
	if err != nil {
		t.Fatal(err)
	}
	return string(response)
}
