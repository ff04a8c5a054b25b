package message

import (
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

func TestFileNamesAreSafe(t *testing.T) {
	for name, want := range map[string]string{
		"report.pdf":                    "report.pdf",
		"Grüße aus Köln.txt":            "Grüße aus Köln.txt",
		"report (1).pdf":                "report (1).pdf",
		"../../etc/passwd":              "passwd.txt",
		"..\\..\\windows\\system.ini":   "system.ini",
		"C:\\a\\b.txt":                  "b.txt",
		"/etc/":                         "part-2.1.txt",
		"..":                            "part-2.1.txt",
		".":                             "part-2.1.txt",
		"":                              "part-2.1.txt",
		"  ":                            "part-2.1.txt",
		".bashrc":                       "bashrc.txt",
		"...hidden.txt":                 "hidden.txt",
		"-rf.txt":                       "rf.txt",
		"--help":                        "help.txt",
		"~root.txt":                     "root.txt",
		"CON":                           "_CON.txt",
		"con.txt":                       "_con.txt",
		"nul.tar.gz":                    "_nul.tar.gz",
		"COM1.txt":                      "_COM1.txt",
		"lpt9":                          "_lpt9.txt",
		"COM¹.txt":                      "_COM¹.txt",
		"aux .txt":                      "_aux .txt",
		"COM10.txt":                     "COM10.txt",
		"COMLPT1.txt":                   "COMLPT1.txt",
		"CON\u200b.txt":                 "_CON.txt",
		"console.txt":                   "console.txt",
		"a.txt. . ":                     "a.txt",
		"a:b.txt":                       "a_b.txt",
		"a.txt:b.exe:$DATA":             "a.txt_b.exe_$DATA",
		"..／..／etc／passwd":              "_.._etc_passwd", // what Windows or a normal form makes "/" of
		"..＼a﹨b∕c⁄d.txt":                "_a_b_c_d.txt",
		"：．txt":                         "：．txt.txt",
		"．．":                            "．．.txt",
		"…":                             "….txt",
		"ＣＯＮ.txt":                       "_ＣＯＮ.txt",
		"com１.txt":                      "_com１.txt",
		"\u200c.bashrc":                 "bashrc.txt", // Apple's file systems see no joiners
		".\u200d.\u200c":                "part-2.1.txt",
		"CO\u200dN.txt":                 "_CO\u200dN.txt",
		"a.txt\u200d. \u200c":           "a.txt",
		"CONIN$":                        "_CONIN$.txt",
		"\xff\xfe":                      "_.txt",
		"\xed\xa0\x80/\xc0\xae\xc0\xae": "_.txt",
		"a<b>|?*\".txt":                 "a_b_____.txt",
		"a\x00b\x1b[2J.txt":             "a_b_[2J.txt",
		"a\r\nb.txt":                    "a b.txt",
		"photo\u202egpj.exe":            "photogpj.exe", // it would show as photoexe.jpg
		"photo\u2066\u200f.exe":         "photo.exe",
		"invoice.pdf          .exe":     "invoice.pdf .exe",
		"invoice.pdf\u00a0\u2003\t.exe": "invoice.pdf .exe",
		"a\xff.txt":                     "a_.txt",
		"noextension":                   "noextension.txt",
		"Mr. Smith":                     "Mr. Smith.txt",
		"日本語.txt":                       "日本語.txt",
		"👩‍💻.txt":                       "👩‍💻.txt",
	} {
		p := &Part{Path: "2.1", Type: "text/plain", Name: name}
		if got := p.FileName(); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

// Every character up to the last that has another form, in the middle of a name.
func TestNothingOfUnicodeMakesAFolder(t *testing.T) {
	t.Parallel()
	for r := range rune(0x30000) {
		name := (&Part{Name: "a" + string(r) + "b.txt"}).FileName()
		if !utf8.ValidString(name) || strings.ContainsAny(norm.NFKC.String(name), "/\\\n\x00") || strings.ContainsAny(name, `<>:"|?*`) {
			t.Errorf("%U: %q", r, name)
		}
	}
}

func TestFileNamesOfTypes(t *testing.T) {
	for contentType, want := range map[string]string{
		"image/png": "part.png", "text/html": "part.html", "message/rfc822": "part.eml", "application/x-unheard-of": "part.bin",
		"text/x-unheard-of": "part.txt", "application/pdf": "part.pdf", "": "part.bin",
	} {
		if got := (&Part{Type: contentType}).FileName(); got != want {
			t.Errorf("%s: %s, want %s", contentType, got, want)
		}
	}
}

func TestLongFileNamesKeepTheirExtension(t *testing.T) {
	for _, base := range []string{strings.Repeat("x", 300), strings.Repeat("ü", 300), strings.Repeat("😀", 300), strings.Repeat("x.", 300)} {
		name := (&Part{Name: base + ".pdf"}).FileName()
		if len(name) > longestFileName || len(name) < longestFileName-8 || !strings.HasSuffix(name, ".pdf") || !utf8.ValidString(name) {
			t.Errorf("%q", name)
		}
	}
	if name := (&Part{Name: "a." + strings.Repeat("x", 300)}).FileName(); len(name) > longestFileName {
		t.Errorf("%q", name)
	}
	deep := &Part{Path: strings.Repeat("1.", 200) + "1", Type: "image/png"}
	if name := deep.FileName(); len(name) > longestFileName || !strings.HasSuffix(name, ".png") {
		t.Errorf("%q", name)
	}
}

// What the header says comes out as a safe name, whatever way it says it.
func TestFileNamesOfMessages(t *testing.T) {
	for header, want := range map[string]string{
		"Content-Disposition: attachment; filename=\"../x.pdf\"":                        "x.pdf",
		"Content-Disposition: attachment; filename=\"=?utf-8?q?..=2Fx=E2=80=AE.pdf?=\"": "x_.pdf",
		"Content-Disposition: attachment; filename*=utf-8''..%2Fx%00.pdf":               "x_.pdf",
		"Content-Type: application/pdf; name=x":                                         "x.pdf",
		"Content-Type: application/pdf":                                                 "part.pdf",
	} {
		if got := open(header + "\n\n").Root.FileName(); got != want {
			t.Errorf("%s: %q, want %q", header, got, want)
		}
	}
}
