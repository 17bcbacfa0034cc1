package report

import (
	"math"
	"time"
)

// Quantile returns the q-quantile of sorted durations by nearest rank, as the traffic generators do: the smallest duration that a share of
// at least q does not exceed.
func Quantile(sorted []time.Duration, q float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	rank := int(math.Ceil(q * float64(len(sorted))))
	return sorted[rank-1]
}
