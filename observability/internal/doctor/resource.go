package doctor

import (
	"hash/maphash"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

var seed = maphash.MakeSeed()

// hashOf hashes attributes in the order in which they came. The same attributes in another order are looked at again, which does
// no harm.
func hashOf(attributes pcommon.Map) uint64 {
	var hash maphash.Hash
	hash.SetSeed(seed)
	for key, value := range attributes.All() {
		_, _ = hash.WriteString(key) // never fails
		_ = hash.WriteByte(byte(value.Type()))
		_, _ = hash.WriteString(text(value))
		_ = hash.WriteByte(0)
	}
	return hash.Sum64()
}

// process returns the process that a resource describes. It judges the resource when it is new.
func (j *Judge) process(attributes pcommon.Map, schema string) *process {
	hash := hashOf(attributes)
	found := j.resources[hash]
	if found == nil {
		found = j.newResource(attributes)
		if len(j.resources) < 10*mostProcesses {
			j.resources[hash] = found
		}
	}
	if schema != "" && schema != found.schema {
		if found.schema != "" {
			j.find("resource-two-schemas", found.service.name, Evidence{What: "schema", Name: schema, Detail: "and " + found.schema})
		}
		found.schema = schema
	}
	return found
}

// newResource judges a resource.
func (j *Judge) newResource(attributes pcommon.Map) *process {
	name := ""
	if value, ok := attributes.Get("service.name"); ok {
		name = text(value)
	}
	s := j.service(name)
	j.score.Resource(s.name, attributes)
	if name == "" || strings.HasPrefix(name, "unknown_service") {
		j.find("resource-unknown-service", s.name, Evidence{What: "resource", Name: "service.name=" + name})
	}
	lacks := func(rule string, keys ...string) {
		for _, key := range keys {
			if _, ok := attributes.Get(key); ok {
				return
			}
		}
		j.find(rule, s.name, Evidence{What: "resource", Name: "service.name=" + name})
	}
	lacks("resource-no-version", "service.version")
	lacks("resource-no-environment", "deployment.environment.name", "deployment.environment")
	for key, value := range attributes.All() {
		j.attribute(s, scope{library: true, name: "a resource detector or OTEL_RESOURCE_ATTRIBUTES"}, "resource", key, value, pcommon.TraceID{})
	}

	identity := name
	for _, key := range []string{"service.instance.id", "k8s.pod.uid", "container.id", "host.name", "process.pid"} {
		if value, ok := attributes.Get(key); ok {
			identity += "\x00" + text(value) //nolint:perfsprint // few attributes
		}
	}
	found := j.processes[identity]
	if found == nil {
		found = &process{service: s, loose: make(map[group]*ring[interval])}
		if len(j.processes) < mostProcesses {
			j.processes[identity] = found
		}
	}
	return found
}

// scope is where telemetry was made.
type scope struct {
	name, version string
	minor         int  // of version 1 of the conventions that its schema URL names, or 0
	library       bool // it is an instrumentation library, not the service's own code
}

func newScope(s pcommon.InstrumentationScope, schema string) scope {
	return scope{name: s.Name(), version: s.Version(), minor: minorOf(schema), library: isLibrary(s.Name())}
}

// minorOf returns the minor version at the end of a schema URL, such as 43 of https://opentelemetry.io/schemas/1.43.0, or 0.
func minorOf(schema string) int {
	return minor(schema[strings.LastIndexByte(schema, '/')+1:])
}

// minor returns the second number of a version that begins with 1, or 0.
func minor(version string) int {
	rest, ok := strings.CutPrefix(version, "1.")
	if !ok {
		return 0
	}
	number := 0
	for _, r := range rest {
		if r < '0' || r > '9' || number > 10000 {
			break
		}
		number = 10*number + int(r-'0')
	}
	return number
}

// libraries are beginnings of the names of scopes that are instrumentation libraries.
var libraries = []string{
	"go.opentelemetry.io/", "github.com/", "google.golang.org/", "go.mongodb.org/", "gorm.io/", "cloud.google.com/", "connectrpc.com/",
	"io.opentelemetry.", "io.micrometer", "io.quarkus", "io.micronaut", "org.springframework", "com.google.cloud", "com.azure", "software.amazon",
	"@opentelemetry/", "@fastify/", "@prisma/", "@vercel/", "opentelemetry.instrumentation", "opentelemetry.util", "opentelemetry-instrumentation",
	"OpenTelemetry.", "OpenTelemetry::", "Microsoft.", "System.", "Npgsql", "MassTransit", "Azure.", "MongoDB.", "OpenTelemetry-",
}

// isLibrary reports whether a scope is an instrumentation library. A module of a code host counts as one only if the name says
// what it is, as in github.com/riandyrn/otelchi.
func isLibrary(name string) bool {
	for _, prefix := range libraries {
		if strings.HasPrefix(name, prefix) {
			return prefix != "github.com/" || strings.Contains(name, "otel") || strings.Contains(name, "opentelemetry")
		}
	}
	return false
}

// incomplete looks at the name and the version of a scope of spans or metrics. That of log records is the name of a logger in most
// languages, which has no version.
func (j *Judge) incomplete(s *service, in scope) {
	switch {
	case in.name == "":
		j.find("scope-incomplete", s.name, Evidence{What: "scope", Name: `""`, Detail: "has no name"})
	case in.version == "" && !in.library:
		j.find("scope-incomplete", s.name, Evidence{What: "scope", Name: in.name, Detail: "has no version"})
	}
}

// text returns a value as text. Values that contain others are cut off, because they may be nested without end.
func text(value pcommon.Value) string {
	switch value.Type() {
	case pcommon.ValueTypeMap, pcommon.ValueTypeSlice, pcommon.ValueTypeBytes:
		return value.Type().String()
	default:
		return value.AsString()
	}
}
