//go:build measurements

package measurements

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"example.com/dice/observability/upkeep/internal/stack"
	"example.com/dice/observability/upkeep/internal/table"
)

// TestSamplingFaults takes one collector after the other away under load. A gateway that is killed must lose no other traces with
// an error than those that waited for a decision, however long it is down; one that is stopped decides on them before.
// Each is tried five times, or as often as SAMPLING says. It writes a table of the README.
func TestSamplingFaults(t *testing.T) {
	faults := []stack.SamplingFault{
		{Name: "a gateway is killed", Service: "gateway-1", How: "kill", Loses: true, Cuts: true},
		{Name: "a gateway is killed, and down for a minute", Service: "gateway-1", How: "kill", Away: time.Minute, Loses: true, Cuts: true},
		{Name: "a gateway is stopped", Service: "gateway-1", How: "stop", Cuts: true},
		{Name: "the agent is killed", Service: "collector", How: "kill", Loses: true, Cuts: true},
	}
	times, err := strconv.Atoi(cmp.Or(os.Getenv("SAMPLING"), "5"))
	if err != nil {
		t.Fatal(err)
	}
	s := stack.StartSampled(t, repository, "NUM_USERS=1", "MAX_ROLLS_PER_USER=1")
	s.WaitForTraffic(t)
	tb := table.New("Fault", "Times", "Traces that wait at a gateway", "Failed runs at risk", "Lost", "Not whole")
	for _, f := range faults {
		t.Run(f.Name, func(t *testing.T) {
			var waiting, atRisk, lost, cut []int
			for range times {
				toll := f.Try(t, s)
				waiting, atRisk = append(waiting, toll.Waiting), append(atRisk, toll.AtRisk)
				lost, cut = append(lost, toll.Lost), append(cut, toll.Cut)
			}
			tb.Row(f.Name, strconv.Itoa(times), fromTo(waiting), fromTo(atRisk), fromTo(lost), fromTo(cut))
		})
	}
	writeTableTo(t, samplingReadme, tb, "faults")
}

// fromTo returns the least and the greatest of some numbers.
func fromTo(numbers []int) string {
	least, most := slices.Min(numbers), slices.Max(numbers)
	if least == most {
		return strconv.Itoa(least)
	}
	return fmt.Sprintf("%d to %d", least, most)
}
