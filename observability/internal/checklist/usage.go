package checklist

// checkTenant requires that usage records, and only those, go to the tenant "usage", and that only they name users.
func (r *Run) checkTenant(service string) Verdict {
	users, usage := make(map[string]bool), 0
	for _, record := range r.Records {
		if record.Service != service {
			continue
		}
		isUsage := record.Attributes["usage"] == "true" && record.Types["usage"] == "bool"
		switch {
		case isUsage && record.Tenant != "usage":
			return wrong("The usage record %q went to the tenant %q. Make the collector route it to the tenant \"usage\".", record.Message, record.Tenant)
		case !isUsage && record.Tenant == "usage":
			return wrong("The record %q went to the tenant \"usage\", but it is not a usage record: it has no attribute usage with the boolean value true.", record.Message)
		case isUsage:
			usage++
			users[record.Attributes["user.name"]] = true
		}
	}
	if usage == 0 {
		return wrong("No record has the attribute usage with the boolean value true.")
	}
	return r.checkNames(users)
}

// checkNames requires that none of these users is named outside usage records.
func (r *Run) checkNames(users map[string]bool) Verdict {
	for _, span := range r.Spans {
		for name, value := range span.Attributes {
			if users[value] && span.Service != "traffic" {
				return wrong("The attribute %s of the span %q contains a user's name. Remove it: only usage records may name users.", name, span.Name)
			}
		}
	}
	for _, record := range r.Records {
		for name, value := range record.Attributes {
			if users[value] && record.Tenant != "usage" && record.Service != "traffic" {
				return wrong("The attribute %s of the log record %q contains a user's name. Remove it: only usage records may name users.", name, record.Message)
			}
		}
	}
	for _, point := range r.Points {
		for name, value := range point.Attributes {
			if users[value] && point.Service != "traffic" {
				return wrong("The attribute %s of the metric %s contains a user's name. Remove it: only usage records may name users.", name, point.Name)
			}
		}
	}
	return Verdict{}
}
