package store

import (
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
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
