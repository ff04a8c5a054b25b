package pop3client

import (
	"net"
	"strconv"

	"postfach/sasl"
)

// Mechanisms returns the names of those that LoginWith knows, strongest first.
func Mechanisms() []string {
	return []string{
		sasl.ScramSHA256Plus, sasl.ScramSHA1Plus, sasl.ScramSHA256, sasl.ScramSHA1, sasl.Plain, sasl.Login, sasl.CramMD5,
		sasl.OAuthBearer, sasl.XOAuth2, sasl.External,
	}
}

// mechanism makes the client end of a mechanism. Where Dial made the connection, it
// says which host and port that is to (P3-OAUTH-02).
func (c *Client) mechanism(name, user, secret string) (sasl.Client, error) {
	p := sasl.Params{User: user, Secret: secret, Bindings: c.ChannelBindings(), Announced: c.caps.Mechanisms()}
	if host, port, err := net.SplitHostPort(c.addr); err == nil {
		p.Host = host
		p.Port, _ = strconv.Atoi(port) // 0, for the name of a service: not said
	}
	return sasl.NewClient(name, p)
}
