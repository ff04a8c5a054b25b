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

// mechanism makes the client end of a mechanism.
func (c *Client) mechanism(name, user, secret string) (sasl.Client, error) {
	switch name {
	case sasl.ScramSHA256Plus:
		return c.scramPlus(sasl.SHA256, user, secret)
	case sasl.ScramSHA1Plus:
		return c.scramPlus(sasl.SHA1, user, secret)
	case sasl.ScramSHA256:
		return c.scram(sasl.SHA256, user, secret), nil
	case sasl.ScramSHA1:
		return c.scram(sasl.SHA1, user, secret), nil
	case sasl.Plain:
		return sasl.NewPlainClient("", user, secret), nil
	case sasl.Login:
		return sasl.NewLoginClient(user, secret), nil
	case sasl.CramMD5:
		return sasl.NewCramMD5Client(user, secret), nil
	case sasl.OAuthBearer:
		return sasl.NewOAuthBearerClient(c.bearer(user, secret)), nil
	case sasl.XOAuth2:
		return sasl.NewXOAuth2Client(user, secret), nil
	case sasl.External:
		return sasl.NewExternalClient(user), nil
	}
	return nil, ErrMechanism
}

func (c *Client) scramPlus(h sasl.ScramHash, user, password string) (sasl.Client, error) {
	bindings := c.ChannelBindings()
	if len(bindings) == 0 {
		return nil, ErrNoBinding
	}
	return sasl.NewScramPlusClient(h, bindings[0], user, password), nil
}

// scram is SCRAM without channel binding. It says whether there could have been
// one, had the server offered it (P3-SCRAM-11).
func (c *Client) scram(h sasl.ScramHash, user, password string) sasl.Client {
	couldBind := len(c.ChannelBindings()) > 0 && !c.announces(h.Mechanism(true))
	return sasl.NewScramClient(h, couldBind, user, password)
}

// bearer says which host and port the client has connected to, where Dial made
// the connection (P3-OAUTH-02).
func (c *Client) bearer(user, token string) sasl.Bearer {
	b := sasl.Bearer{User: user, Token: token}
	host, port, err := net.SplitHostPort(c.addr)
	if err != nil {
		return b
	}
	b.Host = host
	b.Port, _ = strconv.Atoi(port) // 0, for the name of a service: not said
	return b
}
