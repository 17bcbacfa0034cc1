package doctor

import (
	"encoding/base64"
	"strings"

	"example.com/dice/observability/internal/registry"
)

// mostInspected is how much of a text is looked at, in bytes.
const mostInspected = 64 << 10

// secretKeys are the last parts of names whose values are secrets, in lower case without punctuation.
var secretKeys = setOf("password", "passwd", "pwd", "secret", "clientsecret", "apikey", "xapikey", "accesstoken", "refreshtoken", "idtoken", "authtoken",
	"sessiontoken", "authorization", "proxyauthorization", "cookie", "setcookie", "privatekey", "secretkey", "accesskey")

// notSecret are values that say something about a secret.
var notSecret = setOf("true", "false", "yes", "no", "set", "unset", "none", "null", "nil", "changed", "invalid", "missing", "wrong", "present", "required",
	"accepted", "rejected", "granted", "denied", "allowed", "correct", "incorrect", "valid", "weak", "strong", "reset", "matched", "success", "failed",
	"enabled", "disabled", "optional", "absent", "empty", "expired", "unknown", "default", "redacted", "masked", "hidden", "filtered", "removed", "secret", "password", "bearer", "basic")

// schemes are beginnings of secrets that their issuers made recognizable, with the length from which on they are.
var schemes = []struct {
	prefix string
	length int
}{
	{"AKIA", 20}, {"ASIA", 20}, {"ghp_", 30}, {"gho_", 30}, {"ghs_", 30}, {"github_pat_", 30}, {"glpat-", 20}, {"xoxb-", 20}, {"xoxp-", 20},
	{"sk_live_", 20}, {"rk_live_", 20}, {"sk-proj-", 30}, {"AIza", 39}, {"npm_", 30}, {"hvs.", 20},
}

func setOf(words ...string) map[string]bool {
	all := make(map[string]bool, len(words))
	for _, word := range words {
		all[word] = true
	}
	return all
}

// findSecret returns what kind of secret a value is or contains, with the first letters of it, or "".
func findSecret(name, value string) string {
	if len(value) < 4 {
		return ""
	}
	value = value[:min(len(value), mostInspected)]
	last := name[strings.LastIndexByte(name, '.')+1:]
	cookie := strings.HasSuffix(registry.Spelling(last), "cookie")
	if secretKeys[registry.Spelling(last)] && isSecret(value) && (!cookie || strings.Contains(value, "=")) {
		return "the name says so, " + begin(value)
	}
	if registry.Spelling(last) == "token" && len(value) >= 16 && isSecret(value) && strings.ContainsAny(value, "0123456789") && !strings.Contains(value, " ") {
		return "a token, " + begin(value)
	}
	for _, find := range []func(string) string{authorization, jwt, scheme, userinfo, assignment} {
		if found := find(value); found != "" {
			return found
		}
	}
	if strings.Contains(value, "-----BEGIN ") && strings.Contains(value, "PRIVATE KEY-----") {
		return "a private key"
	}
	return ""
}

// isSecret reports whether a value that should be a secret is one, and not a placeholder.
func isSecret(value string) bool {
	if len(value) < 4 || notSecret[registry.Spelling(value)] || strings.ContainsAny(value[:1], ":@$?") { // placeholders of queries
		return false
	}
	lower := strings.ToLower(value)
	for _, redacted := range []string{"redact", "***", "filtered", "masked", "xxxx", "<", "{{", "${", "%s", "…"} {
		if strings.Contains(lower, redacted) {
			return false
		}
	}
	return strings.Trim(lower, "*x.-•?$:@_") != ""
}

// begin shows enough of a secret to find it.
func begin(value string) string { return strings.ToValidUTF8(value[:2], "") + "…" }

// authorization finds Bearer and Basic credentials, RFC 6750 and RFC 7617.
func authorization(value string) string {
	for rest := value; ; {
		i := strings.IndexByte(rest, ' ')
		if i < 0 {
			return ""
		}
		before := rest[:i]
		rest = rest[i+1:]
		token := rest[:tokenLength(rest)]
		switch {
		case endsWithFold(before, "bearer") && len(token) >= 16 && strings.ContainsAny(token, "0123456789") && isSecret(token):
			return "a bearer token, " + begin(token)
		case endsWithFold(before, "basic") && len(token) >= 8:
			if decoded, err := base64.StdEncoding.DecodeString(token); err == nil && strings.Contains(string(decoded), ":") {
				return "basic credentials, " + begin(token)
			}
		}
	}
}

func endsWithFold(s, suffix string) bool {
	return len(s) >= len(suffix) && strings.EqualFold(s[len(s)-len(suffix):], suffix)
}

// tokenLength returns the length of the token at the beginning of a text.
func tokenLength(s string) int {
	for i := range len(s) {
		if c := s[i]; !isAlphanumeric(c) && !strings.ContainsRune("-._~+/=", rune(c)) {
			return i
		}
	}
	return len(s)
}

// jwt finds a JSON Web Token: three parts, the first of which is an encoded JSON object.
func jwt(value string) string {
	i := strings.Index(value, "eyJ")
	if i < 0 {
		return ""
	}
	token := value[i:][:tokenLength(value[i:])]
	if len(token) >= 40 && strings.Count(token, ".") >= 2 {
		return "a JSON Web Token, " + begin(token)
	}
	return ""
}

func scheme(value string) string {
	for _, s := range schemes {
		i := strings.Index(value, s.prefix)
		if i < 0 || i > 0 && isAlphanumeric(value[i-1]) {
			continue
		}
		if tokenLength(value[i:]) >= s.length {
			return "an access key, " + s.prefix + "…"
		}
	}
	return ""
}

// userinfo finds a password in a URL.
func userinfo(value string) string {
	_, rest, ok := strings.Cut(value, "://")
	if !ok {
		return ""
	}
	if end := strings.IndexAny(rest, "/?# \t\n\"'"); end >= 0 {
		rest = rest[:end]
	}
	at := strings.LastIndexByte(rest, '@')
	if at < 0 {
		return ""
	}
	_, password, ok := strings.Cut(rest[:at], ":")
	if ok && isSecret(password) {
		return "a password in a URL, " + begin(password)
	}
	return ""
}

// assigned are names of parameters in URLs, queries and texts that are followed by a secret.
var assigned = []string{
	"password", "passwd", "pwd", "access_token", "refresh_token", "id_token", "auth_token", "api_key", "apikey", "api-key", "client_secret", "secret",
	"token", "signature", "sig",
}

// assignment finds name=secret.
func assignment(value string) string {
	for offset := 0; ; {
		i := strings.IndexByte(value[offset:], '=')
		if i < 0 {
			return ""
		}
		equals := offset + i
		offset = equals + 1
		before := strings.TrimRight(value[max(0, equals-24):equals], " ")
		for _, name := range assigned {
			if !endsWithFold(before, name) || len(before) > len(name) && isAlphanumeric(before[len(before)-len(name)-1]) {
				continue
			}
			after := strings.TrimLeft(value[offset:], " \"'")
			end := strings.IndexAny(after, "&;,\"' \t\n)}]")
			if end >= 0 {
				after = after[:end]
			}
			if short := len(name) <= 5 && name != "pwd"; isSecret(after) && (!short || len(after) >= 16) {
				return name + "=" + begin(after)
			}
		}
	}
}

// Of an email address: domains that are none, and names that are no persons.
var (
	notMail = setOf("local", "internal", "localdomain", "lan", "svc", "cluster", "invalid", "test", "final", "release", "jar", "js", "ts", "py", "go", "so",
		"png", "jpg", "jpeg", "gif", "svg", "webp", "avif", "ico", "css", "map", "html", "json", "mjs")
	notHuman = setOf("git", "noreply", "no-reply", "donotreply", "postmaster", "mailer-daemon", "root", "support", "info", "admin", "contact", "sales",
		"hello", "help", "security", "abuse", "webmaster", "notifications")
)

// findEmail returns the first email address in a text, or "".
func findEmail(value string) string {
	value = value[:min(len(value), mostInspected)]
	for offset := 0; ; {
		at, width := indexAt(value[offset:])
		if at < 0 {
			return ""
		}
		at += offset
		offset = at + width
		begin := at
		for begin > 0 && at-begin < 64 && (isAlphanumeric(value[begin-1]) || strings.ContainsRune("._+-", rune(value[begin-1]))) {
			begin--
		}
		end := offset
		for end < len(value) && end-at < 255 && (isAlphanumeric(value[end]) || value[end] == '.' || value[end] == '-') {
			end++
		}
		address := value[begin:at] + "@" + strings.TrimRight(value[offset:end], ".-")
		userinfo := strings.HasSuffix(value[:begin], "//") || begin > 0 && value[begin-1] == ':' && strings.Contains(value[:begin], "://")
		path := end < len(value) && value[end] == ':' && end+1 < len(value) && value[end+1] != ' '
		if !userinfo && !path && isEmail(address) {
			return address
		}
	}
}

// indexAt finds @, or %40, which is the same in a URL.
func indexAt(value string) (index, width int) {
	plain, escaped := strings.IndexByte(value, '@'), strings.Index(value, "%40")
	if escaped >= 0 && (plain < 0 || escaped < plain) {
		return escaped, 3
	}
	return plain, 1
}

func isEmail(address string) bool {
	local, domain, _ := strings.Cut(address, "@")
	labels := strings.Split(strings.ToLower(domain), ".")
	top := labels[len(labels)-1]
	letters := strings.ContainsFunc(local, func(r rune) bool { return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' })
	if local == "" || !letters || len(labels) < 2 || notHuman[strings.ToLower(local)] || notMail[top] || len(top) < 2 || len(top) > 24 {
		return false
	}
	number := func(label string) bool { return label != "" && strings.Trim(label, "0123456789") == "" }
	if len(labels) > 2 && number(strings.TrimPrefix(labels[0], "v")) && number(labels[1]) {
		return false // of a package: name@v1.2.3-beta.x
	}
	named := false
	for _, label := range labels[:len(labels)-1] {
		if label == "" {
			return false
		}
		named = named || strings.ContainsFunc(label, func(r rune) bool { return r >= 'a' && r <= 'z' })
	}
	return named && !strings.HasSuffix(domain, ".gserviceaccount.com") && strings.TrimFunc(top, func(r rune) bool { return r >= 'a' && r <= 'z' }) == ""
}
