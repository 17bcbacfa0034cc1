package otlp_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"

	"example.com/dice/observability/internal/otlp"
)

// FuzzBody posts bodies, which must be accepted or refused with a reason, and nothing else.
func FuzzBody(f *testing.F) {
	for _, request := range []interface {
		MarshalProto() ([]byte, error)
		MarshalJSON() ([]byte, error)
	}{
		ptraceotlp.NewExportRequestFromTraces(traces()), pmetricotlp.NewExportRequestFromMetrics(metrics()), plogotlp.NewExportRequestFromLogs(logs()),
	} {
		for _, marshal := range []func() ([]byte, error){request.MarshalProto, request.MarshalJSON} {
			body, err := marshal()
			if err != nil {
				f.Fatal(err)
			}
			f.Add(body)
		}
	}
	got := new(sink)
	server, err := otlp.Listen(f.Context(), "127.0.0.1:0", otlp.HTTP, "", got)
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(server.Close)
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, contentType := range []string{"application/x-protobuf", "application/json"} {
			for _, path := range []string{"/v1/traces", "/v1/metrics", "/v1/logs"} {
				got.refused = nil
				request := httptest.NewRequest(http.MethodPost, path, strings.NewReader(string(body)))
				request.Header.Set("Content-Type", contentType)
				response := httptest.NewRecorder()
				server.ServeHTTP(response, request)
				if want := map[int]int{http.StatusOK: 0, http.StatusBadRequest: 1}; response.Code != http.StatusOK && response.Code != http.StatusBadRequest ||
					want[response.Code] != len(got.refused) {
					t.Errorf("%s as %s: %d, refused %v", path, contentType, response.Code, got.refused)
				}
			}
		}
		if err := otlp.Read(strings.NewReader(string(body)), got); err != nil && err.Error() == "" {
			t.Error("an error without a text")
		}
	})
}
