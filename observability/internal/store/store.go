// Package store keeps telemetry in memory, in place of Tempo, Prometheus and Loki.
package store

import (
	"context"
	"sync"
	"time"
)

// Span is one operation of a trace.
type Span struct {
	TraceID, ID, Parent  string
	Service, Scope       string
	Origin               Origin
	Name, Kind           string // kind: client, server, internal, producer or consumer
	Start, End           time.Time
	Failed               bool
	Message              string // of the status
	Attributes, Resource map[string]string
	Types                map[string]string // of the attributes: string, int, double, bool or another
}

// Origin is the metadata of a scope, except for its name.
type Origin struct{ Version, SchemaURL string }

// Duration is the time from the span's start to its end.
func (s Span) Duration() time.Duration { return s.End.Sub(s.Start) }

// Record is one log record.
type Record struct {
	TraceID, SpanID      string
	Service, Scope       string
	Tenant               string // the tenant of Loki that it was sent to
	Time                 time.Time
	Level, Message       string
	Event                string // the event's name, if the record is one
	Origin               Origin
	Attributes, Resource map[string]string
	Types                map[string]string
}

// Point is the last value of one time series.
type Point struct {
	Service, Scope       string
	Name, Unit, Type     string // type: sum, up-down sum, gauge, histogram, or the SDK's name of another
	Origin               Origin
	Attributes, Resource map[string]string
	Types                map[string]string
	Value                float64   // of a sum or gauge; the sum of a histogram's values
	Peak                 float64   // the highest value so far
	Count                int       // of a histogram
	Bounds               []float64 // of a histogram's buckets
	Buckets              []uint64  // how many values are in each; the last has no upper bound

	at time.Time
}

// Most is how many spans and log records a store keeps. If there are more, it forgets the oldest traces as a whole.
const Most = 100_000

// Store is safe for concurrent use. Its zero value is empty and ready to use.
type Store struct {
	mu      sync.Mutex
	traces  traces
	points  map[string]Point
	changed time.Time
	refuse  bool
	refused map[string]int // requests, by tenant
}

// Spans returns all spans, by trace.
func (s *Store) Spans() []Span {
	var all []Span
	for _, t := range s.Traces() {
		all = append(all, t.Spans...)
	}
	return all
}

// Records returns all log records, by trace.
func (s *Store) Records() []Record {
	var all []Record
	for _, t := range s.Traces() {
		all = append(all, t.Records...)
	}
	return all
}

// Points returns the last value of each time series, in no particular order.
func (s *Store) Points() []Point {
	s.mu.Lock()
	defer s.mu.Unlock()
	points := make([]Point, 0, len(s.points))
	for _, point := range s.points {
		points = append(points, point)
	}
	return points
}

// WaitUntilQuiet waits until no span or log record has arrived for some time, counted from now, or until ctx ends.
// Metrics do not count, because they arrive all the time.
func (s *Store) WaitUntilQuiet(ctx context.Context, quiet time.Duration) {
	for wait := quiet; wait > 0; wait = quiet - s.unchanged() {
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

func (s *Store) unchanged() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Since(s.changed)
}

// RefuseLogs makes the store reject all log records, as if Loki were down, or accept them again.
func (s *Store) RefuseLogs(refuse bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refuse, s.refused = refuse, make(map[string]int)
}

// Refused returns how many requests of a tenant were rejected since RefuseLogs.
func (s *Store) Refused(tenant string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.refused[tenant]
}
