package checklist

import (
	"strings"

	"example.com/dice/observability/internal/declared"
	"example.com/dice/observability/internal/store"
)

// checkScope requires that telemetry which the service's own code creates has the declared scope. The version and the schema URL may be missing, but a
// wrong schema URL would give its names another meaning. Telemetry of libraries may have any scope, because there may be several that do the same.
func checkScope(what, got string, origin store.Origin, want string, t declared.Telemetry) Verdict {
	const own, shared = "example.com/dice/", "example.com/dice/shared/"
	switch {
	case !strings.HasPrefix(want, own) || strings.HasPrefix(want, shared):
	case got != want:
		return wrong("The scope of %s is %q. It must be %q: a scope names the package that creates the telemetry, whatever the directory.", what, got, want)
	case origin.SchemaURL != "" && origin.SchemaURL != t.SchemaURL:
		return wrong("The scope of %s has the schema URL %s, but the names are those of %s. Use semconv.SchemaURL of the package whose names you use.", what, origin.SchemaURL, t.SchemaURL)
	}
	return Verdict{}
}
