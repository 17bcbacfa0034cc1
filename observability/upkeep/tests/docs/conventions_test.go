package docs

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"example.com/dice/observability/internal/declared"
)

const semconv = "go.opentelemetry.io/otel/semconv/v1.43.0" // that the services use

// conventions are the names that the semantic conventions know, as their Go package has them.
type conventions struct {
	attributes map[string]string // types by name
	metrics    map[string]bool
}

// readConventions reads the source of the package, whose comments have the type of each attribute. Deprecated attributes are
// not in it, or have a comment that says so.
func readConventions(t *testing.T) conventions {
	t.Helper()
	list := exec.CommandContext(t.Context(), "go", "list", "-f", "{{.Dir}}", semconv)
	list.Dir = filepath.Join(root, "shared")
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(out)), "*", "metric.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no metrics in %s: %v", semconv, err)
	}
	all := conventions{attributes: make(map[string]string), metrics: make(map[string]bool)}
	for _, file := range append(files, filepath.Join(strings.TrimSpace(string(out)), "attribute_group.go")) {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		for _, declaration := range parsed.Decls {
			all.add(declaration)
		}
	}
	return all
}

var typeComment = regexp.MustCompile(`(?m)^Type: (\S+)`)

func (c conventions) add(declaration ast.Decl) {
	switch d := declaration.(type) {
	case *ast.FuncDecl: // func (X) Name() string { return "the.metric" }
		if d.Name.Name == "Name" && d.Recv != nil {
			c.metrics[text(d.Body.List[0].(*ast.ReturnStmt).Results[0])] = true
		}
	case *ast.GenDecl: // XKey = attribute.Key("the.attribute")
		for _, spec := range d.Specs {
			value, ok := spec.(*ast.ValueSpec)
			if !ok || len(value.Values) != 1 || strings.Contains(value.Doc.Text(), "Deprecated:") {
				continue
			}
			key, ok := value.Values[0].(*ast.CallExpr)
			if match := typeComment.FindStringSubmatch(value.Doc.Text()); ok && match != nil {
				c.attributes[text(key.Args[0])] = match[1]
			}
		}
	}
}

// text returns the value of a literal.
func text(literal ast.Expr) string {
	unquoted, err := strconv.Unquote(literal.(*ast.BasicLit).Value)
	if err != nil {
		panic(err) // the parser took it
	}
	return unquoted
}

// ours are the beginnings of the project's own names. A name without a namespace is the program's own too; only log records
// have such names.
var ours = regexp.MustCompile(`^(dice|die|traffic)\.|^[^.]+$`)

// TestConventions wants each name that a stage declares to be the project's own, or one that the conventions know, with the
// type that they give it.
func TestConventions(t *testing.T) {
	known := readConventions(t)
	if known.attributes["http.route"] != "string" || known.attributes["http.response.status_code"] != "int" || !known.metrics["http.server.request.duration"] {
		t.Fatalf("the package %s was not understood", semconv)
	}
	for _, stage := range stageNames(t) {
		t.Run(stage, func(t *testing.T) {
			want, err := declared.Read(root, stage)
			if err != nil {
				t.Fatal(err)
			}
			check := func(where string, attributes declared.Attributes) {
				for _, name := range append(attributes.Always, attributes.Maybe...) {
					checkAttribute(t, where, name, want.Types[name], known)
				}
			}
			check("resource", declared.Attributes{Always: want.Resource})
			for _, span := range want.Spans {
				check("span "+span.Name, span.Attributes)
			}
			for _, metric := range want.Metrics {
				if len(metric.Service) == 0 {
					continue // made by the collector, which names them
				}
				if !known.metrics[metric.Name] && !ours.MatchString(metric.Name) {
					t.Errorf("metric %s: the conventions do not know it", metric.Name)
				}
				check("metric "+metric.Name, metric.Attributes)
			}
			for _, record := range want.Logs {
				check("log record "+record.Message, record.Attributes)
			}
		})
	}
}

func checkAttribute(t *testing.T, where, name string, got declared.Type, known conventions) {
	t.Helper()
	want, ok := known.attributes[name]
	switch {
	case !ok && !ours.MatchString(name):
		t.Errorf("%s: the conventions do not know the attribute %s", where, name)
	case !ok:
	case want == "Enum" && (got.Name == "" || got.Name == "string"), want == "string" && got.Name == "":
	case want != got.Name:
		t.Errorf("%s: %s is declared as %q, the conventions want %s", where, name, got.Name, want)
	}
}
