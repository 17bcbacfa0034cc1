package main

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/go-chi/chi/v5"
	"github.com/riandyrn/otelchi"
	"go.opentelemetry.io/otel/trace"
)

// auditAsChild starts a span below the request's span, for work that outlives the request.
func auditAsChild(ctx context.Context) (context.Context, trace.Span) {
	return tracer.Start(context.WithoutCancel(ctx), "audit")
}

// auditWithLink starts a trace for that work, with a link to the request's span.
func auditWithLink(ctx context.Context) (context.Context, trace.Span) {
	return tracer.Start(context.WithoutCancel(ctx), "audit", trace.WithNewRoot(), trace.WithLinks(trace.LinkFromContext(ctx)))
}

// TestWorkThatOutlivesItsRequest wants the request's context to end the work, and neither of the README's remedies to do so.
func TestWorkThatOutlivesItsRequest(t *testing.T) {
	for name, test := range map[string]struct {
		start  func(context.Context) (context.Context, trace.Span)
		want   error
		linked bool
	}{
		"request's context": {func(ctx context.Context) (context.Context, trace.Span) { return tracer.Start(ctx, "audit") }, context.Canceled, false},
		"child":             {auditAsChild, nil, false},
		"link":              {auditWithLink, nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			var err error
			e := observe(t, func() { err = workAfterResponse(t, test.start) })
			if !errors.Is(err, test.want) {
				t.Errorf("the work ended with %v, want %v", err, test.want)
			}
			request, audit := e.span(t, "GET /").SpanContext(), e.span(t, "audit")
			if e.spans[0].Name() != "GET /" {
				t.Error("the work ended before its request")
			}
			linked := len(audit.Links()) == 1 && audit.Links()[0].SpanContext.SpanID() == request.SpanID() && audit.SpanContext().TraceID() != request.TraceID()
			child := len(audit.Links()) == 0 && audit.Parent().SpanID() == request.SpanID()
			if linked != test.linked || child == test.linked {
				t.Errorf("parent %v, links %v", audit.Parent(), audit.Links())
			}
		})
	}
}

// workAfterResponse sends a request whose handler starts work in the background. The work goes on until net/http has canceled the request's
// context, which it does after the response. The error says whether that has ended the work.
func workAfterResponse(t *testing.T, start func(context.Context) (context.Context, trace.Span)) (err error) {
	t.Helper()
	var background sync.WaitGroup
	r := chi.NewRouter()
	r.Use(otelchi.Middleware("", otelchi.WithChiRoutes(r), otelchi.WithRequestMethodInSpanName(true)))
	r.Get("/", func(_ http.ResponseWriter, r *http.Request) {
		background.Go(func() {
			ctx, span := start(r.Context())
			defer span.End()
			<-r.Context().Done()
			err = ctx.Err()
		})
	})
	server := httptest.NewServer(r)
	defer server.Close()
	response, getErr := server.Client().Get(server.URL)
	if getErr != nil {
		t.Fatal(getErr)
	}
	_ = response.Body.Close()
	background.Wait()
	return err
}
