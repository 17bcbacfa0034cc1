package telemetry

import (
	"context"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

// validMetrics exports metrics repaired.
type validMetrics struct{ sdkmetric.Exporter }

func (e validMetrics) Export(ctx context.Context, metrics *metricdata.ResourceMetrics) error {
	for i := range metrics.ScopeMetrics {
		scope := &metrics.ScopeMetrics[i]
		scope.Scope = repairScope(scope.Scope)
		for j := range scope.Metrics {
			m := &scope.Metrics[j]
			m.Name, m.Description, m.Unit = repair(m.Name, longest), repair(m.Description, longest), repair(m.Unit, longest)
			repairData(m.Data)
		}
	}
	return e.Exporter.Export(ctx, metrics)
}

func repairData(data metricdata.Aggregation) {
	switch data := data.(type) {
	case metricdata.Gauge[int64]:
		repairPoints(data.DataPoints)
	case metricdata.Gauge[float64]:
		repairPoints(data.DataPoints)
	case metricdata.Sum[int64]:
		repairPoints(data.DataPoints)
	case metricdata.Sum[float64]:
		repairPoints(data.DataPoints)
	case metricdata.Histogram[int64]:
		repairHistogram(data.DataPoints)
	case metricdata.Histogram[float64]:
		repairHistogram(data.DataPoints)
	case metricdata.ExponentialHistogram[int64]:
		repairExponential(data.DataPoints)
	case metricdata.ExponentialHistogram[float64]:
		repairExponential(data.DataPoints)
	case metricdata.Summary: // from Prometheus
		for i := range data.DataPoints {
			data.DataPoints[i].Attributes = repairSet(data.DataPoints[i].Attributes)
		}
	}
}

func repairPoints[N int64 | float64](points []metricdata.DataPoint[N]) {
	for i := range points {
		points[i].Attributes = repairSet(points[i].Attributes)
		repairExemplars(points[i].Exemplars)
	}
}

func repairHistogram[N int64 | float64](points []metricdata.HistogramDataPoint[N]) {
	for i := range points {
		points[i].Attributes = repairSet(points[i].Attributes)
		repairExemplars(points[i].Exemplars)
	}
}

func repairExponential[N int64 | float64](points []metricdata.ExponentialHistogramDataPoint[N]) {
	for i := range points {
		points[i].Attributes = repairSet(points[i].Attributes)
		repairExemplars(points[i].Exemplars)
	}
}

func repairExemplars[N int64 | float64](exemplars []metricdata.Exemplar[N]) {
	for i, e := range exemplars {
		exemplars[i].FilteredAttributes = repairAll(e.FilteredAttributes, longest)
	}
}
