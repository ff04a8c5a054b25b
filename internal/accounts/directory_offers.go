package accounts

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"postfach/sasl"
)

// Offers implements pop3server.ScramSource. When that changes, because of an account,
// the log says so: clients that use SCRAM notice.
func (d *Directory) Offers(h sasl.ScramHash) bool {
	offered := d.offers(h)
	d.telling.Lock()
	changed := d.told != nil && d.told[h] != offered
	d.telling.Unlock()
	if changed {
		d.TellMechanisms()
	}
	return offered
}

func (d *Directory) offers(h sasl.ScramHash) bool {
	if d.ScramHashes != nil {
		return slices.Contains(d.ScramHashes, h)
	}
	return len(d.Sources) > 0 && !slices.ContainsFunc(d.Sources, func(s Source) bool { return !s.Offers(h) })
}

// A scramCounter is a Source that knows which accounts have no verifier.
type scramCounter interface {
	// without returns how many open accounts have no verifier for a hash, with a few
	// of their names, and how many have one.
	without(h sasl.ScramHash) (names []string, lack, have int)
}

// TellMechanisms logs which mechanisms are offered, and which are not because of some
// account: one without a verifier keeps SCRAM from all.
func (d *Directory) TellMechanisms() {
	hashes := []sasl.ScramHash{sasl.SHA256, sasl.SHA1}
	now := map[sasl.ScramHash]bool{}
	for _, h := range hashes {
		now[h] = d.offers(h)
	}
	d.telling.Lock()
	same := d.told != nil && maps.Equal(d.told, now)
	d.told = now
	d.telling.Unlock()
	if same { // another session was faster
		return
	}
	offered := slices.Clone(d.Mechanisms)
	var not, fails []string
	for _, h := range hashes {
		why := d.lacking(h)
		switch {
		case now[h]:
			offered = append(offered, h.Mechanism(false))
			if why != "" {
				fails = append(fails, h.Mechanism(false)+": "+why)
			}
		case d.ScramHashes == nil && why != "":
			not = append(not, h.Mechanism(false)+": "+why)
		}
	}
	values := []any{"offered", strings.Join(offered, " ")}
	if len(not) > 0 {
		values = append(values, "not", strings.Join(not, "; "))
	}
	if len(fails) > 0 {
		values = append(values, "fails_for", strings.Join(fails, "; "))
	}
	d.log().Info("mechanisms", values...)
}

// lacking says who cannot use a mechanism. Empty: everybody can, or, with SHA-1, which
// is for old clients, nobody is meant to.
func (d *Directory) lacking(h sasl.ScramHash) string {
	var names []string
	lack, have, unknown := 0, 0, 0
	for _, s := range d.Sources {
		c, ok := s.(scramCounter)
		if !ok {
			unknown++
			continue
		}
		some, without, with := c.without(h)
		names, lack, have = append(names, some...), lack+without, have+with
	}
	if h == sasl.SHA1 && have == 0 {
		return ""
	}
	var why []string
	switch {
	case lack == 1:
		why = append(why, fmt.Sprintf("1 account has no verifier (%s)", names[0]))
	case lack > 1:
		names = names[:min(len(names), maxLacking)]
		if lack > len(names) {
			names = append(names, fmt.Sprintf("and %d more", lack-len(names)))
		}
		why = append(why, fmt.Sprintf("%d accounts have no verifier (%s)", lack, strings.Join(names, ", ")))
	}
	if unknown > 0 {
		why = append(why, "a source that is no file cannot say who has a verifier")
	}
	return strings.Join(why, ", and ")
}

// maxLacking is how many accounts the log names.
const maxLacking = 5
