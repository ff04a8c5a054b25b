package pop3

import "strings"

// A Capability is one line of CAPA: a tag and its parameters (RFC 2449
// section 3).
type Capability struct {
	Tag    string
	Params []string
}

// The registered capability tags.
const (
	CapTop            = "TOP"
	CapUser           = "USER"
	CapSASL           = "SASL"
	CapRespCodes      = "RESP-CODES"
	CapLoginDelay     = "LOGIN-DELAY"
	CapPipelining     = "PIPELINING"
	CapExpire         = "EXPIRE"
	CapUIDL           = "UIDL"
	CapImplementation = "IMPLEMENTATION"
	CapSTLS           = "STLS"
	CapAuthRespCode   = "AUTH-RESP-CODE"
	CapUTF8           = "UTF8"
	CapLang           = "LANG"
)

// String returns the line as CAPA sends it, without line end.
func (c Capability) String() string {
	if len(c.Params) == 0 {
		return c.Tag
	}
	return c.Tag + " " + strings.Join(c.Params, " ")
}

// Has reports whether param is among the capability's parameters. Case does
// not matter.
func (c Capability) Has(param string) bool {
	for _, p := range c.Params {
		if strings.EqualFold(p, param) {
			return true
		}
	}
	return false
}

// Capabilities is what CAPA answered. Order and case carry no meaning, unknown
// tags are kept (P3-CAPA-03). nil means that nothing is known.
type Capabilities []Capability

// Lookup returns the capability with this tag.
func (cs Capabilities) Lookup(tag string) (Capability, bool) {
	for _, c := range cs {
		if strings.EqualFold(c.Tag, tag) {
			return c, true
		}
	}
	return Capability{}, false
}

// Has reports whether the tag is listed.
func (cs Capabilities) Has(tag string) bool {
	_, ok := cs.Lookup(tag)
	return ok
}

// Mechanisms returns the SASL mechanisms in the server's order.
func (cs Capabilities) Mechanisms() []string {
	c, _ := cs.Lookup(CapSASL)
	return c.Params
}
