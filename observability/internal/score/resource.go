package score

import (
	"fmt"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"example.com/dice/observability/internal/registry"
)

// workloads are the attributes that differ if two workloads share a service.instance.id. A process's or a container's id is not
// among them, because both change when the same instance is restarted.
var workloads = []string{"k8s.pod.uid", "k8s.pod.name", "host.id", "host.name", "faas.instance"}

const mostInstances = 10_000 // of a service

// Resource judges a resource: RES-001 to RES-005. It needs to be called once for each distinct resource.
func (s *Score) Resource(name string, attributes pcommon.Map) {
	found := s.service(name)
	if value, ok := attributes.Get("service.name"); !ok || value.Type() != pcommon.ValueTypeStr || value.Str() == "" {
		found.fail("RES-005", "a resource without a service.name that is a text: "+describe(attributes))
	}
	instance, ok := attributes.Get("service.instance.id")
	if ok {
		s.shared(found, instance.AsString(), attributes)
	} else {
		found.fail("RES-001", "resource "+describe(attributes))
	}
	for key := range attributes.All() {
		if known, ok := registry.FindAttribute(key); ok && known.Level == registry.Signal {
			found.fail("RES-004", "resource attribute "+key)
		}
	}
	s.pod(found, attributes)
}

// shared looks for another workload with the same service.instance.id, RES-002.
func (s *Score) shared(found *service, instance string, attributes pcommon.Map) {
	first := found.instances[instance]
	if first == nil {
		if len(found.instances) >= mostInstances {
			return
		}
		first = make(map[string]string)
		found.instances[instance] = first
	}
	for _, key := range workloads {
		value, ok := attributes.Get(key)
		if !ok {
			continue
		}
		other, known := first[key]
		if known && other != value.AsString() {
			found.fail("RES-002", fmt.Sprintf("service.instance.id %q is of %s %q and %q", instance, key, other, value.AsString()))
			return
		}
		first[key] = value.AsString()
	}
}

// pod checks RES-003.
func (s *Score) pod(found *service, attributes pcommon.Map) {
	onKubernetes := false
	for key := range attributes.All() {
		onKubernetes = onKubernetes || strings.HasPrefix(key, "k8s.")
	}
	found.kubernetes = found.kubernetes || onKubernetes
	if _, ok := attributes.Get("k8s.pod.uid"); onKubernetes && !ok {
		found.fail("RES-003", "resource "+describe(attributes))
	}
}

// misplaced notes attributes that belong on resources, RES-004.
func (s *Score) misplaced(found *service, where string, attributes pcommon.Map) {
	for key := range attributes.All() {
		if known, ok := registry.FindAttribute(key); ok && known.Level == registry.Resource {
			found.fail("RES-004", where+" attribute "+key)
		}
	}
}

// describe names a resource by the attributes that tell services apart.
func describe(attributes pcommon.Map) string {
	var words []string
	for _, key := range []string{"service.name", "service.version", "telemetry.sdk.language", "telemetry.sdk.version", "host.name"} {
		if value, ok := attributes.Get(key); ok {
			words = append(words, key+"="+value.AsString())
		}
	}
	if words == nil {
		return fmt.Sprintf("with %d attributes", attributes.Len())
	}
	return strings.Join(words, " ")
}
