package message

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// FileName returns a name for saving the part: the sender's without folders,
// leading dots, control characters or other traps, at most 100 octets; else one
// made from its type ("part-2.1.png"). It is never empty.
func (p *Part) FileName() string {
	name := safeName(p.Name)
	if name == "" {
		name = "part"
		if p.Path != "" {
			name += "-" + p.Path
		}
		return cutKeepingExtension(name+p.extension(), longestFileName)
	}
	if extension(name) == "" {
		name += p.extension()
	}
	return cutKeepingExtension(name, longestFileName)
}

const longestFileName = 100 // octets

// safeName makes a file name of what a sender gave; empty if nothing is left.
func safeName(name string) string {
	if i := strings.LastIndexAny(name, `/\`); i >= 0 {
		name = name[i+1:]
	}
	name = strings.Map(safeRune, strings.ToValidUTF8(name, "_"))
	name = strings.Join(strings.Fields(name), " ") // "a.txt        .exe"
	// A leading "-" is an option, "~" a home folder; Windows drops what is trimmed
	// at the end; Apple's file systems see no joiners.
	const joiners = "\u200c\u200d"
	name = strings.TrimLeft(name, ".-~ "+joiners)
	name = strings.TrimRight(name, ". "+joiners)
	if isDevice(name) {
		name = "_" + name
	}
	return name
}

func safeRune(r rune) rune {
	switch {
	case unicode.IsSpace(r):
		return ' '
	case strings.ContainsRune(`<>:"|?*`, r), r >= '\u2400' && r <= '\u2426', r == utf8.RuneError: // Printable's signs
		return '_'
	case strings.ContainsRune("∕⁄∖", r), r > unicode.MaxASCII && strings.ContainsAny(norm.NFKC.String(string(r)), `/\`):
		return '_' // somebody may take them for "/" or "\"
	case isJoiner(r):
		return r
	case reorders(r), isInvisible(r):
		return -1
	case !unicode.IsPrint(r):
		return '_'
	}
	return r
}

// isDevice says whether Windows takes the name for a device: with any extension,
// and with digits and letters of other forms.
func isDevice(name string) bool {
	base, _, _ := strings.Cut(norm.NFKC.String(name), ".")
	base = strings.Map(func(r rune) rune {
		if isJoiner(r) {
			return -1
		}
		return unicode.ToUpper(r)
	}, strings.TrimRight(base, " "))
	switch base {
	case "CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$", "CLOCK$":
		return true
	}
	digit, port := strings.CutPrefix(base, "COM")
	if !port {
		digit, port = strings.CutPrefix(base, "LPT")
	}
	return port && len(digit) == 1 && digit[0] >= '0' && digit[0] <= '9'
}

// extension returns the name's extension with its dot; empty: there is none that
// looks like one.
func extension(name string) string {
	const longest = 16
	i := strings.LastIndexByte(name, '.')
	if i <= 0 || i == len(name)-1 || len(name)-i > longest || strings.ContainsAny(name[i:], " ") {
		return ""
	}
	return name[i:]
}

// cutKeepingExtension shortens a name that is too long.
func cutKeepingExtension(name string, most int) string {
	if len(name) <= most {
		return name
	}
	ext := extension(name)
	base := name[:most-len(ext)]
	for len(base) > 0 && !utf8.RuneStart(name[len(base)]) {
		base = base[:len(base)-1]
	}
	return strings.TrimRight(base, ". ") + ext
}

// extension returns an extension for the part's type. It does not ask the system:
// a name is the same everywhere.
func (p *Part) extension() string {
	switch p.Type {
	case "text/html":
		return ".html"
	case "text/calendar":
		return ".ics"
	case "text/csv":
		return ".csv"
	case "text/vcard", "text/x-vcard", "text/directory":
		return ".vcf"
	case "text/x-patch", "text/x-diff":
		return ".patch"
	case "message/rfc822", "message/global":
		return ".eml"
	case "image/jpeg", "image/jpg", "image/pjpeg":
		return ".jpg"
	case "image/png", "image/gif", "image/webp", "image/bmp", "image/tiff", "image/heic", "image/avif",
		"audio/mp4", "audio/ogg", "video/mp4", "video/webm", "application/pdf", "application/zip",
		"application/json", "application/xml", "application/rtf", "application/gzip":
		return "." + p.Type[strings.IndexByte(p.Type, '/')+1:]
	case "image/svg+xml":
		return ".svg"
	case "audio/mpeg":
		return ".mp3"
	case "audio/wav", "audio/x-wav":
		return ".wav"
	case "video/quicktime":
		return ".mov"
	case "application/msword":
		return ".doc"
	case "application/vnd.openxmlformats-officedocument.wordprocessingml.document":
		return ".docx"
	case "application/vnd.ms-excel":
		return ".xls"
	case "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet":
		return ".xlsx"
	case "application/vnd.ms-powerpoint":
		return ".ppt"
	case "application/vnd.openxmlformats-officedocument.presentationml.presentation":
		return ".pptx"
	case "application/vnd.oasis.opendocument.text":
		return ".odt"
	case "application/pgp-signature":
		return ".asc"
	case "application/pkcs7-signature", "application/x-pkcs7-signature":
		return ".p7s"
	case "application/pkcs7-mime", "application/x-pkcs7-mime":
		return ".p7m"
	case "application/x-zip-compressed":
		return ".zip"
	}
	if p.isText() || strings.HasPrefix(p.Type, "message/") {
		return ".txt"
	}
	return ".bin"
}
