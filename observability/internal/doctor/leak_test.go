package doctor

import "testing"

func TestFindSecret(t *testing.T) {
	const token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.abcdefghijklmnop"
	for _, test := range []struct {
		name, value string
		want        bool
	}{
		{"user.password", "hunter2!", true},
		{"http.request.header.cookie", "session=0123", true},
		{"http.response.header.set-cookie", "a=b", false}, // too short to be one
		{"http.request.header.x-api-key", "k3y-0123", true},
		{"token", "0123456789abcdef", true},
		{"", "Authorization: Bearer 0123456789abcdefXYZ", true},
		{"", "authorization basic dXNlcjpwYXNzd29yZA==", true},
		{"auth", token, true},
		{"", "key AKIAIOSFODNN7EXAMPLE used", true},
		{"db.connection", "postgres://shop:s3cret@db:5432/shop", true},
		{"url.full", "https://shop.test/a?id=1&access_token=0123456789abcdef", true},
		{"url.query", "password=hunter2!", true},
		{"db.query.text", "UPDATE users SET password = 'hunter2!' WHERE id = 1", true},
		{"", "-----BEGIN RSA PRIVATE KEY-----\nMII", true},
		{"", "login failed, password=hunter2!, retrying", true},

		{"http.request.header.cookie", "theme=dark; session=0123", true},
		{"http.request.header.authorization", "abcdefgh", true},
		{"db.user.password", "letmein", true},

		{"consent.cookie", "accepted", false},
		{"auth.authorization", "granted", false},
		{"login.password", "incorrect", false},
		{"user.password", "REDACTED", false},
		{"user.password", "*****", false},
		{"user.password", "changed", false},
		{"http.request.header.authorization", "[Filtered]", false},
		{"token", "identifier", false},
		{"gen_ai.token.type", "input", false},
		{"token_count", "0123456789abcdef", false},
		{"", "the bearer of this letter", false},
		{"", "Basic authentication required", false},
		{"db.connection", "postgres://shop:xxxxx@db:5432/shop", false},
		{"db.connection", "postgres://shop@db:5432/shop", false},
		{"url.full", "https://shop.test/a?token=REDACTED&sig=REDACTED", false},
		{"url.full", "https://shop.test/a?sig=up", false},
		{"url.path", "/password/reset", false},
		{"db.query.text", "UPDATE users SET password = ? WHERE token = $1 AND pwd = :pwd", false},
		{"db.query.text", "SELECT password FROM users WHERE secret = @p0", false},
		{"", "design=modern", false},
		{"", "", false},
	} {
		if got := findSecret(test.name, test.value); (got != "") != test.want {
			t.Errorf("%s=%q: found %q", test.name, test.value, got)
		}
	}
}

func TestFindEmail(t *testing.T) {
	for value, want := range map[string]string{
		"mail to ada.l+x@shop.example.org, twice": "ada.l+x@shop.example.org",
		"/users/ada%40shop.org":                   "ada@shop.org",
		"https://shop.test/?q=ada@shop.org":       "ada@shop.org",
		"<ada@shop.org>.":                         "ada@shop.org",
		"sent to: ada@shop.org: ok":               "ada@shop.org",
		"git@github.com:shop/shop.git":            "",
		"support@shop.org":                        "",
		"/img/icon@2x.png":                        "",
		"shop.org/cart@v1.2.3-rc.beta":            "",
		"<0190163d.7@mail.shop.org>":              "0190163d.7@mail.shop.org", // unless its name says message id
		"ada@v2.shop.org":                         "ada@v2.shop.org",
		"ada@1und1.de":                            "ada@1und1.de",
		"https://user@github.com/shop":            "",
		"postgres://shop:x@db.example.com/shop":   "",
		"noreply@shop.org":                        "",
		"lodash@4.17.21 left-pad@1.0":             "",
		"com.shop.Order@1a2b3c4d":                 "",
		"shop@sha256:0123":                        "",
		"user@host.local":                         "",
		"sa@project.iam.gserviceaccount.com":      "",
		"@ada @shop.org a@b ada@ ada@.org":        "",
		"50%40 off":                               "",
		"":                                        "",
	} {
		if got := findEmail(value); got != want {
			t.Errorf("%q: found %q, want %q", value, got, want)
		}
	}
}

func TestShape(t *testing.T) {
	for text, want := range map[string]string{
		"GET /orders/17":     "GET /orders/{number}",
		"GET /orders/17/a-1": "GET /orders/{number}/a-{number}",
		"GET /v1/http2":      "",
		"GET /o/0190163d-8694-739b-aea5-966c26f8ad91/x": "GET /o/{id}/x",
		"load 5b8efff798038103d269b633813fc60c":         "load {id}",
		"load deadbeefdeadbeef":                         "", // a word of letters
		"to ada@shop.org":                               "to {id}.org",
		"":                                              "",
		"grün 7 ✓":                                      "grün {number} ✓",
	} {
		if got, _ := shape(text); got != want {
			t.Errorf("%q has the shape %q, want %q", text, got, want)
		}
	}
}
