package explain

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"postfach/pop3"
)

func TestLanguageOf(t *testing.T) {
	for locale, want := range map[string]Language{
		"de": German, "de_AT.UTF-8": German, "DE-at": German, "de.utf8": German, "C": English, "": English, "en_GB": English, "den": English,
	} {
		if got := LanguageOf(locale); got != want {
			t.Errorf("%q: %s", locale, got)
		}
	}
}

// Numbers have the separators of the language, nouns their singular.
func TestNumbers(t *testing.T) {
	for _, tt := range []struct {
		what   speaker
		en, de string
	}{
		{number(0), "0", "0"},
		{number(999), "999", "999"},
		{number(1000), "1,000", "1.000"},
		{number(25750), "25,750", "25.750"},
		{number(-1234567), "-1,234,567", "-1.234.567"},
		{number(1<<63 - 1), "9,223,372,036,854,775,807", "9.223.372.036.854.775.807"},
		{messages.times(0), "0 messages", "0 Nachrichten"},
		{messages.times(1), "1 message", "1 Nachricht"},
		{messages.times(3), "3 messages", "3 Nachrichten"},
		{octets.times(1), "1 octet", "1 Byte"},
		{octets.times(25750), "25,750 octets", "25.750 Byte"},
		{selection{numbers: []int{2}}, "message 2", "Nachricht 2"},
		{selection{numbers: []int{1, 2}}, "messages 1 and 2", "die Nachrichten 1 und 2"},
		{selection{numbers: []int{1, 2, 3}}, "messages 1, 2 and 3", "die Nachrichten 1, 2 und 3"},
		{selection{numbers: []int{1, 2, 3, 4, 5, 6, 7, 8, 9}, more: 1000}, "messages 1, 2, 3, 4, 5, 6, 7, 8 and 1,001 more", "die Nachrichten 1, 2, 3, 4, 5, 6, 7, 8 und 1.001 weitere"},
		{quoted("a\x1b[31m{"), `“a\x1b[31m{”`, `„a\x1b[31m{“`},
		{quoted(strings.Repeat("ä", 31)), "“" + strings.Repeat("ä", 30) + "…”", "„" + strings.Repeat("ä", 30) + "…“"},
		{quoted("x" + strings.Repeat("ä", 31)), "“x" + strings.Repeat("ä", 29) + "…”", "„x" + strings.Repeat("ä", 29) + "…“"},
	} {
		if en, de := tt.what.in(English), tt.what.in(German); en != tt.en || de != tt.de {
			t.Errorf("%v: %q, %q", tt.what, en, de)
		}
	}
}

// A language that is not known is English.
func TestUnknownLanguage(t *testing.T) {
	if got := Code("fr", pop3.CodeInUse); got != Code(English, pop3.CodeInUse) || got == "" {
		t.Error(got)
	}
}

var verb = regexp.MustCompile(`%(\[\d+\])?[a-z]`)

// Every phrase has both languages, with the same arguments, and each text is
// written like a text: German without English words and the other way round.
func TestPhrasesHaveBothLanguages(t *testing.T) {
	files, _ := filepath.Glob("*.go")
	count := 0
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		fset := token.NewFileSet()
		tree, err := parser.ParseFile(fset, file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(tree, func(n ast.Node) bool {
			lit, ok := n.(*ast.CompositeLit)
			if !ok {
				return true
			}
			if name, ok := lit.Type.(*ast.Ident); !ok || name.Name != "phrase" || len(lit.Elts) == 0 {
				return true
			}
			count++
			en, de := text(t, lit.Elts[0]), text(t, lit.Elts[1])
			if (en == "") != (de == "") || len(verb.FindAllString(en, -1)) != len(verb.FindAllString(de, -1)) || len(en) > 1 && strings.HasSuffix(en, ".") != strings.HasSuffix(de, ".") {
				t.Errorf("%s: %q and %q do not belong together", fset.Position(lit.Pos()), en, de)
			}
			for _, word := range strings.Fields(de) {
				if slices.Contains([]string{"the", "and", "of", "is", "server"}, strings.Trim(word, ".,:;")) {
					t.Errorf("%s: %q is English", fset.Position(lit.Pos()), de)
				}
			}
			return true
		})
	}
	if count < 150 {
		t.Errorf("found %d phrases only", count)
	}
}

func text(t *testing.T, e ast.Expr) string {
	t.Helper()
	lit, ok := e.(*ast.BasicLit)
	if !ok {
		t.Fatalf("%T is no literal", e)
	}
	s, err := strconv.Unquote(lit.Value)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// constantsOf returns the string constants of package pop3 whose names begin
// with prefix: a capability or a code that is added there needs a text here.
func constantsOf(t *testing.T, prefix string) []string {
	t.Helper()
	var found []string
	for _, file := range []string{"../../pop3/capability.go", "../../pop3/code.go"} {
		tree, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(tree, func(n ast.Node) bool {
			if v, ok := n.(*ast.ValueSpec); ok && len(v.Values) == 1 && strings.HasPrefix(v.Names[0].Name, prefix) {
				lit := v.Values[0].(*ast.BasicLit)
				found = append(found, constant.StringVal(constant.MakeFromLiteral(lit.Value, lit.Kind, 0)))
			}
			return true
		})
	}
	if len(found) < 6 {
		t.Fatalf("found %q only", found)
	}
	return found
}

// told fails unless a text is there in both languages and is not the one for
// what is not known.
func told(t *testing.T, what string, en, de, unknownEN string) {
	t.Helper()
	if en == "" || de == "" || en == de || strings.ReplaceAll(en, what, "?") == unknownEN || !utf8.ValidString(de) {
		t.Errorf("%s: %q, %q", what, en, de)
	}
}

func TestEveryCapabilityHasAText(t *testing.T) {
	unknown := Capability(English, pop3.Capability{Tag: "?"})
	for _, tag := range constantsOf(t, "Cap") {
		c := pop3.Capability{Tag: tag, Params: []string{"1"}}
		told(t, tag, Capability(English, c), Capability(German, c), unknown)
	}
	for _, a := range capabilityLines {
		c := pop3.Capability{Tag: strings.ToLower(a.tag)}
		told(t, a.tag, Capability(English, c), Capability(German, c), unknown)
	}
	many := pop3.Capability{Tag: pop3.CapSASL}
	for i := range 1000 {
		many.Params = append(many.Params, fmt.Sprint("X-", i))
	}
	if text := Capability(German, many); len(text) > 2000 || !strings.Contains(text, "980 weitere") {
		t.Errorf("%d octets: %s", len(text), text)
	}
}

func TestEveryCodeHasAText(t *testing.T) {
	unknown := Code(English, "?")
	for _, code := range constantsOf(t, "Code") {
		for _, code := range []string{code, code + "/MORE/42", strings.ToLower(code)} {
			told(t, code, Code(English, pop3.Code(code)), Code(German, pop3.Code(code)), unknown)
		}
	}
	if Code(English, "") != "" || Code(English, "SYS") == Code(English, "SYS/TEMP") || Code(English, "IN-USER") != strings.ReplaceAll(unknown, "?", "IN-USER") {
		t.Error("codes are mixed up")
	}
}

// Every command that the server, the client or the source document knows can be
// explained.
func TestCommandHelp(t *testing.T) {
	keywords := Keywords()
	for _, keyword := range strings.Fields("USER PASS APOP AUTH CAPA STLS STAT LIST UIDL RETR TOP DELE NOOP RSET QUIT LAST UTF8 LANG XTND") {
		if !slices.Contains(keywords, keyword) {
			t.Errorf("%s is no keyword", keyword)
		}
	}
	for _, keyword := range keywords {
		usage, en, ok := CommandHelp(English, strings.ToLower(keyword))
		deutsch, de, _ := CommandHelp(German, keyword)
		if !ok || en == "" || de == "" || en == de || !strings.HasPrefix(usage, keyword) || !strings.HasPrefix(deutsch, keyword) {
			t.Errorf("%s: %q %q, %q %q", keyword, usage, en, deutsch, de)
		}
	}
	if usage, _, _ := CommandHelp(English, "top"); usage != "TOP message lines" {
		t.Error(usage)
	}
	if _, _, ok := CommandHelp(English, "XYZZ"); ok {
		t.Error("XYZZ is known")
	}
}

// Every mechanism has words for it; those with a secret in clear say so.
func TestMechanisms(t *testing.T) {
	for _, m := range mechanisms {
		if m.is.english == "" || m.is.english == unknownMechanism.is.english {
			t.Errorf("%s: %s", m.name, m.is.english)
		}
		c := NewConversation(English)
		c.Line(false, "+OK")
		n := c.Line(true, "AUTH "+m.name+" <secret>")
		if n.Warning != (m.shows != phrase{}) {
			t.Errorf("%s: %s", m.name, n.Meaning)
		}
	}
}
