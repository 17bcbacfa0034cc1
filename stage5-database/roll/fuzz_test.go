package main

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"testing"

	"example.com/dice/shared/chance"
)

// FuzzBatchQuery holds the service to its word: a query string gets a total that so many dice can have, a 400, or the
// failure of a risky die.
func FuzzBatchQuery(f *testing.F) {
	const most = 20
	for _, seed := range []string{
		"", "die=fair", "die=fair&times=1", "die=risky&times=20", "die=fair&times=21", "die=fair&times=0", "die=fair&times=-1", "die=fair&times=%2b7",
		"die=fair&times=007", "die=fair&times=1e1", "die=fair&times=0x1", "die=fair&times=18446744073709551617", "die=fair&times=2&times=3",
		"die=fair&die=risky&times=2", "die=blue&times=2", "die=fair&times=%zz", "die=fair;times=2", "die=fair&times=\xff", "die=fair&times=%d9%a1",
	} {
		f.Add(seed)
	}
	router := newRouter(handler{dieService: knownDice(), roller: roller{chance: chance.New(1)}, maxTimes: most})
	f.Fuzz(func(t *testing.T, query string) {
		status, body := send(t.Context(), t, router, http.MethodGet, "/roll-async", query)
		values, err := url.ParseQuery(query)
		good, times, least, risky := err == nil && len(values["die"]) == 1 && len(values["times"]) == 1, 0, 1, false
		if good {
			times, err = strconv.Atoi(values["times"][0])
			good = err == nil && times >= 1 && times <= most && slices.Contains([]string{"fair", "risky"}, values["die"][0])
		}
		if good && values["die"][0] == "risky" {
			least, risky = 2, true
		}
		switch {
		case status == http.StatusOK && good && body.Total >= times*least && body.Total <= times*(least+5) && body.Error == "":
		case status == http.StatusInternalServerError && risky && body.Error == errDieFailed.Error():
		case status == http.StatusBadRequest && !good && body.Error != "":
		default:
			t.Errorf("%q: status %d, body %+v", query, status, body)
		}
	})
}
