# Commands for contributors; CONTRIBUTING.md says when to use them. `make` lists the targets.

golangci_lint := go run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
govulncheck := go run golang.org/x/vuln/cmd/govulncheck@v1.9.0

stages := $(shell sed -nE 's|^\t\./(stage[^ ]+).*|\1|p' go.work)
modules := shared observability $(stages)
# The first and last stages contain all the code of the others, except for the die service without a database.
first := $(firstword $(stages))
last := $(lastword $(stages))
tools := local lesson check incident doctor
in_each_module = @for module in $(1); do echo "-- $$module"; (cd $$module && $(2)) || exit 1; done

.PHONY: help test check race bench fuzz lint vulnerabilities e2e kubernetes measure pictures carry

help:
	@grep -E '^[a-z0-9]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 18

test: ## tests of all modules
	go test work

check: ## the checker with all stages, and all incidents; `make test` runs a part of it
	THOROUGH=true go test -count=1 -timeout 40m -v ./observability/check/... ./observability/incident \
		./observability/internal/doctor ./observability/upkeep/tests/doctor

race: ## the services' tests, with the race detector
	go test -race ./shared/... ./$(first)/... ./$(last)/... $(patsubst %,./%/...,$(wildcard $(stages:=/die)))

bench: ## what instrumentation costs
	go test -run '^$$' -bench . -cpu 1 ./$(first)/... ./$(last)/...

# A number of inputs, not a duration: Go 1.26 may fail when a duration is over, https://go.dev/issue/75804.
# FuzzAnyTextArrives starts the SDK and a receiver for each input.
fuzz: ## 30000 inputs for each fuzz target, 300 for a slow one; inputs that found bugs are in the tests
	@grep -rlE '^func Fuzz' --include='*_test.go' shared $(first) $(last) observability/internal | while read -r file; do \
		for target in $$(grep -oE '^func Fuzz[A-Za-z]+' "$$file" | cut -d' ' -f2); do \
			inputs=30000; [ "$$target" != FuzzAnyTextArrives ] || inputs=300; \
			timeout 5m go test -run '^$$' -fuzz "^$$target\$$" -fuzztime "$${inputs}x" -fuzzminimizetime 100x \
				"./$$(dirname "$$file")" || exit 1; \
		done; \
	done

lint: ## vet, the linter, each module without the workspace, the tools on other systems, pinned actions
	go vet -tags e2e,measurements work
	$(call in_each_module,$(modules),$(golangci_lint) run ./...)
	$(call in_each_module,$(modules),GOWORK=off go mod verify && GOWORK=off go build ./... && GOWORK=off go vet ./...)
	$(call in_each_module,shared $(stages),GOWORK=off go mod tidy -diff)
	@for system in windows darwin; do echo "-- the tools for $$system"; \
		GOOS=$$system CGO_ENABLED=0 go build $(patsubst %,./observability/%,$(tools)) || exit 1; done
	@! grep -n 'uses:' .github/workflows/*.yaml | grep -vE '@[0-9a-f]{40} # v[0-9.]+$$'

vulnerabilities: ## known vulnerabilities in code that the modules call
	$(call in_each_module,$(modules),$(govulncheck) ./...)

e2e: ## each stage with Docker; E2E_STAGES names the stages, the default is all
	go test -tags e2e -count=1 -timeout 60m -v ./observability/upkeep/tests/e2e

kubernetes: ## the last stage on the cluster that KUBECONFIG names, whose nodes have its images
	go test -tags e2e -count=1 -timeout 30m -v ./observability/upkeep/tests/kubernetes

measure: ## the tables of observability/upkeep/measurements, in about an hour
	go test -tags measurements -p 1 -count=1 -timeout 3h -v ./observability/upkeep/measurements/...

pictures: ## retakes pictures: those of Grafana if GRAFANA_URL shows the running STAGE, otherwise the page and the report
ifdef GRAFANA_URL
	go run ./observability/upkeep/pictures $(STAGE)
else
	PICTURES=1 go test -count=1 -timeout 30m -run 'TestPage|TestReportPictures|TestIncidentPicture' ./observability/upkeep/tests/stages
endif

carry: ## applies the uncommitted changes of STAGE to all later stages
	go run ./observability/upkeep/carry $(STAGE)
