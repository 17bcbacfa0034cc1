package registry

import (
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/agnivade/levenshtein"
)

// common are names that people choose, and the registered names of the same meaning.
var common = map[string]string{
	"http.status":        "http.response.status_code",
	"http.code":          "http.response.status_code",
	"http.response.code": "http.response.status_code",
	"status_code":        "http.response.status_code",
	"http.verb":          "http.request.method",
	"http.path":          "url.path",
	"http.uri":           "url.full",
	"http.query":         "url.query",
	"http.useragent":     "user_agent.original",
	"http.remote_addr":   "client.address",
	"remote_addr":        "client.address",
	"client_ip":          "client.address",
	"db.query":           "db.query.text",
	"db.table":           "db.collection.name",
	"db.type":            "db.system.name",
	"error.kind":         "error.type",
	"error.class":        "error.type",
	"error.name":         "error.type",
	"environment":        "deployment.environment.name",
	"hostname":           "host.name",
	"topic":              "messaging.destination.name",
}

// shortest is the length of the shortest name that is compared letter by letter: short names resemble one another by chance.
const shortest = 10

// bySpelling has the registered attributes by their letters alone, so that user_id and userId are found as user.id.
var bySpelling = sync.OnceValue(func() map[string]string {
	found := make(map[string]string, len(attributes))
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		if strings.Contains(name, ".") {
			found[Spelling(name)] = name
		}
	}
	return found
})

// Spelling returns the letters and digits of a name in lower case.
func Spelling(name string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z', '0' <= r && r <= '9':
			return r
		case 'A' <= r && r <= 'Z':
			return r - 'A' + 'a'
		default:
			return -1
		}
	}, name)
}

// NearAttribute returns the registered attribute that was probably meant by a name that is not registered, or "".
func NearAttribute(name string) string {
	if _, ok := FindAttribute(name); ok {
		return ""
	}
	if _, ok := renamedAttributes[name]; ok {
		return ""
	}
	if meant, ok := common[name]; ok {
		return meant
	}
	if meant, ok := bySpelling()[Spelling(name)]; ok {
		return meant
	}
	return near(name, maps.Keys(attributes))
}

// NearMetric returns the registered metric that was probably meant by a name that is not registered, or "". Names with
// underscores in place of dots are those of Prometheus, and no mistake.
func NearMetric(name string) string {
	_, known := metrics[name]
	if _, old := renamedMetrics[name]; known || old {
		return ""
	}
	return near(name, maps.Keys(metrics))
}

// near finds a name of the same namespace that differs in one letter. A plural is no mistake: it may be a name of its own.
func near(name string, names func(func(string) bool)) string {
	if len(name) < shortest || len(name) > 100 {
		return ""
	}
	namespace, _, ok := strings.Cut(name, ".")
	if !ok {
		return ""
	}
	best := ""
	for candidate := range names {
		if !strings.HasPrefix(candidate, namespace+".") || candidate+"s" == name || name+"s" == candidate {
			continue
		}
		if (best == "" || candidate < best) && levenshtein.ComputeDistance(name, candidate) == 1 {
			best = candidate
		}
	}
	return best
}
