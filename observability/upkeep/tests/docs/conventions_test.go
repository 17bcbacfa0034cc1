package docs

import (
	"regexp"
	"testing"

	"example.com/dice/observability/internal/declared"
	"example.com/dice/observability/internal/registry"
)

// ours are the beginnings of the project's own names. A name without a namespace is the program's own too; only log records
// have such names.
var ours = regexp.MustCompile(`^(dice|die|traffic)\.|^[^.]+$`)

// TestConventions wants each name that a stage declares to be the project's own, or one that the conventions know, with the
// type that they give it.
func TestConventions(t *testing.T) {
	for _, stage := range stageNames(t) {
		t.Run(stage, func(t *testing.T) {
			want, err := declared.Read(root, stage)
			if err != nil {
				t.Fatal(err)
			}
			check := func(where string, attributes declared.Attributes) {
				for _, name := range append(attributes.Always, attributes.Maybe...) {
					checkAttribute(t, where, name, want.Types[name])
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
				if _, ok := registry.FindMetric(metric.Name); !ok && !ours.MatchString(metric.Name) {
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

func checkAttribute(t *testing.T, where, name string, got declared.Type) {
	t.Helper()
	want, ok := registry.FindAttribute(name)
	switch {
	case !ok && !ours.MatchString(name):
		t.Errorf("%s: the conventions do not know the attribute %s", where, name)
	case !ok, want.Type == "string" && got.Name == "":
	case want.Type != got.Name:
		t.Errorf("%s: %s is declared as %q, the conventions want %s", where, name, got.Name, want.Type)
	}
}
