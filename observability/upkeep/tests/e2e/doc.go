// Package e2e holds the end-to-end tests. They start each stage with docker compose, as its README says, and
// question the real collector, Prometheus, Loki and Tempo:
//
//	go test -tags e2e -timeout 60m ./observability/upkeep/tests/e2e
//
// E2E_STAGES names the stages to test; the default is all. E2E_WITHOUT names services to leave out, such as "grafana". Pictures of
// Grafana go to the directory that E2E_PICTURES names.
package e2e
