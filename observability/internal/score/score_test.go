package score_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"example.com/dice/observability/internal/lineage"
	"example.com/dice/observability/internal/sample"
	"example.com/dice/observability/internal/score"
)

// judge returns the score of the service shop.
func judge(t *testing.T, text string) score.Result {
	t.Helper()
	telemetry := sample.Parse(text)
	var spans lineage.Set
	s := score.New(&spans)
	for _, resource := range telemetry.Traces.ResourceSpans().All() {
		service, _ := resource.Resource().Attributes().Get("service.name")
		name := service.AsString()
		s.Resource(name, resource.Resource().Attributes())
		for _, scope := range resource.ScopeSpans().All() {
			for _, span := range scope.Spans().All() {
				spans.Add(span.TraceID(), span.SpanID())
				if !span.ParentSpanID().IsEmpty() {
					spans.Refer(lineage.Reference{Kind: lineage.Child, Service: name, Name: span.Name(), Trace: span.TraceID(), Span: span.ParentSpanID(), At: span.EndTimestamp().AsTime()})
				}
				s.Span(name, span)
			}
		}
	}
	for _, resource := range telemetry.Metrics.ResourceMetrics().All() {
		name, _ := resource.Resource().Attributes().Get("service.name")
		s.Resource(name.AsString(), resource.Resource().Attributes())
		for _, scope := range resource.ScopeMetrics().All() {
			for _, metric := range scope.Metrics().All() {
				s.Metric(name.AsString(), metric)
			}
		}
	}
	for _, resource := range telemetry.Logs.ResourceLogs().All() {
		name, _ := resource.Resource().Attributes().Get("service.name")
		s.Resource(name.AsString(), resource.Resource().Attributes())
		for _, scope := range resource.ScopeLogs().All() {
			for _, record := range scope.LogRecords().All() {
				s.Record(name.AsString(), record)
			}
		}
	}
	return s.Of("shop", sample.Start.Add(1000*1000*1000*1000))
}

// TestRules has for each rule telemetry that fails it, and telemetry that nearly does.
func TestRules(t *testing.T) {
	const shop = "resource service.name=shop service.instance.id=a\n"
	const other = "resource service.name=other service.instance.id=b\n"
	const pods = "resource service.name=shop service.instance.id=a k8s.pod.uid=u k8s.pod.name="
	tests := map[string]struct{ fails, passes string }{
		"RES-001": {"resource service.name=shop\nspan server a", shop + "span server a"},
		"RES-002": {
			pods + "one\nspan server a\n" + pods + "two\nspan server a",
			pods + "one\nspan server a\n" + pods + "one container.id=restarted\nspan server a\nresource service.name=other service.instance.id=a k8s.pod.name=x\nspan server a",
		},
		"RES-003": {shop[:len(shop)-1] + " k8s.namespace.name=n\nspan server a", pods + "one\nspan server a"},
		"RES-004": {
			shop + "span server a host.name=x\nlog info a service.name=shop\n" + shop[:len(shop)-1] + " http.request.method=GET\nspan server a",
			shop + "span server a http.route=/a user.id=1 process.pid=1\ncounter a {a} 1 host.name=x\n" + shop[:len(shop)-1] + " process.pid=1 mine=x cloud.region=x\nspan server a",
		},
		"RES-005": {"resource service.instance.id=a\nspan server a", shop + "span server a"},
		"SPA-001": {
			shop + "span server a id=1\n11 span internal b parent=1",
			shop + "span server a id=1\n10 span internal b parent=1\n20 span client b parent=1\n10 span internal b trace=2\n" + other + "10 span internal c parent=1",
		},
		"SPA-002": {shop + "span server a parent=9", shop + "span server a parent=9\n" + other + "span client b id=9\nspan internal a trace=3 parent=77"},
		"SPA-004": {shop + "span client a", shop + "span internal a id=1\nspan client b parent=1\nspan producer c trace=2\n" + other + "span client a trace=3"},
		"SPA-005": {
			shop + "span server a id=1 for=1s\n11 span client b parent=1 for=4999us\n" + other + "10 span server c parent=1 for=0",
			shop + "span server a id=1 for=1s\n20 span client b parent=1 for=4ms\n20 span client b parent=1 for=5ms\n" + other + "21 span client d trace=3 for=1ms",
		},
		"MET-001": {shop + "10000 counter a {a} 1 k=x{}", shop + "9999 counter a {a} 1 k=x{}\n9999 counter b {b} 1 k=y{}\n9999 counter a {a} 1 k=z{} at=1h"},
		"MET-002": {shop + "counter a - 1\ncounter b requests 1", shop + "counter a {a} 1\ngauge b 1 2\ngauge c By/s 3"},
		"MET-003": {shop + "counter a s 1\n" + other + "counter a ms 1", shop + "counter a s 1\ncounter b ms 1\n" + other + "counter c s 1\ncounter c ms 1"},
		"MET-004": {
			shop + "histogram a s bounds=1,2 counts=1,0,0\n" + other + "histogram a s bounds=1,3 counts=1,0,0",
			shop + "histogram a s bounds=1,2 counts=1,0,0 k=1\nhistogram b s bounds=1,3 counts=1,0,0\n" + other + "histogram a s bounds=1,2 counts=1,0,0",
		},
		"MET-005": {
			shop + "gauge collection.duration.seconds s 1\ngauge used_bytes By 1\ngauge a.ms ms 1\ngauge cpu.percent % 1",
			shop + "gauge collection.duration s 1\ncounter requests {request} 1\ngauge seconds By 1\ngauge bytecode.size By 1\ngauge minimum min 1\ngauge wait.S s 1",
		},
		"MET-006": {shop + "gauge http.response.status_code {code} 1\ngauge http.method 1 1", shop + "gauge http.server.request.duration s 1\ngauge http.response.status 1 1"},
		"LOG-002": {shop + "log unset a", shop + "log info a\n" + other + "log unset a"},
	}
	for rule := range score.Impacts {
		test, ok := tests[rule]
		if !ok {
			t.Errorf("%s has no test", rule)
			continue
		}
		t.Run(rule, func(t *testing.T) {
			text := test.fails
			if rule == "RES-005" {
				text = strings.ReplaceAll(text, "resource ", `resource service.name="" `)
				if got := ofNobody(t, text); got.Failed == nil || got.Failed[0].Rule != rule {
					t.Errorf("fails %+v", got.Failed)
				}
			} else if got := judge(t, text); !failed(got, rule) {
				t.Errorf("passes: %+v", got)
			}
			if got := judge(t, test.passes); failed(got, rule) {
				t.Errorf("fails: %+v", got.Failed)
			}
		})
	}
}

func failed(r score.Result, rule string) bool {
	return slices.ContainsFunc(r.Failed, func(f score.Failure) bool { return f.Rule == rule && f.Count > 0 && len(f.Examples) > 0 })
}

// ofNobody returns the score of resources without a name.
func ofNobody(t *testing.T, text string) score.Result {
	t.Helper()
	s := score.New(new(lineage.Set))
	for _, resource := range sample.Parse(text).Traces.ResourceSpans().All() {
		s.Resource("", resource.Resource().Attributes())
	}
	return s.Of("", sample.Start)
}

// TestFormula computes scores by hand.
func TestFormula(t *testing.T) {
	const all = 410 // one critical rule, nine important and five normal ones off Kubernetes
	const good = "resource service.name=shop service.instance.id=a\nspan server a id=1\nlog info a\ncounter a {a} 1\n"
	for text, want := range map[string]float64{
		good:                              100,
		good + "span client b trace=2":    100 * (all - 30.) / all,
		good + "span internal b parent=9": 100 * (all - 20.) / all,
		good + "span client b trace=2\nlog unset c\ngauge a.seconds s 1\ncounter b - 1": 100 * (all - 30. - 30 - 20 - 30) / all,
	} {
		if got := judge(t, text); math.Abs(got.Value-want) > 1e-9 {
			t.Errorf("score %f, want %f: %+v", got.Value, want, got.Failed)
		}
	}
	onKubernetes := "resource service.name=shop service.instance.id=a k8s.pod.name=x\nspan client a"
	if got, want := judge(t, onKubernetes), 100*(all-30.)/(all+30); math.Abs(got.Value-want) > 1e-9 || got.NotJudged["RES-003"] != "" {
		t.Errorf("score %f, want %f: %+v", got.Value, want, got)
	}
	for value, want := range map[float64]string{100: "Excellent", 90: "Excellent", 89.9: "Good", 75: "Good", 74: "Needs Improvement", 50: "Needs Improvement", 49.99: "Poor", 0: "Poor"} {
		if got := (score.Result{Value: value}).Category(); got != want {
			t.Errorf("%f is %s, want %s", value, got, want)
		}
	}
}
