package telemetry

import "testing"

func TestExported(t *testing.T) {
	all := []string{"TRACES", "METRICS", "LOGS"}
	tests := map[string][]string{ // a variable, and the signals that it lets out
		"OTEL_TRACES_EXPORTER":                all[:1],
		"OTEL_METRICS_EXPORTER":               all[1:2],
		"OTEL_LOGS_EXPORTER":                  all[2:],
		"OTEL_EXPORTER_OTLP_ENDPOINT":         all,
		"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT":  all[:1],
		"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": all[1:2],
		"OTEL_EXPORTER_OTLP_LOGS_ENDPOINT":    all[2:],
		"OTEL_EXPORTER_OTLP_PROTOCOL":         nil,
	}
	for name := range tests {
		t.Setenv(name, "")
	}
	for name, want := range tests {
		t.Run(name, func(t *testing.T) {
			t.Setenv(name, "x")
			for _, signal := range all {
				expected := false
				for _, s := range want {
					expected = expected || s == signal
				}
				if exported(signal) != expected {
					t.Errorf("exported(%s) is %t", signal, !expected)
				}
			}
		})
	}
}

// SettingNames returns the names of all variables that Start checks.
func SettingNames() []string {
	var names []string
	for _, s := range append(generalSettings(), sdkSettings()...) {
		names = append(names, expand(s.names)...)
	}
	return names
}
