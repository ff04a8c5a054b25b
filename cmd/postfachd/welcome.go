package main

import (
	"context"
	"crypto/rand"
	"embed"
	"strings"
	"time"

	"postfach/maildrop"
)

// welcomeMail is what a new mailbox begins with, in the order of the names.
//
//go:embed welcome/*.eml
var welcomeMail embed.FS

// welcome delivers the first mail.
func welcome(to maildrop.Deliverer, user string) error {
	entries, err := welcomeMail.ReadDir("welcome")
	if err != nil {
		return err
	}
	for _, e := range entries {
		text, err := welcomeMail.ReadFile("welcome/" + e.Name())
		if err != nil {
			return err
		}
		filled := strings.NewReplacer(
			"@USER@", user,
			"@DATE@", time.Now().Format(time.RFC1123Z),
			"@ID@", strings.ToLower(rand.Text()),
		).Replace(string(text))
		if _, err := to.Deliver(context.Background(), user, strings.NewReader(filled)); err != nil {
			return err
		}
	}
	return nil
}
