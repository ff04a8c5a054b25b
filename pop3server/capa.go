package pop3server

import (
	"context"
	"strconv"

	"postfach/internal/popwire"
	"postfach/pop3"
)

// capa lists what works on this connection (RFC 2449 section 5): the rows of
// the commands, then what is no command. Both states hear the same, STLS apart
// (P3-CAPA-02, AMB-16).
func (s *session) capa(context.Context, []string) error {
	if err := s.ok(textCapa); err != nil {
		return err
	}
	var lines []byte
	for _, c := range s.capabilities() {
		lines = popwire.AppendDataLine(lines, c.String())
	}
	return s.write(popwire.AppendTerminator(lines))
}

func (s *session) capabilities() pop3.Capabilities {
	var cs pop3.Capabilities
	for i := range s.srv.rows {
		r := &s.srv.rows[i]
		if r.capa == nil {
			continue
		}
		if c, announced := r.capa(s); announced && (r.works == nil || r.works(s)) {
			cs = append(cs, c)
		}
	}
	add := func(tag string, params ...string) {
		cs = append(cs, pop3.Capability{Tag: tag, Params: params})
	}
	add(pop3.CapRespCodes)
	add(pop3.CapAuthRespCode)
	add(pop3.CapPipelining)
	if s.srv.ExpireDays > 0 { // P3-CAPA-13
		add(pop3.CapExpire, strconv.Itoa(s.srv.ExpireDays))
	} else {
		add(pop3.CapExpire, "NEVER")
	}
	if s.srv.Implementation != "" {
		add(pop3.CapImplementation, s.srv.Implementation)
	}
	return cs
}

// tag announces a fixed line.
func tag(tag string, params ...string) func(*session) (pop3.Capability, bool) {
	c := pop3.Capability{Tag: tag, Params: params}
	return func(*session) (pop3.Capability, bool) { return c, true }
}

// historic announces a tag that is not registered, if the operator wants it.
func historic(tag string, works func(*session) bool) func(*session) (pop3.Capability, bool) {
	c := pop3.Capability{Tag: tag}
	return func(s *session) (pop3.Capability, bool) { return c, s.srv.AnnounceHistoric && works(s) }
}

// stlsCapability announces STLS while it is permitted (P3-CAPA-18).
func (s *session) stlsCapability() (pop3.Capability, bool) {
	return pop3.Capability{Tag: pop3.CapSTLS}, s.stlsRefusal() == nil
}
