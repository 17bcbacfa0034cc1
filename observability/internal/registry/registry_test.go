package registry

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestTables compares the tables with the source of the Go package of the same version.
func TestTables(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-f", "{{.Dir}}", "go.opentelemetry.io/otel/semconv/v"+Version).Output()
	if err != nil {
		t.Fatal(err)
	}
	directory := strings.TrimSpace(string(out))
	files, err := filepath.Glob(filepath.Join(directory, "*", "metric.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no metrics in %s: %v", directory, err)
	}
	types := make(map[string]string) // of attributes
	units := make(map[string]string) // of metrics
	for _, file := range append(files, filepath.Join(directory, "attribute_group.go")) {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		readTypes(parsed, types)
		readUnits(parsed, units)
	}
	if len(types) < 600 || len(units) < 100 {
		t.Fatalf("%d attributes and %d metrics were understood", len(types), len(units))
	}
	for name, want := range types {
		if got, ok := FindAttribute(name); !ok || got.Type != want {
			t.Errorf("attribute %s: the table has %q, the Go package %q", name, got.Type, want)
		}
	}
	for name, want := range units {
		if got, ok := FindMetric(name); ok && got.Unit != want {
			t.Errorf("metric %s: the table has %q, the Go package %q", name, got.Unit, want)
		}
	}
	for name := range attributes {
		namespace, _, _ := strings.Cut(name, ".")
		if _, ok := types[name]; !ok && !slices.Contains(strings.Fields("aspnetcore cpython dotnet jvm nodejs v8js"), namespace) { // not in the Go package
			t.Errorf("attribute %s: the Go package does not have it", name)
		}
	}
}

var typeComment = regexp.MustCompile(`(?m)^Type: (\S+)`)

// readTypes finds XKey = attribute.Key("the.attribute"), with its type in the comment.
func readTypes(file *ast.File, types map[string]string) {
	names := map[string]string{"Enum": "string", "boolean": "bool"}
	ast.Inspect(file, func(node ast.Node) bool {
		value, ok := node.(*ast.ValueSpec)
		if !ok || len(value.Values) != 1 || strings.Contains(value.Doc.Text(), "Deprecated:") {
			return true
		}
		match := typeComment.FindStringSubmatch(value.Doc.Text())
		if key, ok := value.Values[0].(*ast.CallExpr); ok && match != nil {
			name := text(key.Args[0])
			types[name] = match[1]
			if other, ok := names[match[1]]; ok {
				types[name] = other
			}
		}
		return true
	})
}

// readUnits finds func (X) Name() string { return "the.metric" }, and the same with Unit.
func readUnits(file *ast.File, units map[string]string) {
	found := make(map[string]map[string]string) // by type, by method
	ast.Inspect(file, func(node ast.Node) bool {
		method, ok := node.(*ast.FuncDecl)
		if !ok || method.Recv == nil || (method.Name.Name != "Name" && method.Name.Name != "Unit") {
			return true
		}
		receiver := method.Recv.List[0].Type.(*ast.Ident).Name
		if found[receiver] == nil {
			found[receiver] = make(map[string]string)
		}
		found[receiver][method.Name.Name] = text(method.Body.List[0].(*ast.ReturnStmt).Results[0])
		return true
	})
	for _, metric := range found {
		units[metric["Name"]] = metric["Unit"]
	}
}

func text(literal ast.Expr) string {
	unquoted, err := strconv.Unquote(literal.(*ast.BasicLit).Value)
	if err != nil {
		panic(err) // the parser took it
	}
	return unquoted
}

// TestRenamed wants each new name to be registered, and no old one.
func TestRenamed(t *testing.T) {
	for old, renamed := range renamedAttributes {
		if _, ok := FindAttribute(old); ok {
			t.Errorf("%s was renamed, and is registered", old)
		}
		for name := range strings.SplitSeq(strings.ReplaceAll(renamed.New, " or ", " and "), " and ") {
			if _, ok := FindAttribute(name); !ok && name != "" && !strings.Contains(name, "'s ") {
				_, template := templates[name]
				if !template {
					t.Errorf("%s became %s, which is not registered", old, name)
				}
			}
		}
	}
	for old, renamed := range renamedMetrics {
		if _, ok := FindMetric(old); ok {
			t.Errorf("%s was renamed, and is registered", old)
		}
		if _, ok := FindMetric(renamed.New); !ok && renamed.New != "" && !strings.HasPrefix(renamed.New, "azure.") {
			t.Errorf("%s became %s, which is not registered", old, renamed.New)
		}
	}
}

func TestNear(t *testing.T) {
	for name, want := range map[string]string{
		"user_id":                    "user.id",
		"userId":                     "user.id",
		"http.status":                "http.response.status_code",
		"http.respone.status_code":   "http.response.status_code",
		"http_route":                 "http.route",
		"http.route":                 "",
		"http.method":                "", // renamed, not misspelt
		"http.request.header.accept": "",
		"die.value":                  "",
		"order.id":                   "",
		"id":                         "",
		"server.addresses":           "",
		"http.requested.bytes":       "",
	} {
		if got := NearAttribute(name); got != want {
			t.Errorf("NearAttribute(%q) is %q, want %q", name, got, want)
		}
	}
	for name, want := range map[string]string{
		"http.server.request.duratoin":  "",
		"http.server.requests.duration": "http.server.request.duration",
		"http.server.request.duration":  "",
		"http_server_request_duration":  "",
		"orders.placed":                 "",
	} {
		if got := NearMetric(name); got != want {
			t.Errorf("NearMetric(%q) is %q, want %q", name, got, want)
		}
	}
}
