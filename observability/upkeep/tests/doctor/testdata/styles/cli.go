package main

import (
	"context"
	"os"
	"path/filepath"
	"sync"

	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

// cli is a tool with one root span, which works on files concurrently.
func cli(ctx context.Context) error {
	ctx, span := tracer.Start(ctx, "acme sync", trace.WithAttributes(semconv.ProcessCommandArgs(os.Args...)))
	defer span.End()
	files, err := filepath.Glob(filepath.Join(os.TempDir(), "*"))
	if err != nil {
		return err
	}
	span.SetAttributes(attribute.Int("acme.files", len(files)))
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			_, one := tracer.Start(ctx, "sync file", trace.WithAttributes(semconv.FileExtension("txt")))
			defer one.End()
		})
	}
	group.Wait()
	span.SetAttributes(semconv.ProcessExitCode(0))
	return nil
}
