package checklist

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// checkTenant requires that usage records, and only those, go to the tenant "usage", and that only they name users.
func (e *evidence) checkTenant(service string) Verdict {
	usage := 0
	for _, record := range e.Records {
		if record.Service != service {
			continue
		}
		isUsage := record.Attributes["usage"] == "true" && record.Types["usage"] == "bool"
		switch {
		case isUsage && record.Tenant != "usage":
			return wrong("The usage record %q went to the tenant %q. Make the collector route it to the tenant \"usage\".", record.Message, record.Tenant).needs(`attributes["usage"] == true`)
		case !isUsage && record.Tenant == "usage":
			return wrong("The record %q went to the tenant \"usage\", but it is not a usage record: it has no attribute usage with the boolean value true.", record.Message).needs(`attributes["usage"] == true`)
		case isUsage:
			usage++
		}
	}
	if usage == 0 {
		return wrong("No record has the attribute usage with the boolean value true.").needs(`attribute.Bool("usage"`)
	}
	return e.checkNames()
}

// checkNames requires that no user of the traffic generator is named outside usage records.
func (e *evidence) checkNames() Verdict {
	names := slices.Sorted(maps.Values(e.users()))
	if len(names) == 0 {
		return Verdict{}
	}
	for i, name := range names {
		names[i] = regexp.QuoteMeta(name)
	}
	anyName := regexp.MustCompile(`\b(` + strings.Join(names, "|") + `)\b`)
	find := func(what, service string, texts ...string) Verdict {
		for _, text := range texts {
			if service != "traffic" && anyName.MatchString(text) {
				return wrong("The %s contains a user's name: %s. Remove it: only usage records may name users.", what, anyName.FindString(text)).needs("semconv.UserName(user)")
			}
		}
		return Verdict{}
	}
	for _, span := range e.Spans {
		texts := append(slices.Collect(maps.Values(span.Attributes)), span.Name, span.Message)
		if v := find(fmt.Sprintf("span %q", span.Name), span.Service, texts...); !v.There() {
			return v
		}
	}
	for _, record := range e.Records {
		if record.Tenant == "usage" {
			continue
		}
		texts := append(slices.Collect(maps.Values(record.Attributes)), record.Message)
		if v := find(fmt.Sprintf("log record %q", record.Message), record.Service, texts...); !v.There() {
			return v
		}
	}
	for _, point := range e.Points {
		if v := find("metric "+point.Name, point.Service, slices.Collect(maps.Values(point.Attributes))...); !v.There() {
			return v
		}
	}
	return Verdict{}
}
