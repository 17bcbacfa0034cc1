package telemetry_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// TestSecretsAreNotReported exports to backends that refuse the token and quote it. Nothing that is reported may have it.
func TestSecretsAreNotReported(t *testing.T) {
	received, grpcURL := startReceiver(t)
	received.refuse = func(headers metadata.MD) error {
		return status.Errorf(codes.Unauthenticated, "bad token %v", headers.Get("authorization"))
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token := r.Header.Get("Authorization")
		http.Error(w, "bad token "+strings.TrimPrefix(token, "Bearer ")+" in "+token, http.StatusUnauthorized)
	}))
	defer server.Close()
	for url, protocol := range map[string]string{grpcURL: "grpc", server.URL: "http/protobuf"} {
		t.Run(protocol, func(t *testing.T) {
			setenv(t, "OTEL_EXPORTER_OTLP_ENDPOINT="+url, "OTEL_EXPORTER_OTLP_PROTOCOL="+protocol,
				"OTEL_EXPORTER_OTLP_HEADERS=authorization=Bearer%20hunter2hunter2", "OTEL_EXPORTER_OTLP_LOGS_HEADERS= Authorization = hunter3%2Bhunter3 ,")
			var out console
			stop := start(t, &out)
			work(t.Context())
			said := fmt.Sprint(stop(t.Context(), nil), out.String())
			if strings.Contains(said, "hunter") || strings.Count(said, "bad token") < 3 {
				t.Errorf("reported: %s", said)
			}
		})
	}
}

// TestRefusedURLIsReported wants the URL that was asked for in the report, because a path may be missing or there twice.
func TestRefusedURLIsReported(t *testing.T) {
	collector := http.NewServeMux()
	for _, signal := range []string{"traces", "metrics", "logs"} {
		collector.HandleFunc("/v1/"+signal, func(http.ResponseWriter, *http.Request) {})
	}
	server := httptest.NewServer(collector)
	defer server.Close()
	for settings, paths := range map[string][]string{
		"OTEL_EXPORTER_OTLP_ENDPOINT=/v1/traces":                                      {"/v1/traces/v1/traces:", "/v1/traces/v1/metrics:", "/v1/traces/v1/logs:"},
		"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=|OTEL_EXPORTER_OTLP_METRICS_ENDPOINT=/v1": {"/:", "/v1:"},
		"OTEL_EXPORTER_OTLP_LOGS_ENDPOINT=":                                           {"/:"},
		"OTEL_EXPORTER_OTLP_ENDPOINT=/|OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=/v1/traces": nil,
	} {
		t.Run(settings, func(t *testing.T) {
			setenv(t, strings.Split(strings.ReplaceAll(settings, "ENDPOINT=", "ENDPOINT="+server.URL), "|")...)
			var out console
			stop := start(t, &out)
			work(t.Context())
			said := fmt.Sprint(stop(t.Context(), nil), out.String())
			for _, path := range paths {
				if !strings.Contains(said, " to "+server.URL+path+" 404 Not Found") {
					t.Errorf("reported, without %s: %s", path, said)
				}
			}
			if paths == nil && strings.Contains(said, "404") {
				t.Errorf("reported: %s", said)
			}
		})
	}
}

// TestSchemeOfTheEndpointDecidesOnTLS wants no signal to be sent over https:// without TLS, or the other way round.
func TestSchemeOfTheEndpointDecidesOnTLS(t *testing.T) {
	certificate, key := writeCertificate(t)
	credentials, err := credentials.NewServerTLSFromFile(certificate, key)
	if err != nil {
		t.Fatal(err)
	}
	encrypted, encryptedURL := startReceiver(t, grpc.Creds(credentials))
	plain, plainURL := startReceiver(t)
	for _, insecure := range []string{"", "true", "false"} {
		t.Run(insecure, func(t *testing.T) {
			common := []string{"OTEL_EXPORTER_OTLP_PROTOCOL=grpc", "OTEL_EXPORTER_OTLP_INSECURE=" + insecure}
			setenv(t, append(common, "OTEL_EXPORTER_OTLP_ENDPOINT="+strings.Replace(encryptedURL, "http:", "https:", 1), "OTEL_EXPORTER_OTLP_CERTIFICATE="+certificate)...)
			stop := start(t, io.Discard)
			work(t.Context())
			if err := stop(t.Context(), nil); err != nil || len(encrypted.signals()) != 3 {
				t.Errorf("with TLS: %v, arrived %v", err, encrypted.signals())
			}
			setenv(t, append(common, "OTEL_EXPORTER_OTLP_ENDPOINT="+plainURL)...)
			stop = start(t, io.Discard)
			work(t.Context())
			if err := stop(t.Context(), nil); err != nil || len(plain.signals()) != 3 {
				t.Errorf("without TLS: %v, arrived %v", err, plain.signals())
			}
			encrypted.arrived()
			plain.arrived()
		})
	}
}
