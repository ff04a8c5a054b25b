package message

// A bodyCheck looks at a leaf's octets as they pass by: whether they are encoded
// as the header says.
type bodyCheck struct {
	transfer transfer
	ascii    bool // the part promises ASCII

	characters int64 // of the body, without line ends
	bad        int64 // octets that the encoding does not have
	spaces     int64
	base64     int64 // characters of base64
	padded     bool
	behind     bool // there is more behind the padding
	eightBit   bool
}

// add takes a line, or a piece of a long one.
func (c *bodyCheck) add(line []byte) {
	switch c.transfer {
	case base64Transfer:
		c.addBase64(line)
	case quotedPrintable:
		c.addQuoted(line)
	default:
		if !c.ascii || c.eightBit {
			return
		}
		for _, o := range line {
			if o >= 0x80 {
				c.eightBit = true
				return
			}
		}
	}
}

func (c *bodyCheck) addBase64(line []byte) {
	for _, o := range line {
		switch {
		case o == '\n' || o == '\r' || c.padded && o == '=':
			continue
		case c.padded:
			c.behind = true
			return
		case isBase64(o):
			c.base64++
		case o == '=' && c.base64 > 0 && c.base64%4 != 1:
			c.padded = true
		case o == ' ' || o == '\t':
			c.spaces++
		default:
			c.bad++
		}
		c.characters++
	}
}

func (c *bodyCheck) addQuoted(line []byte) {
	for i, o := range line {
		switch {
		case o >= 0x80:
			c.eightBit = true
		case o != '=' || i+2 >= len(line): // at the end: a soft line break, or cut
		case line[i+1] == '\r' || line[i+1] == '\n' || line[i+1] == ' ' || line[i+1] == '\t':
		default:
			octet, ok := unhex(line[i+1], line[i+2])
			if !ok {
				c.bad++
			}
			c.eightBit = c.eightBit || octet >= 0x80
		}
	}
}

// result tells the part what was seen.
func (c *bodyCheck) result(p *Part) {
	const sixteenth = 16 // English has more spaces and full stops than that
	switch {
	case c.transfer == base64Transfer && (c.bad+c.spaces)*sixteenth > c.characters:
		p.transfer = identity
		p.note("it should be base64 and is not: shown as it is")
		return
	case c.bad > 0 && c.transfer == base64Transfer:
		p.note("octets between the base64 are left out")
	case c.bad > 0:
		p.note("some quoted-printable is wrong: shown as it is")
	}
	if c.behind {
		p.note("there is more behind the end of the base64")
	}
	if c.transfer == base64Transfer && !c.padded && c.base64%4 != 0 {
		p.note("the base64 ends too early")
	}
	if c.ascii && c.eightBit {
		p.note("it should be ASCII and is not: the character set is guessed")
	}
}
