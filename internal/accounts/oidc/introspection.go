package oidc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"postfach/internal/hint"
)

// introspect asks the issuer about a token (RFC 7662). nil claims: it is not, or no
// longer, good for anything. One network does not take all turns.
func (i *Issuer) introspect(ctx context.Context, token string) (c claims, err error) {
	err = i.questions.Do(ctx, func() error {
		c, err = i.askAbout(ctx, token)
		return err
	})
	return c, err
}

func (i *Issuer) askAbout(ctx context.Context, token string) (claims, error) {
	m, err := i.published(ctx)
	if err != nil {
		return nil, err
	}
	if m.Introspection == "" {
		return nil, hint.Add(errors.New("the issuer has no endpoint for introspection"), "remove client_id: such tokens cannot be taken")
	}
	form := url.Values{"token": {token}, "token_type_hint": {"access_token"}}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, m.Introspection, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Accept", "application/json")
	request.SetBasicAuth(url.QueryEscape(i.config.ClientID), url.QueryEscape(i.secret)) // RFC 6749 section 2.3.1
	answer, err := i.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	switch answer.StatusCode {
	case http.StatusOK:
	case http.StatusUnauthorized, http.StatusForbidden:
		return nil, hint.Add(fmt.Errorf("the issuer does not let us ask about tokens: status %d", answer.StatusCode), "look at client_id and client_secret_file")
	default:
		return nil, fmt.Errorf("ask about a token: status %d", answer.StatusCode)
	}
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, err
	}
	c, err := readClaims(text)
	if err != nil {
		return nil, err
	}
	switch string(c["active"]) {
	case "true":
		return c, nil
	case "false":
		return nil, nil
	}
	return nil, errors.New("the issuer does not say whether a token is active")
}
