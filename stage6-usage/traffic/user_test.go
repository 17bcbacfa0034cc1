package main

import (
	"math"
	"slices"
	"strconv"
	"testing"
	"time"
)

func TestConfig(t *testing.T) {
	for _, name := range []string{"NUM_USERS", "MAX_ROLLS_PER_USER", "ASYNC_SHARE", "MAX_TIMES_PER_ROLL", "GRAFANA_URL"} {
		t.Setenv(name, "")
	}
	t.Setenv("TARGET_URL", "http://localhost:8081")
	t.Setenv("SEED", "7")
	got, err := readConfig()
	want := config{target: "http://localhost:8081", users: 10, maxRollsPerUser: 20, asyncShare: 0.3, maxTimesPerRoll: 10, seed: 7}
	if err != nil || got != want {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
}

func TestSeedRepeatsTheChoicesOfEachUser(t *testing.T) {
	choices := func(seed uint64) (all []string) {
		for _, u := range newUsers(config{users: 3, maxRollsPerUser: 50, asyncShare: 0.5, maxTimesPerRoll: 9, seed: seed}) {
			all = append(all, u.label)
			for range u.rolls {
				all = append(all, u.pick([]string{"fair", "risky"}), strconv.Itoa(u.times()))
			}
		}
		return all
	}
	if first, second := choices(1), choices(1); !slices.Equal(first, second) {
		t.Errorf("the same seed chose\n%v\nand\n%v", first, second)
	}
	if first, other := choices(1), choices(2); slices.Equal(first, other) {
		t.Error("another seed chose the same")
	}
}

func TestUsersDrawRollsAndDiceEvenly(t *testing.T) {
	const users, maxRolls, picks = 6000, 6, 10
	var rolls [maxRolls + 1]float64
	risky := 0.0
	for _, u := range newUsers(config{users: users, maxRollsPerUser: maxRolls, seed: 1}) {
		rolls[u.rolls]++ // panics for more than maxRolls
		for range picks {
			if u.pick([]string{"fair", "risky"}) == "risky" {
				risky++
			}
		}
	}
	if rolls[0] > 0 {
		t.Errorf("%v users do not roll at all", rolls[0])
	}
	// Five standard deviations of a count out of n with probability p.
	tolerance := func(n, p float64) float64 { return 5 * math.Sqrt(n*p*(1-p)) }
	for n, count := range rolls[1:] {
		if want := float64(users) / maxRolls; math.Abs(count-want) > tolerance(users, 1./maxRolls) {
			t.Errorf("%v users roll %d times, want about %v", count, n+1, want)
		}
	}
	if want := users * picks / 2.; math.Abs(risky-want) > tolerance(users*picks, 0.5) {
		t.Errorf("%v of %d picks are risky, want about %v", risky, users*picks, want)
	}
}

func TestSomeRollsAreSeveralDice(t *testing.T) {
	const n, share, most = 60_000, 0.3, 7
	var times [most + 1]float64
	u := newUsers(config{users: 1, maxRollsPerUser: 1, asyncShare: share, maxTimesPerRoll: most, seed: 1})[0]
	for range n {
		times[u.times()]++ // panics for more than most
	}
	// Five standard deviations of a count out of n with probability p.
	about := func(count, p float64) bool { return math.Abs(count-n*p) < 5*math.Sqrt(n*p*(1-p)) }
	if times[0] > 0 || !about(times[1], 1-share) {
		t.Errorf("%v rolls of no die, %v of one, want 0 and about %v", times[0], times[1], n*(1-share))
	}
	for several, count := range times[2:] {
		if !about(count, share/(most-1)) {
			t.Errorf("%v rolls of %d dice, want about %v", count, several+2, n*share/(most-1))
		}
	}
}

func TestQuantile(t *testing.T) {
	tests := []struct {
		n    int
		q    float64
		want time.Duration
	}{
		{0, 0.5, 0}, {1, 0.5, 1}, {1, 0.95, 1}, {2, 0.5, 1}, {3, 0.5, 2}, {20, 0.95, 19}, {100, 0.95, 95}, {101, 0.95, 96},
	}
	for _, test := range tests {
		var sorted []time.Duration
		for i := range test.n {
			sorted = append(sorted, time.Duration(i+1))
		}
		if got := quantile(sorted, test.q); got != test.want {
			t.Errorf("quantile %v of 1 to %d is %d, want %d", test.q, test.n, got, test.want)
		}
	}
}
