package doctor

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"example.com/dice/observability/internal/sample"
)

// TestUnflushed stops a program that sends metrics.
func TestUnflushed(t *testing.T) {
	const service = "resource service.name=shop service.version=v1 service.instance.id=a deployment.environment.name=test telemetry.sdk.language=go\n" +
		"scope example.com/shop 1\ncounter orders {order} 5\n"
	for name, test := range map[string]struct {
		text    string
		exports int
		after   int
		stop    time.Duration // after the last export, 0 is no stop
		want    bool
	}{
		"no flush":         {service, 3, 0, time.Second, true},
		"a flush":          {service, 3, 1, time.Second, false},
		"too few exports":  {service, 2, 0, time.Second, false},
		"ended by itself":  {service, 3, 0, 0, false},
		"ended before":     {service, 3, 0, time.Minute, false},
		"another language": {strings.Replace(service, "=go", "=swift", 1), 3, 0, time.Second, false},
		"two processes":    {service + strings.Replace(service, "id=a", "id=b", 1), 3, 0, time.Second, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				j := New(Command)
				for range test.exports {
					j.Metrics(sample.Parse(test.text).Metrics, 100)
				}
				if test.stop > 0 {
					time.Sleep(test.stop)
					j.Stopping(time.Now())
				}
				for range test.after {
					time.Sleep(time.Millisecond)
					j.Metrics(sample.Parse(test.text).Metrics, 100)
				}
				if found := j.Finish().has("stop-no-flush"); (found != nil) != test.want {
					t.Errorf("found %+v", found)
				}
			})
		})
	}
	t.Run("killed", func(t *testing.T) {
		j := New(Command)
		for range 3 {
			j.Metrics(sample.Parse(service).Metrics, 100)
		}
		j.Stopping(time.Now().Add(time.Second))
		j.Stopping(time.Time{})
		if found := j.Finish().has("stop-no-flush"); found != nil {
			t.Errorf("found %+v", found)
		}
	})
}
