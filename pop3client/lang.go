package pop3client

import (
	"context"
	"strings"

	"postfach/pop3"
)

// A Language is one line of LANG's list.
type Language struct {
	Tag         string
	Description string // in that language; may be empty
}

// Lang selects the language of the server's texts by a language range, "*" for
// what the server prefers, and returns the tag that it chose (RFC 6856 section
// 3.2). Use it after STLS (P3-LANG-06).
func (c *Client) Lang(ctx context.Context, tag string) (chosen string, err error) {
	if tag == "" || strings.Contains(tag, " ") {
		return "", wrap("LANG", ErrUnsafe)
	}
	r, err := c.command(ctx, "LANG", tag)
	if err != nil {
		return "", err
	}
	chosen, _, _ = strings.Cut(r.Text, " ")
	if chosen == "" {
		return "", wrap("LANG", c.fail(&pop3.ProtocolError{Want: "a language tag", Got: r.Text}))
	}
	return chosen, nil
}

// LangList returns the languages that the server has (P3-LANG-01).
func (c *Client) LangList(ctx context.Context) ([]Language, error) {
	var list []Language
	err := c.commandLines(ctx, "LANG", func(line string) error {
		tag, description, _ := strings.Cut(line, " ")
		list = append(list, Language{tag, description})
		return nil
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}
