package observability_test

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"example.com/dice/observability/internal/probe"
	"example.com/dice/observability/internal/stage"
	"example.com/dice/observability/internal/store"
)

// hasSignIn reports whether the users of a stage sign in.
func hasSignIn(stage string) bool { return stage > "stage6" }

// signIn signs in with a name, and returns the header that holds the session.
func signIn(t *testing.T, page, name string) []string {
	t.Helper()
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.PostForm(page+"/sign-in", url.Values{"name": {name}})
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	cookies := response.Cookies()
	if response.StatusCode != http.StatusSeeOther || len(cookies) != 1 {
		t.Fatalf("signing in as %s: %s, cookies %v", name, response.Status, cookies)
	}
	return []string{"Cookie", cookies[0].Name + "=" + cookies[0].Value}
}

// TestNamesAreInUsageRecordsOnly searches all that a stage emits for the names of its users: those of the traffic
// generator, and one who makes mistakes.
func TestNamesAreInUsageRecordsOnly(t *testing.T) {
	const own = "Wilhelmina"
	for _, name := range stages(t) {
		if !hasSignIn(name) {
			continue
		}
		t.Run(name, func(t *testing.T) {
			got, _ := run(t, name, func(running *stage.Running, s *stage.Stage) {
				page := s.URL("frontend")
				session := signIn(t, page, own)
				for _, form := range []string{"die=fair&times=3", "die=risky", "die=blue", "die=%zz", "die=fair&times=many"} {
					post(t.Context(), t, page, form, session...)
				}
				post(t.Context(), t, page+"/sign-in", "name="+own+"%3F", session...)
				post(t.Context(), t, page+"/sign-in", "name="+own+"%zz", session...)
				post(t.Context(), t, page+"/sign-out", "", session...)
				post(t.Context(), t, page, "die=fair", session...)
				waitForEdges(t, running.Store)
			})
			users := usersOf(got.Records())
			if len(users) < 5 || !slices.Contains(users, own) {
				t.Errorf("usage records of %v, want those of %s and of the traffic generator", users, own)
			}
			if runs := countRuns(got.Records(), own); runs != 4 {
				t.Errorf("%d runs of %s among the usage records, want 4", runs, own)
			}
			wantNone(t, got, regexp.MustCompile(`\b(`+strings.Join(users, "|")+`)`))
		})
	}
}

// wantNone wants no match in any span, metric or operational log record.
func wantNone(t *testing.T, s *store.Store, names *regexp.Regexp) {
	t.Helper()
	for _, span := range s.Spans() {
		wantNoMatch(t, names, "span", span)
	}
	for _, point := range s.Points() {
		wantNoMatch(t, names, "metric", point)
	}
	for _, record := range s.Records() {
		if record.Tenant != probe.Usage {
			wantNoMatch(t, names, "log record", record)
		}
	}
}

func wantNoMatch(t *testing.T, names *regexp.Regexp, what string, telemetry any) {
	t.Helper()
	if text := fmt.Sprintf("%+v", telemetry); names.MatchString(text) {
		t.Errorf("%s with the name %s: %s", what, names.FindString(text), text)
	}
}

// usersOf returns the names in usage records.
func usersOf(records []store.Record) []string {
	var users []string
	for _, record := range records {
		if user := record.Attributes["user.name"]; record.Tenant == probe.Usage && !slices.Contains(users, user) {
			users = append(users, user)
		}
	}
	return users
}

func countRuns(records []store.Record, user string) int {
	runs := 0
	for _, record := range records {
		if record.Event == "dice.run" && record.Attributes["user.name"] == user {
			runs++
		}
	}
	return runs
}
