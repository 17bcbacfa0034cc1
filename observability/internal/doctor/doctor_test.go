package doctor

import (
	"go/format"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"go.opentelemetry.io/collector/pdata/ptrace"

	"example.com/dice/observability/internal/otlp"
	"example.com/dice/observability/internal/sample"
	"example.com/dice/observability/internal/score"
)

// judge returns the verdict on the telemetry that a text describes.
func judge(source Source, text string) Report {
	j := New(source)
	give(j, text)
	return j.Finish()
}

func give(j *Judge, text string) {
	telemetry := sample.Parse(text)
	if telemetry.Traces.SpanCount() > 0 {
		j.Traces(telemetry.Traces, 1000)
	}
	if telemetry.Metrics.DataPointCount() > 0 {
		j.Metrics(telemetry.Metrics, 1000)
	}
	if telemetry.Logs.LogRecordCount() > 0 {
		j.Logs(telemetry.Logs, 1000)
	}
}

func (r Report) has(rule string) *Finding {
	for i := range r.Findings {
		if r.Findings[i].Rule.ID == rule {
			return &r.Findings[i]
		}
	}
	return nil
}

// shop begins most samples: a resource and a scope to which nothing is to be said.
const shop = "resource service.name=shop service.version=v1 service.instance.id=a deployment.environment.name=test\nscope example.com/shop 1\n"

// requests are 30 server spans of 50 ms, a second apart.
const requests = `30 span server "GET /a" trace={} id={} at={}s for=50ms http.request.method=GET http.route=/a http.response.status_code=200` + "\n"

type ruleTest struct {
	source     Source
	finds      string
	evidence   string // is part of it
	nearMisses []string
}

var ruleTests = map[string]ruleTest{
	"resource-unknown-service": {
		finds: "resource service.name=unknown_service:shop\nspan server a", evidence: "unknown_service:shop",
		nearMisses: []string{shop + "span server a", "resource service.name=unknown\nspan server a"},
	},
	"resource-no-version": {
		finds: "resource service.name=shop\nspan server a", evidence: "service.name=shop", nearMisses: []string{shop + "log info a"},
	},
	"resource-no-environment": {
		finds: "resource service.name=shop\nspan server a", evidence: "service.name=shop",
		nearMisses: []string{shop + "span server a", "resource service.name=shop deployment.environment=old\nspan server a"},
	},
	"resource-two-schemas": {
		finds: "resource service.name=shop schema=https://x/1.40.0\nspan server a\nresource service.name=shop schema=https://x/1.43.0\nlog info a", evidence: "1.43.0",
		nearMisses: []string{"resource service.name=shop schema=https://x/1.43.0\nspan server a\nresource service.name=shop\nlog info a\nresource service.name=other schema=https://x/1.40.0\nlog info a"},
	},
	"scope-incomplete": {
		finds: "resource service.name=shop\nscope example.com/shop\nspan server a", evidence: "has no version",
		nearMisses: []string{shop + "span server a", "resource service.name=shop\nscope go.opentelemetry.io/contrib/bridges/otelslog\nlog info a", "resource service.name=shop\nscope com.acme.Orders\nlog info a"},
	},
	"span-name-id": {
		finds: shop + `3 span server "GET /orders/{}" trace={}`, evidence: "GET /orders/{number}",
		nearMisses: []string{
			shop + `9 span server "GET /orders/17" trace={}`, shop + `9 span server "GET /v{}/orders" trace={}`, shop + `9 span server "GET /orders/{id}" trace={}`,
			shop + `4 span internal "worker {}"` + "\n" + `4 span internal "worker {}"` + "\n" + `4 span internal "worker {}"` + "\n" + `4 span internal "worker {}"`,
			shop + `19 span internal "worker {}"`, shop + `span client "PUT s3"` + "\n" + `span client "PUT s4"` + "\n" + `span client "PUT s5"`,
		},
	},
	"span-names-grow": {
		finds: shop + strings.Join(words(60, `span server `), "\n"), evidence: "50 names of",
		nearMisses: []string{shop + strings.Repeat(strings.Join(words(40, `span server `), "\n")+"\n", 3)},
	},
	"server-no-route": {
		finds: shop + "span server GET http.request.method=GET http.response.status_code=200", evidence: "GET",
		nearMisses: []string{
			shop + "span server GET http.request.method=GET http.response.status_code=404", shop + "span server GET http.request.method=GET http.response.status_code=405",
			shop + "span server GET http.request.method=GET http.response.status_code=301", shop + "span server a rpc.system=grpc http.request.method=POST http.response.status_code=200",
			shop + "span client GET http.request.method=GET http.response.status_code=200", shop + "span server process",
			shop + `span server "GET /a/{id}" http.request.method=GET http.response.status_code=200`,
			shop + "span server OPTIONS http.request.method=OPTIONS http.response.status_code=204",
		},
	},
	"server-method-name": {
		finds: shop + `span server "HTTP GET" http.request.method=GET http.route=/a`, evidence: "HTTP GET",
		nearMisses: []string{shop + `span server "GET /a" http.request.method=GET http.route=/a`, shop + `span client GET http.request.method=GET http.route=/a`, shop + `span server GET http.request.method=GET http.response.status_code=404`},
	},
	"context-not-propagated": {
		finds: shop + `9 span client "GET /b" trace={} id={} at={}s for=50ms http.request.method=GET server.port=80` + "\nresource service.name=other\n" +
			`9 span server "GET /b" trace=10{} at={}.01s for=20ms http.request.method=GET http.route=/b`, evidence: "shop → other",
		nearMisses: []string{
			// the server spans are there
			shop + `9 span client "GET /b" trace={} id={} at={}s for=50ms http.request.method=GET` + "\nresource service.name=other\n" +
				`9 span server "GET /b" trace={} parent={} at={}.01s for=20ms http.request.method=GET` + "\n" + `9 span server "GET /b" trace=10{} at={}.01s for=20ms http.request.method=GET`,
			// requests of others at other times
			shop + `9 span client "GET /b" trace={} id={} at={}s for=50ms http.request.method=GET` + "\nresource service.name=other\n" +
				`9 span server "GET /b" trace=10{} at={}.3s for=20ms http.request.method=GET`,
			// another method, another port
			shop + `9 span client "GET /b" trace={} id={} at={}s for=50ms http.request.method=GET` + "\nresource service.name=other\n" +
				`9 span server "POST /b" trace=10{} at={}.01s for=20ms http.request.method=POST`,
			shop + `9 span client "GET /b" trace={} id={} at={}s for=50ms http.request.method=GET server.port=80` + "\nresource service.name=other\n" +
				`9 span server "GET /b" trace=10{} at={}.01s for=20ms http.request.method=GET server.port=81`,
			// too few
			shop + `4 span client "GET /b" trace={} id={} at={}s for=50ms http.request.method=GET` + "\nresource service.name=other\n" +
				`4 span server "GET /b" trace=10{} at={}.01s for=20ms http.request.method=GET`,
		},
	},
	"context-lost": {
		finds: shop + requests + `30 span internal load trace=10{} at={}.01s for=20ms`, evidence: "load",
		nearMisses: []string{
			shop + requests + `30 span internal load trace={} parent={} at={}.01s for=20ms`,
			shop + requests + `30 span internal clean trace=10{} at={}.5s for=20ms`, // between requests
			shop + requests + `4 span internal load trace=10{} at={}.01s for=20ms`,
			shop + `30 span server "GET /a" trace={} id={} at={}s for=1s` + "\n" + `30 span internal clean trace=10{} at={}.3s for=20ms`, // there is always a request
			shop + requests + "resource service.name=other\n" + `30 span internal load trace=10{} at={}.01s for=20ms`,
		},
	},
	"child-after-parent": {
		finds: shop + `span server a id=1 for=10ms` + "\n" + `span internal mail parent=1 at=30ms`, evidence: `begins 20ms after the end of "a"`,
		nearMisses: []string{
			shop + `span server a id=1 for=10ms` + "\n" + `span internal mail parent=1 at=9ms for=1s` + "\n" + `span internal mail parent=1 at=19ms`,
			shop + `span producer a id=1 for=10ms` + "\n" + `span consumer mail parent=1 at=1s`,
			shop + `span client a id=1 for=10ms` + "\nresource service.name=other\n" + `span server a parent=1 at=1s`, // another clock
		},
	},
	"status-4xx": {
		finds: shop + "span server a status=error: http.response.status_code=404", evidence: "status code 404",
		nearMisses: []string{shop + "span server a http.response.status_code=404", shop + "span client a status=error: http.response.status_code=404", shop + "span server a status=error: http.response.status_code=500"},
	},
	"error-no-status": {
		finds: shop + "span server a http.request.method=GET http.response.status_code=500", evidence: "status code 500",
		nearMisses: []string{
			shop + "span server a status=error: http.request.method=GET http.response.status_code=500", shop + "span server a http.request.method=GET http.response.status_code=404",
			shop + "span server a status=ok: http.request.method=GET http.response.status_code=503", shop + "span internal a", shop + "span server a rpc.system=grpc error.type=NOT_FOUND",
			shop + "span server a http.request.method=GET http.response.status_code=404 error.type=404", shop + "span internal a error.type=context.Canceled",
		},
	},
	"error-no-type": {
		finds: shop + "span internal a status=error:broken", evidence: "broken",
		nearMisses: []string{shop + "span internal a status=error:broken error.type=timeout", shop + "span internal a status=error:x exception.type=E", shop + "span internal a", shop + "span client a status=error: rpc.system=grpc", shop + "span client a status=error: http.request.method=GET http.response.status_code=503"},
	},
	"canceled-error": {
		finds: shop + `span server a status="error:load: context canceled"`, evidence: "context canceled",
		nearMisses: []string{shop + `span server a status="error:context deadline exceeded"`, shop + `span client a status="error:Get: context canceled" http.request.method=GET`, shop + `span internal a error.type=context.Canceled`},
	},
	"exception-event": {
		finds: shop + "span internal a event=exception", evidence: "a",
		nearMisses: []string{shop + "span internal a event=retry", shop + "scope io.opentelemetry.jdbc 2\nspan internal a event=exception"},
	},
	"span-dropped": {finds: shop + "span internal a dropped=3", evidence: "3 attributes", nearMisses: []string{shop + "span internal a dropped=0"}},
	"attribute-long": {
		finds: shop + "span internal a page=" + strings.Repeat("x", 4097), evidence: "4097 bytes",
		nearMisses: []string{shop + "span internal a page=" + strings.Repeat("x", 4096), shop + "log error a exception.stacktrace=" + strings.Repeat("x", 9000), shop + "log info " + strings.Repeat("x", 9000), "resource service.name=shop process.command_line=" + strings.Repeat("x", 9000) + "\nspan internal a"},
	},
	"client-no-callee": {
		finds: shop + "span client charge mine=1", evidence: "charge",
		nearMisses: []string{shop + "span client charge server.address=pay", shop + "span client get db.system=redis", shop + "span client send messaging.system=kafka", shop + "span internal charge", shop + "span producer send", shop + "scope io.opentelemetry.temporal 1\nspan client StartWorkflow"},
	},
	"span-twice": {
		finds: shop + "20 span internal a id={}\n20 span internal a id={}", evidence: "20 of 40",
		nearMisses: []string{shop + "20 span internal a id={}\n9 span internal a id={}", shop + "90 span internal a id={}\n20 span internal a id={}"},
	},
	"name-deprecated": {
		finds: shop + "span client a http.method=GET", evidence: "now http.request.method, since version 1.21.0",
		nearMisses: []string{
			shop + "span client a http.request.method=GET", shop + "scope github.com/riandyrn/otelchi 1\nspan server a http.method=GET",
			shop + "scope example.com/shop 1 schema=https://opentelemetry.io/schemas/1.20.0\nspan server a http.method=GET", shop + "span internal a method=GET",
			shop + "log info a code.filepath=a.py", "resource service.name=shop deployment.environment=old\nscope example.com/shop 1\nspan server a",
		},
	},
	"library-deprecated": {
		finds: shop + "scope @opentelemetry/instrumentation-http 1\nspan server a http.status_code=200\ncounter http.server.duration ms 1", evidence: "made by @opentelemetry/instrumentation-http",
		nearMisses: []string{shop + "scope @opentelemetry/instrumentation-http 1\nspan server a http.response.status_code=200"},
	},
	"name-near-miss": {
		finds: shop + "span server a user_id=7 http.status=200\ncounter http.server.requests.duration s 1", evidence: "probably user.id",
		nearMisses: []string{shop + "span server a user.id=7 order_id=7 http.route=/a\ncounter orders {order} 1", shop + "scope opentelemetry.instrumentation.flask 1\nspan server a http.status=200"},
	},
	"name-two-spellings": {
		finds: shop + "span server a order.id=7\nlog info a order_id=7", evidence: "and order.id",
		nearMisses: []string{shop + "span server a order.id=7\nlog info a order.id=7", shop + "span server a order.id=7\nresource service.name=other\nlog info a order_id=7", shop + "log info a a_b=1\nlog info a aB=1"},
	},
	"name-type": {
		finds: shop + `span server a http.response.status_code="200" order.size=1` + "\n" + `log info a order.size="big"`, evidence: "is string, registered as int",
		nearMisses: []string{shop + `span server a http.response.status_code=200 order.size=1` + "\n" + `log info a order.size=1.5`, shop + `log info a size=1` + "\n" + `log info a size="big"`, shop + "scope io.opentelemetry.contrib.php.laravel 1\n" + `span server a server.port="80"`},
	},
	"metric-unit": {
		finds: shop + "histogram http.server.request.duration ms bounds=1 counts=1,0", evidence: `has the unit "ms", registered with "s"`,
		nearMisses: []string{shop + "histogram http.server.request.duration s bounds=1 counts=1,0\nhistogram shop.duration ms bounds=1 counts=1,0"},
	},
	"histogram-buckets": {
		finds: shop + "histogram wait s bounds=0,5,10,25,50,75,100,250,500,750,1000,2500,5000,7500,10000 counts=0,10,0,0,0,0,0,0,0,0,0,0,0,0,0,0", evidence: "10 values are at most 5 s",
		nearMisses: []string{
			shop + "histogram wait s bounds=0,5,10,25,50,75,100,250,500,750,1000,2500,5000,7500,10000 counts=0,9,0,0,0,0,0,0,0,0,0,0,0,0,0,0",
			shop + "histogram wait s bounds=0,5,10,25,50,75,100,250,500,750,1000,2500,5000,7500,10000 counts=0,10,1,0,0,0,0,0,0,0,0,0,0,0,0,0",
			shop + "histogram wait ms bounds=0,5,10,25,50,75,100,250,500,750,1000,2500,5000,7500,10000 counts=0,10,0,0,0,0,0,0,0,0,0,0,0,0,0,0",
			shop + "histogram wait s bounds=0.1,1,10 counts=10,0,0,0",
			shop + "histogram otel.sdk.exporter.operation.duration s bounds=0,5,10,25,50,75,100,250,500,750,1000,2500,5000,7500,10000 counts=0,10,0,0,0,0,0,0,0,0,0,0,0,0,0,0",
		},
	},
	"counter-down": {
		finds: shop + "counter orders {order} 5 at=1s start=1ms\ncounter orders {order} 3 at=2s start=1ms", evidence: "from 5 to 3",
		nearMisses: []string{
			shop + "counter orders {order} 5 at=1s\ncounter orders {order} 3 at=3s start=2s", // a restart
			shop + "counter orders {order} 5 at=2s\ncounter orders {order} 3 at=1s",          // late
			shop + "counter orders {order} 5 at=1s delta=true\ncounter orders {order} 3 at=2s delta=true",
			shop + "updown orders {order} 5 at=1s\nupdown orders {order} 3 at=2s", shop + "gauge orders {order} 5 at=1s\ngauge orders {order} 3 at=2s",
			shop + "counter orders {order} 5 at=1s a=1\ncounter orders {order} 3 at=2s a=2",
			shop + "counter orders {order} 5 at=1s start=1ms\nscope example.com/other 1\ncounter orders {order} 3 at=2s start=1ms",
			shop + "counter orders {order} 5 at=1s start=1ms\nresource service.name=shop service.instance.id=b\ncounter orders {order} 3 at=2s start=1ms",
			shop + "scope opentelemetry.instrumentation.system_metrics 1\ncounter system.cpu.time s 5 at=1s start=1ms\ncounter system.cpu.time s 3 at=2s start=1ms",
		},
	},
	"series-grow": {
		finds: shop + "50 counter orders {order} 1 order={}", evidence: "orders, attribute order",
		nearMisses: []string{shop + "49 counter orders {order} 1 order={}", shop + "50 counter orders {order} 7 order={}", shop + "50 counter orders {order} 1 http.route=r{}", shop + "50 gauge orders {order} 1 order={}"},
	},
	"metric-overflow": {finds: shop + "counter orders {order} 5 otel.metric.overflow=true", evidence: "orders", nearMisses: []string{shop + "counter orders {order} 5 overflow=true"}},
	"metric-id": {
		finds: shop + `3 counter orders {order} 5 order="0190163d-8694-739b-aea5-966c26f8ad9{}"`, evidence: "orders, attribute order",
		nearMisses: []string{shop + `2 counter orders {order} 5 order="0190163d-8694-739b-aea5-966c26f8ad9{}"`, shop + `9 counter orders {order} 5 order="o{}"`, shop + `9 counter orders {order} 5 service.instance.id="0190163d-8694-739b-aea5-966c26f8ad9{}"`},
	},
	"http-metrics-missing": {
		finds: shop + requests + "counter orders {order} 5", evidence: "30 server spans",
		nearMisses: []string{shop + requests, shop + requests + "counter otel.sdk.span.started {span} 5", shop + requests + "histogram http.server.request.duration s bounds=1 counts=1,0", shop + "20 span client a http.request.method=GET\ncounter orders {order} 5"},
	},
	"log-no-trace": {
		finds: shop + requests + `30 log info "order placed" at={}.04s`, evidence: "order placed",
		nearMisses: []string{
			shop + requests + `30 log info "order placed" at={}.04s trace={} span={}`, shop + requests + `30 log info "still alive" at={}.5s`, shop + requests + `4 log info "order placed" at={}.04s`,
			shop + `30 log info "order placed" at={}.04s`,
		},
	},
	"log-variable-body": {
		finds: shop + `20 log info "order {} placed"`, evidence: "order {number} placed",
		nearMisses: []string{shop + `19 log info "order {} placed"`, shop + `60 log info "order placed"`, shop + `90 log info "stage 3 begins"`, shop + `30 log info {'order':{}}`},
	},
	"log-no-severity":  {finds: shop + "log unset a", evidence: "a", nearMisses: []string{shop + "log info a"}},
	"log-no-timestamp": {finds: shop + "log info a at=none observed=none", evidence: "a", nearMisses: []string{shop + "log info a at=none observed=1s", shop + "log info a observed=none"}},
	"leak-secret":      {finds: shop + "span server a http.request.header.authorization=abcdef", evidence: "ab…", nearMisses: []string{shop + "span server a http.request.header.authorization=REDACTED"}},
	"leak-email":       {finds: shop + `log info "mail sent to ada@shop.org"`, evidence: "a…@…", nearMisses: []string{shop + `log info "mail sent to ada @shop"`, shop + `log info sent mail.message_id=a17@mail.shop.org`}},
	"nothing-arrived":  {source: File, finds: "", evidence: "in the file", nearMisses: []string{shop + "gauge a 1 1"}},
	"spans-lost": {
		source: Command, finds: shop + "span internal a parent=7 local=true\nlog info b trace=1 span=8\ncounter c {c} 1 trace=1 exemplar=9", evidence: "refers to span",
		nearMisses: []string{shop + "span internal a parent=7 local=false", shop + "span server a parent=7", shop + "span internal a parent=7", shop + "span server a parent=7 local=false\nlog info b trace=1 span=7", shop + "span server s id=7\nspan internal a parent=7 local=true\nlog info b trace=1 span=7", shop + "log info b trace=1"},
	},
	"signal-missing": {
		source: Command, finds: shop + "10 span internal a\ncounter otel.sdk.span.started {span} 5\nlog info a", evidence: "metrics",
		nearMisses: []string{shop + "10 span internal a\ncounter orders {order} 5\nlog info a", shop + "9 span internal a"},
	},
	"sdk-dropped": {
		finds: shop + "counter otel.sdk.processor.span.processed {span} 5 error.type=queue_full\ncounter processedSpans 1 3 dropped=true", evidence: "5: queue_full",
		nearMisses: []string{shop + "counter otel.sdk.processor.span.processed {span} 5\ncounter processedSpans 1 3 dropped=false\ncounter otel.sdk.exporter.span.exported {span} 0 error.type=x"},
	},
}

// words returns lines that end in different names.
func words(n int, begin string) []string {
	var lines []string
	for i := range n {
		lines = append(lines, begin+"render-"+strings.Repeat(string(rune('a'+i%26)), 1+i/26)+" trace="+strings.Repeat("1", 1+i%7))
	}
	return lines
}

func TestRules(t *testing.T) {
	for _, rule := range Rules() {
		if strings.HasPrefix(rule.ID, "export-") || rule.ID == "stop-no-flush" {
			continue // TestRefused, TestUnflushed
		}
		test, ok := ruleTests[rule.ID]
		if !ok {
			t.Errorf("%s has no test", rule.ID)
			continue
		}
		t.Run(rule.ID, func(t *testing.T) {
			t.Parallel()
			found := judge(test.source, test.finds).has(rule.ID)
			if found == nil {
				t.Fatal("it found nothing")
			}
			if !slices.ContainsFunc(found.Evidence, func(e Evidence) bool { return strings.Contains(e.Name+" "+e.Detail, test.evidence) && e.Count > 0 }) {
				t.Errorf("evidence %+v, want %q", found.Evidence, test.evidence)
			}
			for _, text := range test.nearMisses {
				if found := judge(test.source, text).has(rule.ID); found != nil {
					t.Errorf("it found %+v in\n%s", found.Evidence, text)
				}
			}
		})
	}
}

// TestHostileTexts wants texts that control terminals, or are long, to be shown as one plain line, and once.
func TestHostileTexts(t *testing.T) {
	j := New(Services)
	for i := range 3 {
		data := ptrace.NewTraces()
		resource := data.ResourceSpans().AppendEmpty()
		resource.Resource().Attributes().PutStr("service.name", "\x1b[2J\nshop")
		resource.Resource().Attributes().PutStr("http.route\x1b[2J", "a")
		span := resource.ScopeSpans().AppendEmpty().Spans().AppendEmpty()
		span.SetName("\x1b[31m\nload\u202e" + strings.Repeat("x", 1000))
		span.SetDroppedAttributesCount(1)
		span.SetKind(ptrace.SpanKindClient)
		span.SetTraceID([16]byte{1})
		span.SetSpanID([8]byte{byte(i + 1)})
		j.Traces(data, 10)
	}
	r := j.Finish()
	if found := r.has("span-dropped"); found == nil || len(found.Evidence) != 1 || found.Evidence[0].Count != 3 {
		t.Fatalf("%+v", r.Findings)
	}
	texts := []string{r.Services[0].Name}
	for _, f := range r.Findings {
		for _, e := range f.Evidence {
			texts = append(texts, f.Service, e.Name, e.Detail)
		}
	}
	for _, f := range r.Services[0].Score.Failed {
		texts = append(texts, f.Examples...)
	}
	for _, text := range texts {
		if strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) || len(text) > 400 {
			t.Errorf("%q is shown as it is", text)
		}
	}
}

// TestEmptyResources wants a service that sent nothing but its resource to be no service.
func TestEmptyResources(t *testing.T) {
	j := New(Services)
	data := ptrace.NewTraces()
	data.ResourceSpans().AppendEmpty().Resource().Attributes().PutStr("service.name", "shop")
	j.Traces(data, 10)
	if r := j.Finish(); len(r.Services) != 0 || r.has("nothing-arrived") == nil {
		t.Errorf("%+v", r)
	}
}

func TestRefused(t *testing.T) {
	for reason, rule := range map[otlp.Reason]string{
		otlp.WrongPath: "export-endpoint", otlp.WrongProtocol: "export-endpoint", otlp.WrongEncoding: "export-body", otlp.Malformed: "export-body", otlp.TooLarge: "export-body",
	} {
		j := New(Services)
		for range 3 {
			j.Refused(otlp.Refusal{Reason: reason, Detail: "POST /"})
		}
		r := j.Finish()
		if found := r.has(rule); found == nil || len(found.Evidence) != 1 || found.Total() != 3 || r.Refused != 3 {
			t.Errorf("%s: %+v", reason, r.Findings)
		}
	}
}

// TestRuleTexts wants each rule to be complete, its fix to be Go, and what teaches it to exist.
func TestRuleTexts(t *testing.T) {
	seen := make(map[string]bool)
	for _, rule := range slices.Concat(Rules(), ScoreRules()) {
		if seen[rule.ID] {
			t.Errorf("%s is there twice", rule.ID)
		}
		seen[rule.ID] = true
		inScore := score.Impacts[rule.ID] != 0
		if rule.Title == "" || rule.Why == "" || rule.Fix == "" || rule.Learn == "" || inScore != (rule.Severity == "") || inScore != (rule.Needs == "") {
			t.Errorf("%s is incomplete: %+v", rule.ID, rule)
		}
		if !inScore && !slices.Contains(Severities, rule.Severity) {
			t.Errorf("%s has the severity %q", rule.ID, rule.Severity)
		}
		if formatted, err := format.Source([]byte(rule.Fix)); err != nil || string(formatted) != rule.Fix {
			t.Errorf("%s: the fix is not formatted Go: %v\n%s", rule.ID, err, formatted)
		}
		file, anchor, _ := strings.Cut(rule.Learn, "#")
		content, err := os.ReadFile(filepath.Join("..", "..", "..", file))
		if err != nil {
			t.Error(err)
		}
		if anchor != "" && !slices.Contains(anchors(content), anchor) {
			t.Errorf("%s: %s has no section %s", rule.ID, file, anchor)
		}
	}
	for id := range score.Impacts {
		if !seen[id] {
			t.Errorf("%s has no text", id)
		}
	}
}

var heading = regexp.MustCompile(`(?m)^#+ (.*)$`)

// anchors returns the anchors of a README's headings, as GitHub makes them.
func anchors(readme []byte) []string {
	var all []string
	for _, match := range heading.FindAllSubmatch(readme, -1) {
		lower := strings.ToLower(strings.ReplaceAll(string(match[1]), " ", "-"))
		all = append(all, regexp.MustCompile(`[^\p{L}\p{N}_-]`).ReplaceAllString(lower, ""))
	}
	return all
}
