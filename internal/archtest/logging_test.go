package archtest_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// Every line that the server can log is explained in docs/logging.md, for whoever
// reads it at night.
func TestEveryLogLineIsDocumented(t *testing.T) {
	doc, err := os.ReadFile("../../docs/logging.md")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, dir := range []string{
		"pop3server", "maildrop/maildir", "internal/accounts", "internal/certificates", "internal/sockets",
		"internal/confine", "internal/lastlogin", "cmd/postfachd",
	} {
		for message, place := range messagesBelow(t, filepath.Join("..", "..", filepath.FromSlash(dir))) {
			found++
			if !strings.Contains(string(doc), "| `"+message+"` |") {
				t.Errorf("%s: %q is not in docs/logging.md", place, message)
			}
		}
	}
	if found < 60 {
		t.Errorf("only %d messages were found", found)
	}
}

// messagesBelow are the constant messages that the Go files of a folder log, tests
// left out, and where they stand.
func messagesBelow(t *testing.T, dir string) map[string]string {
	t.Helper()
	messages := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, path, nil, 0)
		if err != nil {
			return err
		}
		constants := map[string]ast.Expr{}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.ValueSpec:
				for i, name := range n.Names {
					if i < len(n.Values) {
						constants[name.Name] = n.Values[i]
					}
				}
			case *ast.CallExpr:
				if message := messageOf(n); message != nil {
					if name, ok := message.(*ast.Ident); ok {
						message = constants[name.Name]
					}
					if text, ok := literal(message); ok {
						messages[text] = files.Position(n.Pos()).String()
					}
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return messages
}

// messageOf is the message of a call that logs. nil: it is another call.
func messageOf(call *ast.CallExpr) ast.Expr {
	method, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return nil
	}
	at := 0
	switch method.Sel.Name {
	case "Info", "Warn", "Error", "complain":
	case "Log":
		at = 2
	default:
		return nil
	}
	if len(call.Args) <= at {
		return nil
	}
	return call.Args[at]
}

func literal(e ast.Expr) (string, bool) {
	l, ok := e.(*ast.BasicLit)
	if !ok || l.Kind != token.STRING {
		return "", false
	}
	text, err := strconv.Unquote(l.Value)
	return text, err == nil
}
