package sasl_test

import (
	"errors"
	"testing"

	gosasl "github.com/emersion/go-sasl"

	"postfach/sasl"
)

// The other library's ends talk to ours: the method sets are the same.
func TestOtherLibrary(t *testing.T) {
	refusal := errors.New("no")
	login := func(user, password string) error {
		if user != "u" || password != "p w" {
			return refusal
		}
		return nil
	}
	plain := func(identity, user, password string) error {
		if identity != "" {
			return refusal
		}
		return login(user, password)
	}
	identity := func(i string) error {
		if i != "" {
			return refusal
		}
		return nil
	}
	token := func(b sasl.Bearer) error {
		if (b != sasl.Bearer{User: "u", Token: "tok", Host: "pop.example.com", Port: 995}) {
			return &sasl.TokenError{Status: "invalid_token"}
		}
		return nil
	}
	theirToken := func(o gosasl.OAuthBearerOptions) *gosasl.OAuthBearerError {
		if (o != gosasl.OAuthBearerOptions{Username: "u", Token: "tok", Host: "pop.example.com", Port: 995}) {
			return &gosasl.OAuthBearerError{Status: "invalid_token"}
		}
		return nil
	}
	ours := func(token string) sasl.Client {
		return sasl.NewOAuthBearerClient(sasl.Bearer{User: "u", Token: token, Host: "pop.example.com", Port: 995})
	}
	theirs := func(token string) sasl.Client {
		return gosasl.NewOAuthBearerClient(&gosasl.OAuthBearerOptions{Username: "u", Token: token, Host: "pop.example.com", Port: 995})
	}
	for name, test := range map[string]struct {
		client sasl.Client
		server sasl.Server
		ok     bool
	}{
		"PLAIN, our server":               {gosasl.NewPlainClient("", "u", "p w"), sasl.NewPlainServer(plain), true},
		"PLAIN, our server, wrong":        {gosasl.NewPlainClient("", "u", "p"), sasl.NewPlainServer(plain), false},
		"PLAIN, our client":               {sasl.NewPlainClient("", "u", "p w"), gosasl.NewPlainServer(plain), true},
		"PLAIN, our client, wrong":        {sasl.NewPlainClient("", "u", "p"), gosasl.NewPlainServer(plain), false},
		"LOGIN, our server":               {gosasl.NewLoginClient("u", "p w"), sasl.NewLoginServer(login), true},
		"LOGIN, our server, wrong":        {gosasl.NewLoginClient("u", "p"), sasl.NewLoginServer(login), false},
		"LOGIN, both ours":                {sasl.NewLoginClient("u", "p w"), sasl.NewLoginServer(login), true},
		"EXTERNAL, our server":            {gosasl.NewExternalClient(""), sasl.NewExternalServer(identity), true},
		"EXTERNAL, our server, other":     {gosasl.NewExternalClient("v"), sasl.NewExternalServer(identity), false},
		"EXTERNAL, our client":            {sasl.NewExternalClient(""), gosasl.NewExternalServer(identity), true},
		"EXTERNAL, our client, other":     {sasl.NewExternalClient("v"), gosasl.NewExternalServer(identity), false},
		"OAUTHBEARER, our server":         {theirs("tok"), sasl.NewOAuthBearerServer(token), true},
		"OAUTHBEARER, our server, wrong":  {theirs("other"), sasl.NewOAuthBearerServer(token), false},
		"OAUTHBEARER, our client":         {ours("tok"), gosasl.NewOAuthBearerServer(theirToken), true},
		"OAUTHBEARER, our client, wrong":  {ours("other"), gosasl.NewOAuthBearerServer(theirToken), false},
		"OAUTHBEARER, both ours":          {ours("tok"), sasl.NewOAuthBearerServer(token), true},
		"OAUTHBEARER, both ours, refused": {ours("other"), sasl.NewOAuthBearerServer(token), false},
	} {
		done, clientErr, serverErr := talk(test.client, test.server, nil)
		// go-sasl says "done" beside an error.
		if ok := done && clientErr == nil && serverErr == nil; ok != test.ok {
			t.Errorf("%s: %v, %v, %v", name, done, clientErr, serverErr)
		}
	}
}
