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

// message returns a message of traces with four spans each, which are like those of an HTTP service.
func message(first int) []byte {
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
	for i := range perMessage {
		n := first + i
		span := scope.Spans().AppendEmpty()
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
		attributes(span.Attributes(), n)
	}
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
		bodies[i] = message(i * perMessage)
	}
	spans := 0
	for b.Loop() {
		if spans/perMessage%len(bodies) == 0 {
			b.StopTimer()
			j = New(Services)
			b.StartTimer()
		}
		take(j, bodies[spans/perMessage%len(bodies)])
		spans += perMessage
		if spans%20_000 < perMessage {
			j.Update(10)
		}
	}
	b.ReportMetric(float64(spans)/b.Elapsed().Seconds(), "spans/s")
}

// TestMemory gives a judge the spans of ten minutes at 2000 a second.
func TestMemory(t *testing.T) {
	if os.Getenv("THOROUGH") == "" {
		t.Skip("make check runs this")
	}
	const most = 300 << 20
	j := New(Services)
	worst := uint64(0)
	for n := 0; n < 1_200_000; n += perMessage {
		take(j, message(n))
		if n%(100*perMessage) == 0 {
			j.Update(10)
			var memory runtime.MemStats
			runtime.ReadMemStats(&memory)
			worst = max(worst, memory.HeapInuse)
		}
	}
	r := j.Finish()
	t.Logf("at most %d MB, %d spans, findings %d", worst>>20, r.Services[0].Spans, len(r.Findings))
	if worst > most {
		t.Errorf("%d MB of heap", worst>>20)
	}
	if worst := r.Worst(); worst != "" && worst != Note {
		t.Errorf("found %+v", r.Findings)
	}
}
