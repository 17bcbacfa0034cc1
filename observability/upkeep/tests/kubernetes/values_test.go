package kubernetes

import (
	"bytes"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// setting is a setting of a chart, and where its effect is in a pod without the chart: the path in the manifest of engines/. A
// path may start at the pod or at its container.
type setting struct{ value, pod string }

// collector is what the agents and the gateways have in common.
var collector = []setting{
	{"podAnnotations", "metadata.annotations"},
	{"podSecurityContext", "spec.securityContext"},
	{"securityContext", "container.securityContext"},
	{"resources", "container.resources"},
	{"lifecycleHooks", "container.lifecycle"},
	{"readinessProbe.periodSeconds", "container.readinessProbe.periodSeconds"},
	{"livenessProbe.timeoutSeconds", "container.livenessProbe.timeoutSeconds"},
	{"extraEnvs", "container.env"},
	{"command.extraArgs", "container.args"},
	{"tolerations", "spec.tolerations"},
	{"topologySpreadConstraints", "spec.topologySpreadConstraints"},
	{"serviceAccount.automountServiceAccountToken", "spec.automountServiceAccountToken"},
}

// TestValuesAreEngines wants the charts' pods to have what those of engines/ have, which is what is tested with each change.
func TestValuesAreEngines(t *testing.T) {
	used := make(map[setting]bool) // those that some engine has
	for _, test := range []struct {
		values, engine, kind string
		settings             []setting
	}{
		{"collector", "collector", "DaemonSet", append(collector, setting{"rollout.rollingUpdate", "workload.updateStrategy.rollingUpdate"})},
		{"gateway", "collector", "StatefulSet", append(collector,
			setting{"replicaCount", "workload.replicas"}, setting{"statefulset.volumeClaimTemplates", "workload.volumeClaimTemplates"})},
		{"prometheus", "prometheus", "Deployment", []setting{
			{"server.podAnnotations", "metadata.annotations"},
			{"server.resources", "container.resources"},
			{"server.env", "container.env"},
			{"server.readinessProbePeriodSeconds", "container.readinessProbe.periodSeconds"},
			{"server.containerSecurityContext", "container.securityContext"},
		}},
		{"loki", "loki", "Deployment", []setting{
			{"singleBinary.podAnnotations", "metadata.annotations"},
			{"singleBinary.resources", "container.resources"},
			{"singleBinary.extraEnv", "container.env"},
			{"loki.readinessProbe.periodSeconds", "container.readinessProbe.periodSeconds"},
			{"defaults.automountServiceAccountToken", "spec.automountServiceAccountToken"},
		}},
		{"tempo", "tempo", "Deployment", []setting{
			{"podAnnotations", "metadata.annotations"},
			{"tempo.resources", "container.resources"},
			{"tempo.extraEnv", "container.env"},
			{"tempo.readinessProbe.periodSeconds", "container.readinessProbe.periodSeconds"},
			{"tempo.securityContext", "container.securityContext"},
			{"serviceAccount.automountServiceAccountToken", "spec.automountServiceAccountToken"},
		}},
	} {
		t.Run(test.values, func(t *testing.T) {
			values := documents(t, "values/"+test.values+".yaml")[0]
			engine := podOf(t, "engines/"+test.engine+".yaml", test.kind)
			for _, s := range test.settings {
				got, want := at(values, s.value), at(engine, s.pod)
				used[s] = used[s] || want != nil
				if !reflect.DeepEqual(got, want) {
					t.Errorf("%s is %v, but %s is %v", s.value, got, s.pod, want)
				}
			}
		})
	}
	for s, found := range used {
		if !found {
			t.Errorf("no engine has %s, so %s is compared with nothing", s.pod, s.value)
		}
	}
}

// podOf returns the parts of a manifest that a setting can be in.
func podOf(t *testing.T, file, kind string) any {
	t.Helper()
	for _, document := range documents(t, file) {
		if at(document, "kind") == kind {
			containers, _ := at(document, "spec.template.spec.containers").([]any)
			return map[string]any{
				"workload": at(document, "spec"), "metadata": at(document, "spec.template.metadata"),
				"spec": at(document, "spec.template.spec"), "container": containers[0],
			}
		}
	}
	t.Fatalf("%s has no %s", file, kind)
	return nil
}

func documents(t *testing.T, file string) (all []any) {
	t.Helper()
	for decoder := yaml.NewDecoder(bytes.NewBufferString(read(t, file))); ; {
		var document any
		err := decoder.Decode(&document)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		all = append(all, document)
	}
}

// at returns what is at a path of keys, or nil.
func at(document any, path string) any {
	for key := range strings.SplitSeq(path, ".") {
		fields, _ := document.(map[string]any)
		document = fields[key]
	}
	return document
}
