package pop3check

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// naming are the functions that take names of our messages.
var naming = []string{"login", "loginBy", "loginUTF8", "plainly", "perhaps", "sample", "find", "number", "copies", "ourMessage"}

// Checks name only messages that there are, and each of these is named by one.
func TestChecksNameMessagesThatExist(t *testing.T) {
	t.Parallel()
	named := make(map[string]bool)
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), e.Name(), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range file.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok && f.Body != nil {
				for _, name := range namesIn(f) {
					named[name] = true
				}
			}
		}
	}
	for name := range named {
		if ourMessage(name).stored == nil {
			t.Errorf("a check names the message %q, which there is not", name)
		}
	}
	for _, l := range ourLetters() {
		if !named[l.name] {
			t.Errorf("no check names the message %q", l.name)
		}
	}
}

// namesIn returns the strings that a function hands to those that take names:
// as they are, or by a variable or constant of its own.
func namesIn(f *ast.FuncDecl) (names []string) {
	held := make(map[string][]string) // by the variable's name
	ast.Inspect(f.Body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			for i, left := range n.Lhs {
				if v, ok := left.(*ast.Ident); ok && i < len(n.Rhs) {
					held[v.Name] = append(held[v.Name], literals(n.Rhs[i])...)
				}
			}
		case *ast.ValueSpec:
			for i, v := range n.Names {
				if i < len(n.Values) {
					held[v.Name] = append(held[v.Name], literals(n.Values[i])...)
				}
			}
		case *ast.RangeStmt:
			if v, ok := n.Value.(*ast.Ident); ok {
				held[v.Name] = append(held[v.Name], literals(n.X)...)
			}
		case *ast.CallExpr:
			if !slices.Contains(naming, calledName(n)) {
				return true
			}
			for _, arg := range n.Args {
				names = append(names, literals(arg)...)
				if v, ok := arg.(*ast.Ident); ok {
					names = append(names, held[v.Name]...)
				}
			}
		}
		return true
	})
	return names
}

func calledName(call *ast.CallExpr) string {
	switch f := call.Fun.(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		return f.Sel.Name
	}
	return ""
}

// literals returns a string, or the strings of a list.
func literals(e ast.Expr) (all []string) {
	switch e := e.(type) {
	case *ast.BasicLit:
		if s, err := strconv.Unquote(e.Value); err == nil && e.Kind == token.STRING {
			all = append(all, s)
		}
	case *ast.CompositeLit:
		for _, element := range e.Elts {
			all = append(all, literals(element)...)
		}
	}
	return all
}
