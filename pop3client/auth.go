package pop3client

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"postfach/internal/popwire"
	"postfach/pop3"
	"postfach/sasl"
)

// Auth logs in with a SASL mechanism (RFC 5034). An initial response goes with
// AUTH when the server announces SASL and the line stays short enough, else
// behind the empty challenge (P3-AUTH-11, P3-AUTH-28). A mechanism with a
// method Finished must say yes before +OK counts: it stands for the server's
// proof (P3-SCRAM-05). A *pop3.Error is the server's refusal, beside a
// *sasl.TokenError where the mechanism is told the reason; an error of the
// mechanism cancels the exchange and leaves the connection usable.
func (c *Client) Auth(ctx context.Context, mechanism sasl.Client) error {
	if err := c.mayAuth(mechanism); err != nil {
		return wrap("AUTH", err)
	}
	name, initial, err := mechanism.Start()
	if err != nil {
		return wrap("AUTH", err)
	}
	if !validMechanism(name) {
		return wrap("AUTH", fmt.Errorf("mechanism %q: %w", name, ErrUnsafe))
	}
	c.token = takesToken(mechanism)
	defer c.forget()
	if err := c.converse(ctx, mechanism, name, initial); err != nil {
		return wrap("AUTH "+name, err)
	}
	return c.loggedIn(ctx)
}

// converse is the exchange, from AUTH to the reply.
func (c *Client) converse(ctx context.Context, mechanism sasl.Client, name string, initial []byte) error {
	release, err := c.begin(ctx)
	if err != nil {
		return err
	}
	defer c.end(release)
	waiting := initial != nil // for an empty challenge
	cmd := popwire.CommandFor("AUTH", name)
	if waiting && c.caps.Has(pop3.CapSASL) && sasl.InitialWithAUTH(name) {
		c.conceal(initial)
		full := popwire.CommandFor("AUTH", name, popwire.EncodeInitial(initial))
		if _, err := appendCommand(nil, full); err == nil {
			cmd, waiting = full, false
		}
	}
	if err := c.send(cmd); err != nil {
		return err
	}
	for range c.limits.Challenges {
		challenge, done, err := c.challenge()
		if done || err != nil {
			return c.judge(mechanism, err)
		}
		var response []byte
		if waiting {
			response, waiting = initial, false
			if len(challenge) > 0 {
				err = errors.New("the server speaks first where the client should")
			}
		} else {
			response, err = mechanism.Next(challenge)
		}
		if err != nil {
			return c.cancel(err)
		}
		if err := c.respond(response); err != nil {
			return err
		}
	}
	return c.fail(&pop3.ProtocolError{Want: "an end of the challenges"})
}

// challenge reads a challenge; done says that the reply to AUTH came instead,
// which was +OK. What cannot be decoded cancels (P3-AUTH-16).
func (c *Client) challenge() (challenge []byte, done bool, err error) {
	line, err := c.line(c.limits.Challenge)
	if err != nil {
		return nil, false, err
	}
	challenge, isChallenge, ok := popwire.ParseChallenge(line, popwire.Lenient) // AMB-12
	if !isChallenge {
		_, err = c.parseReply(line)
		return nil, err == nil, err
	}
	if !ok {
		return nil, false, c.cancel(&pop3.ProtocolError{Want: "a challenge in base64", Got: popwire.Shorten(popwire.RedactChallenge([]byte(c.hide(string(line))), c.token))})
	}
	return challenge, false, nil
}

// judge decides about a reply: +OK is not enough.
func (c *Client) judge(mechanism sasl.Client, err error) error {
	why := c.refusal(mechanism)
	switch {
	case err != nil && why != nil:
		return fmt.Errorf("%w: %w", why, err)
	case err != nil:
		return err
	case why != nil: // P3-OAUTH-05
		return c.fail(fmt.Errorf("%w, and +OK all the same", why))
	}
	if m, ok := mechanism.(sasl.Prover); ok && !m.Finished() {
		return c.fail(ErrUnproved)
	}
	return nil
}

// refusal is what the server said against a token, without the token.
func (c *Client) refusal(mechanism sasl.Client) *sasl.TokenError {
	m, ok := mechanism.(sasl.Refusable)
	if !ok || m.Refusal() == nil {
		return nil
	}
	why := m.Refusal()
	return &sasl.TokenError{Status: c.hide(why.Status), Scope: c.hide(why.Scope), Configuration: c.hide(why.Configuration)}
}

// respond sends one response. It is a secret as a whole.
func (c *Client) respond(response []byte) error {
	c.conceal(response)
	c.traceSecret()
	if _, err := c.conn.Write(popwire.AppendResponse(nil, response)); err != nil {
		return c.fail(err)
	}
	return nil
}

// cancel ends the exchange because of err and returns it (P3-AUTH-07). A
// server that says +OK to that cannot be trusted.
func (c *Client) cancel(err error) error {
	line := popwire.AppendCancel(nil)
	c.traceCommands(line)
	if _, werr := c.conn.Write(line); werr != nil {
		return errors.Join(err, c.fail(werr))
	}
	_, rerr := c.reply()
	var no *pop3.Error
	switch {
	case rerr == nil:
		c.fail(ErrUnproved)
	case !errors.As(rerr, &no):
		return errors.Join(err, rerr)
	}
	return err
}

// conceal keeps a response out of errors and traces, should the server repeat
// it.
func (c *Client) conceal(response []byte) {
	if len(response) > 0 {
		c.secrets = append(c.secrets, base64.StdEncoding.EncodeToString(response))
	}
}

// validMechanism knows the grammar of RFC 4422 section 3.1.
func validMechanism(name string) bool {
	return len(name) >= 1 && len(name) <= 20 && strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") == ""
}
