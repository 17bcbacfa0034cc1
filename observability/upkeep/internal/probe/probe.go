// Package probe sends log records that the collector must route to different tenants, and checks that it did.
package probe

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploggrpc"
	"go.opentelemetry.io/otel/log"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	"go.opentelemetry.io/otel/sdk/resource"
)

// The tenants of Loki.
const (
	Dice  = "dice"
	Usage = "usage"
)

const (
	// Service is the name of the service that the records are from.
	Service = "probe"
	// ID is the attribute that differs in each record.
	ID = "probe.id"
)

// kinds are the attributes of usage records, and of records that look almost like them.
var kinds = []struct {
	tenant     string
	attributes []attribute.KeyValue
}{
	{Usage, []attribute.KeyValue{attribute.Bool("usage", true)}},
	{Dice, []attribute.KeyValue{attribute.Bool("usage", false)}},
	{Dice, nil},
	{Dice, []attribute.KeyValue{attribute.String("usage", "true")}},
}

// Probe sends log records, and remembers to which tenant each belongs.
type Probe struct {
	provider *sdklog.LoggerProvider
	want     map[string][]string // the IDs of each tenant
	sent     int
}

// New returns a probe that sends to a collector: host:port of OTLP over gRPC.
func New(ctx context.Context, collector string) (*Probe, error) {
	exporter, err := otlploggrpc.New(ctx, otlploggrpc.WithEndpoint(collector), otlploggrpc.WithInsecure())
	if err != nil {
		return nil, fmt.Errorf("creating an exporter: %w", err)
	}
	return &Probe{
		provider: sdklog.NewLoggerProvider(
			sdklog.WithProcessor(sdklog.NewBatchProcessor(exporter)),
			sdklog.WithResource(resource.NewSchemaless(attribute.String("service.name", Service))),
		),
		want: make(map[string][]string),
	}, nil
}

// Send sends n records of each kind, one kind after the other, and returns when the collector has acknowledged all.
// The SDK's queue holds 2048 records.
func (p *Probe) Send(ctx context.Context, n int) error {
	logger := p.provider.Logger(Service)
	for range n {
		for _, kind := range kinds {
			id := strconv.Itoa(p.sent)
			p.sent++
			p.want[kind.tenant] = append(p.want[kind.tenant], id)
			var record log.Record
			record.SetTimestamp(time.Now())
			record.SetBody(attribute.StringValue("probe"))
			record.AddAttributes(attribute.String(ID, id), attribute.String("event", "probe"))
			record.AddAttributes(kind.attributes...)
			logger.Emit(ctx, record)
		}
	}
	if err := p.provider.ForceFlush(ctx); err != nil {
		return fmt.Errorf("sending log records: %w", err)
	}
	return nil
}

// Check returns an error unless each record was found exactly once, at its tenant. The keys of found are tenants.
func (p *Probe) Check(found map[string][]string) error {
	var errs []error
	for _, tenant := range []string{Dice, Usage} {
		extra := make(map[string]int)
		for _, id := range found[tenant] {
			extra[id]++
		}
		missing := 0
		for _, id := range p.want[tenant] {
			if extra[id]--; extra[id] < 0 {
				missing++
			}
		}
		maps.DeleteFunc(extra, func(_ string, n int) bool { return n <= 0 })
		if missing > 0 || len(extra) > 0 {
			errs = append(errs, fmt.Errorf("tenant %s: of %d records, %d are missing, and %d are duplicates or belong to another tenant",
				tenant, len(p.want[tenant]), missing, len(extra)))
		}
	}
	return errors.Join(errs...)
}

// Close stops the probe.
func (p *Probe) Close(ctx context.Context) error { return p.provider.Shutdown(ctx) }
