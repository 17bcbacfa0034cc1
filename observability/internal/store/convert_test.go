package store

import (
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

func TestTimeOfARecord(t *testing.T) {
	occurred, observed := time.Unix(1, 2).UTC(), time.Unix(3, 4).UTC()
	tests := map[string]struct{ occurred, observed, want time.Time }{
		"both":                   {occurred, observed, occurred},
		"no time of occurrence":  {time.Time{}, observed, observed},
		"no time of observation": {occurred, time.Time{}, occurred},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			logs := plog.NewLogs()
			record := logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
			if !test.occurred.IsZero() {
				record.SetTimestamp(pcommon.NewTimestampFromTime(test.occurred))
			}
			if !test.observed.IsZero() {
				record.SetObservedTimestamp(pcommon.NewTimestampFromTime(test.observed))
			}
			var s Store
			s.addLogs("dice", logs)
			if got := s.Records()[0].Time; !got.Equal(test.want) {
				t.Errorf("%s, want %s", got, test.want)
			}
		})
	}
}

// TestLastValue adds a series' values in the wrong order, as a busy collector does, and wants the newest to stay.
func TestLastValue(t *testing.T) {
	var s Store
	for _, second := range []int64{2, 3, 1} {
		metrics := pmetric.NewMetrics()
		all := metrics.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics()
		at := pcommon.NewTimestampFromTime(time.Unix(second, 0))
		sum := named(all, "sum").SetEmptySum().DataPoints().AppendEmpty()
		sum.SetTimestamp(at)
		sum.SetIntValue(second)
		histogram := named(all, "histogram").SetEmptyHistogram().DataPoints().AppendEmpty()
		histogram.SetTimestamp(at)
		histogram.SetSum(float64(second))
		s.addMetrics(metrics)
	}
	points := s.Points()
	if len(points) != 2 {
		t.Fatalf("%d points, want 2", len(points))
	}
	for _, point := range points {
		if point.Value != 3 {
			t.Errorf("the %s is %v, want 3", point.Type, point.Value)
		}
	}
}

func named(all pmetric.MetricSlice, name string) pmetric.Metric {
	metric := all.AppendEmpty()
	metric.SetName(name)
	return metric
}
