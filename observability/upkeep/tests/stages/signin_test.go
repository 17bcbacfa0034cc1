package stages

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"example.com/dice/observability/internal/store"
	"example.com/dice/observability/upkeep/internal/probe"
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

const mistaken = "Wilhelmina" // a user who makes mistakes

// makeMistakes signs a user in who runs dice four times, and does much else wrong.
func makeMistakes(t *testing.T, page string) {
	t.Helper()
	session := signIn(t, page, mistaken)
	for _, form := range []string{"die=fair&times=3", "die=risky", "die=blue", "die=%zz", "die=fair&times=many"} {
		post(t.Context(), t, page, form, session...)
	}
	post(t.Context(), t, page+"/sign-in", "name="+mistaken+"%3F", session...)
	post(t.Context(), t, page+"/sign-in", "name="+mistaken+"%zz", session...)
	post(t.Context(), t, page+"/sign-out", "", session...)
	post(t.Context(), t, page, "die=fair", session...)
}

// checkNames searches all that a stage has emitted for the names of its users: those of the traffic generator, and the one
// who makes mistakes. They must be in usage records only.
func checkNames(t *testing.T, s *store.Store) {
	t.Helper()
	users := usersOf(s.Records())
	if len(users) < 5 || !slices.Contains(users, mistaken) {
		t.Errorf("usage records of %v, want those of %s and of the traffic generator", users, mistaken)
	}
	if runs := countRuns(s.Records(), mistaken); runs != 4 {
		t.Errorf("%d runs of %s among the usage records, want 4", runs, mistaken)
	}
	wantNone(t, s, regexp.MustCompile(`\b(`+strings.Join(users, "|")+`)`))
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
