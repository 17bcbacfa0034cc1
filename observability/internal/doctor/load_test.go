package doctor

import (
	"encoding/binary"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
)

// perMessage is how many spans the SDK for Go puts into a message by default.
const perMessage = 512

// spans returns a message of traces with four spans each, which are like those of an HTTP service, with their attributes or without.
func spans(first int, rich bool) ptrace.Traces {
	data := ptrace.NewTraces()
	resource := data.ResourceSpans().AppendEmpty()
	for key, value := range map[string]string{
		"service.name": "shop", "service.version": "v1", "service.instance.id": "0190163d-8694-739b-aea5-966c26f8ad91", "deployment.environment.name": "test",
	} {
		resource.Resource().Attributes().PutStr(key, value)
	}
	scope := resource.ScopeSpans().AppendEmpty()
	scope.Scope().SetName("example.com/shop")
	scope.Scope().SetVersion("v1")
	scope.Spans().EnsureCapacity(perMessage)
	for i := range perMessage {
		fill(scope.Spans().AppendEmpty(), first+i)
		if rich {
			attributes(scope.Spans().At(i).Attributes(), first+i)
		}
	}
	return data
}

// fill makes a span the one with a number.
func fill(span ptrace.Span, n int) {
	var trace pcommon.TraceID
	binary.BigEndian.PutUint64(trace[:], uint64(n/4)*0x9e3779b97f4a7c15)
	span.SetTraceID(trace)
	var id pcommon.SpanID
	binary.BigEndian.PutUint64(id[:], uint64(n+1))
	span.SetSpanID(id)
	span.SetName("load order")
	span.SetKind(ptrace.SpanKindInternal)
	start := time.Unix(1_800_000_000, 0).Add(time.Duration(n) * 500 * time.Microsecond)
	if n%4 == 0 {
		span.SetName("GET /orders/{id}")
		span.SetKind(ptrace.SpanKindServer)
	} else {
		binary.BigEndian.PutUint64(id[:], uint64(n-n%4+1))
		span.SetParentSpanID(id)
	}
	span.SetStartTimestamp(pcommon.NewTimestampFromTime(start))
	span.SetEndTimestamp(pcommon.NewTimestampFromTime(start.Add(20 * time.Millisecond)))
}

func encoded(data ptrace.Traces) []byte {
	body, err := ptraceotlp.NewExportRequestFromTraces(data).MarshalProto()
	if err != nil {
		panic(err)
	}
	return body
}

func attributes(into pcommon.Map, n int) {
	into.PutStr("http.request.method", "GET")
	into.PutStr("http.route", "/orders/{id}")
	into.PutStr("url.path", fmt.Sprintf("/orders/%d", n))
	into.PutStr("url.scheme", "http")
	into.PutStr("server.address", "shop.example.com")
	into.PutInt("server.port", 8080)
	into.PutStr("client.address", "192.0.2.7")
	into.PutInt("http.response.status_code", 200)
	into.PutStr("user_agent.original", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
	into.PutStr("order.id", strconv.Itoa(n))
}

func take(j *Judge, body []byte) {
	request := ptraceotlp.NewExportRequest()
	if err := request.UnmarshalProto(body); err != nil {
		panic(err)
	}
	j.Traces(request.Traces(), len(body))
}

// BenchmarkJudge decodes and judges spans. Run it with -cpu 1.
func BenchmarkJudge(b *testing.B) {
	j := New(Services)
	bodies := make([][]byte, 200)
	for i := range bodies {
		bodies[i] = encoded(spans(i*perMessage, true))
	}
	n := 0
	for b.Loop() {
		if n/perMessage%len(bodies) == 0 {
			b.StopTimer()
			j = New(Services)
			b.StartTimer()
		}
		take(j, bodies[n/perMessage%len(bodies)])
		n += perMessage
		if n%20_000 < perMessage {
			j.Update(10)
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "spans/s")
}

// tenMinutes is the number of spans at 2000 a second.
const tenMinutes = 1_200_000

// TestMemory gives a judge the spans of ten minutes. The first ones have no attributes: all that a judge keeps of a span for long is
// its id. The last ones, which are more than it keeps whole, have them. BenchmarkTenMinutes gives all of them theirs.
func TestMemory(t *testing.T) {
	if os.Getenv("THOROUGH") == "" {
		t.Skip("make check runs this")
	}
	const most = 300
	worst, r := load(func(n int) bool { return n >= tenMinutes-2*mostSpans })
	if worst > most {
		t.Errorf("%d MB of heap", worst)
	}
	t.Logf("at most %d MB, %d spans", worst, r.Services[0].Spans)
	if worst := r.Worst(); worst != "" && worst != Note {
		t.Errorf("found %+v", r.Findings)
	}
}

// BenchmarkTenMinutes measures the memory with ten minutes of whole spans.
func BenchmarkTenMinutes(b *testing.B) {
	for b.Loop() {
		worst, _ := load(func(int) bool { return true })
		b.ReportMetric(float64(worst), "MB")
	}
}

// load gives a judge the spans of ten minutes, and returns the largest heap in MB.
func load(rich func(n int) bool) (worst uint64, r Report) {
	j := New(Services)
	for n := 0; n < tenMinutes; n += perMessage {
		if rich(n) {
			take(j, encoded(spans(n, true)))
		} else {
			j.Traces(spans(n, false), 50*perMessage)
		}
		if n%(100*perMessage) == 0 {
			j.Update(10)
			var memory runtime.MemStats
			runtime.ReadMemStats(&memory)
			worst = max(worst, memory.HeapInuse>>20)
		}
	}
	return worst, j.Finish()
}
