package config

import (
	"fmt"
	"path/filepath"
	"strings"

	"postfach/internal/hint"
)

// checkConfine looks at the folders that the server may touch beside its own.
func (c *Config) checkConfine(d *document) error {
	var errs []error
	for _, list := range []struct {
		key     string
		folders []string
	}{{"confine_mail", c.ConfineMail}, {"confine_read", c.ConfineRead}} {
		for i, folder := range list.folders {
			path := fmt.Sprintf("%s.%d", list.key, i)
			switch {
			case !filepath.IsAbs(folder) || strings.ContainsAny(folder, "%{}*"):
				errs = append(errs, hint.Add(d.wrong(path, "expected the path of a folder"), `"/srv/mail" stands for all that is in it; there are no placeholders`))
			case filepath.Clean(folder) == "/":
				errs = append(errs, hint.Add(d.wrong(path, "that is everything"), "name the folders that mail is in, or say confine = false"))
			}
		}
	}
	if !c.Confine && len(c.ConfineMail)+len(c.ConfineRead) > 0 {
		c.warn(d, "confine", "confine_mail and confine_read mean nothing with confine = false")
	}
	return hint.Join(errs...)
}
