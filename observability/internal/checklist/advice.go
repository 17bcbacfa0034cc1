package checklist

// Advice for each kind of item says in general how such an item comes about.
const (
	presenceAdvice    = "A service is a directory with a main package, and an entry in compose.yaml. It must compile, start, and answer GET /healthz."
	answersAdvice     = "Instrumentation must not change the responses of a service. Compare your handler and your router with those of the stage."
	arrivalAdvice     = "Start the SDK first thing in the service, with the service's name. It needs three providers, for traces, metrics and log records, each with an exporter. One call of shared/telemetry sets up all of them."
	runtimeAdvice     = "Metrics of the Go runtime need a meter provider with a reader, and a call of Start in contrib/instrumentation/runtime. shared/telemetry does both."
	logAdvice         = "Log with log/slog. Once its default handler is the otelslog bridge, every record is exported. The message and the names of the attributes must be those that the stage declares."
	flushAdvice       = "Spans, metrics and log records wait in memory until a batch is full or a timer fires. They must be sent before the process exits, so shut the SDK down after the server has stopped."
	serverAdvice      = "A middleware around the router starts a span for each request, and reads the caller's trace from the request's headers. The order of middlewares matters."
	clientAdvice      = "The client starts a span for each call, and sends the trace ID along. An instrumented transport does both for an HTTP client. For a database, an instrumented driver starts the spans."
	internalAdvice    = "tracer.Start makes a span for work within a request. Start it with the ctx of the request, pass the new ctx on, and end the span with defer. Set its attributes and its status before it ends."
	accountAdvice     = "If a span has not arrived, its process lost it: when it exited, because the SDK's queue was full, or because a sampler dropped the span."
	correlationAdvice = "A log record belongs to the span in its context. First, each request needs a server span. Then log with slog.InfoContext and the ctx of the request."
	metricAdvice      = "Create each instrument once, with a name, a unit and, for a histogram, bucket bounds that fit its values. Use only attributes with a few values that are known beforehand."
	ownMetricsAdvice  = "The SDK can measure itself. The feature is still experimental, so you turn it on with an environment variable of the service."
	tenantAdvice      = "Usage records have an attribute that no other record has. The collector routes the records with this attribute, and only those, to a tenant of their own."
)
