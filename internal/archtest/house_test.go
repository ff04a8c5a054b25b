package archtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"
)

// spellers may write CR LF beside internal/popwire, and why.
var spellers = map[string]string{
	"internal/popwire":      "the one place that spells CRLF",
	"internal/transcript":   "checks popwire, so it must not believe it",
	"internal/awkward":      "message data",
	"maildrop/maildroptest": "message data",
	"pop3check":             "checks what others send, so it must not believe popwire",
	"pop3test":              "writes faults octet by octet",
}

// files parses the Go files of all packages.
func files(t *testing.T, each func(pkg, name string, test bool, file *ast.File, fset *token.FileSet)) {
	t.Helper()
	for _, p := range list(t, "./...") {
		parse := func(names []string, test bool) {
			for _, name := range names {
				fset := token.NewFileSet()
				file, err := parser.ParseFile(fset, filepath.Join(p.Dir, name), nil, parser.SkipObjectResolution)
				if err != nil {
					t.Error(err)
					continue
				}
				each(strings.TrimPrefix(p.ImportPath, module+"/"), name, test, file, fset)
			}
		}
		parse(p.GoFiles, false)
		parse(p.TestGoFiles, true)
		parse(p.XTestGoFiles, true)
	}
}

// Only internal/popwire spells CRLF (house style 24).
func TestOnlyPopwireSpellsCRLF(t *testing.T) {
	files(t, func(pkg, _ string, test bool, file *ast.File, fset *token.FileSet) {
		if spellers[pkg] != "" || test {
			return
		}
		sets := make(map[ast.Node]bool) // strings that are sets of octets
		ast.Inspect(file, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok && takesSet(call) {
				sets[call.Args[len(call.Args)-1]] = true
			}
			lit, ok := n.(*ast.BasicLit)
			if ok && lit.Kind == token.STRING && strings.Contains(lit.Value, `\r\n`) && !sets[lit] {
				t.Errorf("%s: %s spells CRLF", fset.Position(lit.Pos()), lit.Value)
			}
			return true
		})
	})
}

// takesSet says whether a call's last argument is a set of octets, not a text.
func takesSet(call *ast.CallExpr) bool {
	s, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	switch s.Sel.Name {
	case "ContainsAny", "IndexAny", "Trim", "TrimLeft", "TrimRight":
		return true
	}
	return false
}

// Nothing happens in init (house style 12).
func TestNoInit(t *testing.T) {
	files(t, func(_, _ string, _ bool, file *ast.File, fset *token.FileSet) {
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
				t.Errorf("%s: func init", fset.Position(f.Pos()))
			}
		}
	})
}

// Tests wait for events, not for time (house style 28). In a synctest bubble
// time is fake, and a sleep is one of its events.
func TestNoSleepInTests(t *testing.T) {
	files(t, func(_, _ string, test bool, file *ast.File, fset *token.FileSet) {
		if !test || imports(file, "testing/synctest") {
			return
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok && s.Sel.Name == "Sleep" {
				if x, ok := s.X.(*ast.Ident); ok && x.Name == "time" {
					t.Errorf("%s: time.Sleep", fset.Position(s.Pos()))
				}
			}
			return true
		})
	})
}

func imports(file *ast.File, path string) bool {
	for _, i := range file.Imports {
		if i.Path.Value == `"`+path+`"` {
			return true
		}
	}
	return false
}
