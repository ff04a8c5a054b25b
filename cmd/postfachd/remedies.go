package main

import (
	"errors"
	"syscall"

	"postfach/internal/config"
	"postfach/internal/hint"
)

// atStart gives an error that ends a start a hint, if it has none and there is one.
func atStart(err error) error {
	switch {
	case hint.Of(err) != "":
		return err
	case errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT):
		return hint.Add(err, "make room on that disk: a server writes to its data folder when it starts")
	case errors.Is(err, syscall.EROFS):
		return hint.Add(err, "ReadWritePaths= in the unit file has to name the folder, unless the disk itself cannot be written")
	}
	return err
}

// askingRemedy is the hint for a source that does not answer: another program that asks
// the same with the same settings says more. The empty one is none.
func askingRemedy(kind string, err error) string {
	if errors.Is(err, syscall.EPERM) {
		return "the system does not let the server connect: either a firewall on this machine, or what the server has given up, which a restart brings back"
	}
	switch config.SourceType(kind) {
	case config.LDAPSource:
		return "does ldapsearch find an entry with the same url, bind_dn, password and base?"
	case config.SQLSource:
		return "does psql get in with the same url and password, and does the query work there?"
	case "oidc":
		return "does curl get ISSUER/.well-known/openid-configuration, with the issuer of the configuration?"
	}
	return ""
}
