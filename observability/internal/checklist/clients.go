package checklist

import (
	"strconv"

	"example.com/dice/observability/internal/declared"
	"example.com/dice/observability/internal/recorder"
	"example.com/dice/observability/internal/store"
)

// checkClient requires one span for each request that the service sent, and that the request names it as its parent.
func (e *evidence) checkClient(want declared.Span) Verdict {
	calls := e.calls(func(x recorder.Exchange) bool { return x.Client == want.Service && nameOf(x) == want.Name })
	all := e.named(want)
	switch {
	case len(calls) == 0:
		return wrong("The service sent no request %s.", want.Name)
	case len(all) == 0:
		return e.noSpan(want, len(calls), "call")
	}
	unsent, other := 0, 0
	for _, x := range calls {
		span, ok := e.byID[x.SpanID]
		switch {
		case x.SpanID == "":
			unsent++
		case !ok, span.Service != want.Service, span.Kind != want.Kind, span.Name != want.Name:
			other++
		}
	}
	switch {
	case unsent > 0:
		return wrong("%d of %d requests were sent without the header traceparent: propagation is lost. The instrumented transport sends it, if the request has the ctx: http.NewRequestWithContext.", unsent, len(calls)).needs("otelhttp.NewTransport(")
	case len(all) > len(calls):
		return wrong("There are %d such spans for %s. Wrap the transport once.", len(all), plural(len(calls), "call")).needs("otelhttp.NewTransport(")
	case other > 0:
		return wrong("%d of %d calls have no such span, and their header traceparent names another one. Give each http.Client that calls %s an instrumented transport.", other, len(calls), calls[0].Server).needs("otelhttp.NewTransport(")
	}
	if v := e.checkParents(want, all); !v.There() {
		return v
	}
	if v := e.checkContent(want, all); !v.There() {
		return v
	}
	for _, x := range calls {
		if got, status := e.byID[x.SpanID].Attributes["http.response.status_code"], strconv.Itoa(x.Status); got != status {
			return wrong("The attribute http.response.status_code of a span is %s, but the response was %s.", got, status).needs("otelhttp.NewTransport(")
		}
	}
	return Verdict{}
}

// checkQueries requires as many spans of a query as each lookup of a die needs.
func (e *evidence) checkQueries(want declared.Span) Verdict {
	all := e.named(want)
	needed, wrongs := 0, 0
	example := 0
	for _, x := range e.callsTo(want.Service) {
		for _, parent := range e.serverSpans(x) {
			needed += queriesOf(x, want.Name)
			got := count(e.below[parent.ID], func(s store.Span) bool { return s.Name == want.Name && s.Kind == want.Kind })
			if got != queriesOf(x, want.Name) {
				wrongs, example = wrongs+1, got
			}
		}
	}
	if len(all) == 0 {
		return e.noSpan(want, needed, "such query")
	}
	if v := e.checkParents(want, all); !v.There() {
		return v
	}
	if wrongs > 0 || len(all) != needed {
		return wrong("There are %d such spans for %d queries. One of the requests has %d. Pass the ctx of the request to each query, and send each once.", len(all), needed, example).needs("QueryContext(ctx")
	}
	return e.checkContent(want, all)
}
