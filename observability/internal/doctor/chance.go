package doctor

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// ring keeps the newest values.
type ring[T any] struct {
	values []T
	next   int // index of the oldest value, once the ring is full
}

const ringSize = 2000

func (r *ring[T]) add(value T) {
	if len(r.values) < ringSize {
		r.values = append(r.values, value)
		return
	}
	r.values[r.next] = value
	r.next = (r.next + 1) % ringSize
}

// interval is a stretch of time. A log record's has no length. Its times are those of the process, in nanoseconds.
type interval struct{ start, end int64 }

// during tells whether events belong to requests, or fall into them by chance. It compares the events with the same events moved
// to other times: those are in requests by chance.
type during struct {
	requests []interval // by start
	ends     []int64    // the latest end of the requests up to this index
}

func newDuring(requests []interval) during {
	d := during{requests: slices.SortedFunc(slices.Values(requests), func(a, b interval) int { return cmp.Compare(a.start, b.start) })}
	latest := int64(math.MinInt64)
	for _, request := range d.requests {
		latest = max(latest, request.end)
		d.ends = append(d.ends, latest)
	}
	return d
}

const (
	fewest     = 5     // events that are compared
	chances    = 8     // times that each event is moved to
	inside     = 0.95  // share of events within requests from which on they belong to them
	byChance   = 0.001 // probability that all are there by chance up to which they count as belonging
	tight      = 0.8   // share of events at the edges of requests from which on they belong to them
	tightFew   = 0.1   // share of moved events at the edges up to which the others count, for fewer than 10
	tightMany  = 0.3   // the same for 10 and more
	edge       = int64(time.Millisecond)
	edgePart   = 20  // or this part of the event
	lookAround = 200 // requests that are looked at for an edge
)

// belong reports whether the events belong to requests, and how many were compared. Events outside the time of the requests that are
// known are left out.
func (d during) belong(events []interval) (bool, int) {
	if len(d.requests) == 0 {
		return false, 0
	}
	first, last := d.requests[0].start, d.ends[len(d.ends)-1]
	n, within, atEdge, movedWithin, movedAtEdge := 0, 0, 0, 0, 0
	for _, event := range events {
		if event.start < first || event.end > last {
			continue
		}
		n++
		within += number(d.contains(event))
		atEdge += number(d.atEdge(event))
		for i := range chances {
			moved := move(event, first, last, i)
			movedWithin += number(d.contains(moved))
			movedAtEdge += number(d.atEdge(moved))
		}
	}
	if n < fewest || len(events)-n > n/5 {
		return false, n
	}
	share := func(count, of int) float64 { return float64(count) / float64(of) }
	limit := tightMany
	if n < 2*fewest {
		limit = tightFew
	}
	return share(within, n) >= inside && share(movedWithin, n*chances) < 0.9 && math.Pow(share(movedWithin, n*chances), float64(n)) < byChance ||
		share(atEdge, n) >= tight && share(movedAtEdge, n*chances) <= limit, n
}

func number(b bool) int {
	if b {
		return 1
	}
	return 0
}

// move moves an event within the time from first to last, to one of several places that are spread evenly.
func move(event interval, first, last int64, i int) interval {
	const golden = 0.6180339887
	length := event.end - event.start
	room := max(last-first-length, 1)
	_, part := math.Modf(float64(event.start-first)/float64(room) + float64(i+1)*golden)
	start := first + int64(part*float64(room))
	return interval{start, start + length}
}

// contains reports whether an event lies within a request.
func (d during) contains(event interval) bool {
	i := d.after(event)
	return i > 0 && d.ends[i-1] >= event.end
}

// after returns the index of the first request that starts after the event.
func (d during) after(event interval) int {
	i, _ := slices.BinarySearchFunc(d.requests, event.start, func(r interval, start int64) int {
		if r.start <= start {
			return -1
		}
		return 1
	})
	return i
}

// atEdge reports whether an event begins just after a request that contains it and ends just before it, or, if it has no length,
// whether it is at one of the two ends.
func (d during) atEdge(event interval) bool {
	near := max(edge, (event.end-event.start)/edgePart)
	for i := d.after(event) - 1; i >= 0 && i >= d.after(event)-lookAround; i-- {
		request := d.requests[i]
		if request.end < event.end {
			continue
		}
		before, after := event.start-request.start, request.end-event.end
		if event.start == event.end && min(before, after) <= edge || event.start != event.end && before+after <= near {
			return true
		}
	}
	return false
}
