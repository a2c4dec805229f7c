package ingest

import (
	"regexp"
	"slices"
	"strings"

	"github.com/api-assistant/api-assistant/assistant/apispec"
)

// redacted stands where a secret stood.
const redacted = "<redacted>"

// redactor removes secrets from the texts of a collection: the values that the
// collection itself declares as such, the values of fields whose name says so,
// and what has the form of a well-known kind of token.
type redactor struct {
	known *strings.Replacer // values of secrets; nil if there are none
}

// secretName matches names of fields that hold secrets.
var secretName = regexp.MustCompile(`(?i)(?:^|[^a-z])(?:authorization|proxy-authorization|cookie|set-cookie)$|password|passwd|passphrase|secret|` +
	`(?:^|[_\-. ])(?:api|app|access|auth|private|client|subscription)?[_\-. ]?key$|apikey|accesskey|authkey|privatekey|subscription-key|` +
	`(?:access|refresh|id|auth|api|bearer|session|csrf|device|user|bot|personal|app)[_\-. ]?token|^(?:x[_\-])?(?:auth[_\-])?token$|_token$|credential|signature|session[_\-]?id|jwt`)

// tokenForm matches tokens by their form.
var tokenForm = regexp.MustCompile(`\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?|` + // JWT
	`\b(?:sk|pk|rk)_(?:live|test)_[A-Za-z0-9]{8,}|\bgh[pousr]_[A-Za-z0-9]{20,}|\bgithub_pat_[A-Za-z0-9_]{20,}|\bxox[abeoprs]-[A-Za-z0-9-]{10,}|` +
	`\bAKIA[A-Z0-9]{16}\b|\bAIza[A-Za-z0-9_-]{30,}|\bPMAK-[A-Za-z0-9-]{20,}|\bsk-[A-Za-z0-9_-]{20,}|\bglpat-[A-Za-z0-9_-]{16,}|` +
	`-----BEGIN [A-Z ]*PRIVATE KEY-----[^-]*-----END [A-Z ]*PRIVATE KEY-----`)

// credentials matches what follows the name of a scheme in a header.
var credentials = regexp.MustCompile(`(?i)\b(bearer|basic) +([A-Za-z0-9._~+/=-]{12,})`)

// harmless is a value that shows where a secret goes and is none.
var harmless = regexp.MustCompile(`^(?:|\s*(?:(?i:bearer|basic|token) )?\s*(?:\{\{[^{}]*\}\}|<[^<>]*>|\{[^{}]*\}|\[[^\[\]]*\]|\*+|x+|X+|\.{3}|…|(?i:your|my)[_\- ][\w\- ]*|(?i:string|null|true|false|undefined))\s*)$`)

// minSecret is how long a value must be to be searched for everywhere; shorter
// ones would hit words.
const minSecret = 6

// learn collects the values of secrets in auth settings, secret variables, and
// headers and parameters with the names of secrets.
func (r *redactor) learn(root *node) {
	var values []string
	add := func(value string) {
		value = strings.TrimSpace(value)
		for _, scheme := range []string{"bearer ", "basic ", "token "} {
			if len(value) > len(scheme) && strings.EqualFold(value[:len(scheme)], scheme) {
				value = value[len(scheme):]
			}
		}
		if len(value) >= minSecret && !harmless.MatchString(value) {
			values = append(values, value)
		}
	}
	var walk func(n *node)
	walk = func(n *node) {
		for _, v := range n.items() {
			walk(v)
		}
		n.each(func(key string, v *node) {
			if key == "auth" {
				learnAuth(v, add)
			}
			walk(v)
		})
		if value := n.get("value"); value != nil && secretVariable(n) {
			add(value.string())
		}
	}
	walk(root)
	if len(values) == 0 {
		return
	}
	slices.SortFunc(values, func(a, b string) int { return len(b) - len(a) }) // the longest first
	var pairs []string
	for _, v := range slices.Compact(values) {
		pairs = append(pairs, v, redacted)
	}
	r.known = strings.NewReplacer(pairs...)
}

// openAuth are the settings of auth that are no secrets.
var openAuth = []string{"type", "in", "key", "addTokenTo", "grant_type", "authUrl", "accessTokenUrl", "scope", "headerPrefix", "algorithm",
	"signatureMethod", "region", "service", "tokenName", "realm", "client_authentication", "redirect_uri", "useBrowser", "version", "qop"}

// learnAuth collects the values of one auth object, in the form of 2.0 or 2.1.
func learnAuth(auth *node, add func(string)) {
	auth.each(func(kind string, settings *node) {
		if kind == "type" {
			return
		}
		for _, e := range settings.items() {
			if key := e.get("key").string(); !slices.Contains(openAuth, key) {
				add(e.get("value").string())
			}
		}
		settings.each(func(key string, v *node) {
			if !slices.Contains(openAuth, key) {
				add(v.string())
			}
		})
	})
}

// secretVariable reports whether an entry with key and value holds a secret.
func secretVariable(n *node) bool {
	key := n.get("key").string()
	if key == "" {
		key = n.get("id").string()
	}
	return n.get("type").string() == "secret" || secretName.MatchString(key)
}

// text redacts a text.
func (r *redactor) text(s string) string {
	if r.known != nil {
		s = r.known.Replace(s)
	}
	s = tokenForm.ReplaceAllString(s, redacted)
	return credentials.ReplaceAllString(s, "$1 "+redacted)
}

// value redacts the value of a field.
func (r *redactor) value(name, value string) string {
	if secretName.MatchString(name) && !harmless.MatchString(value) {
		return redacted
	}
	return r.text(value)
}

// field matches a string in JSON with its name.
var field = regexp.MustCompile(`("((?:[^"\\]|\\.){1,100})"\s*:\s*)"((?:[^"\\]|\\.)*)"`)

// body redacts a saved body: text, or JSON that may have holes for variables.
func (r *redactor) body(s string) string {
	s = field.ReplaceAllStringFunc(s, func(match string) string {
		m := field.FindStringSubmatch(match)
		if secretName.MatchString(m[2]) && !harmless.MatchString(m[3]) {
			return m[1] + `"` + redacted + `"`
		}
		return match
	})
	return r.text(s)
}

// inferred makes a schema of an example in JSON, nil if it is none. Variables
// outside of quotes count as strings. The schema is open: an example shows what
// may be sent, not what may not.
func (c *collection) inferred(example string) *apispec.Schema {
	example = strings.TrimSpace(c.redact.body(example))
	if !strings.HasPrefix(example, "{") && !strings.HasPrefix(example, "[") {
		return nil
	}
	root, err := parseJSON(c.file, example)
	if err != nil {
		if root, err = parseJSON(c.file, bareVariable.ReplaceAllString(example, `$1"$2"`)); err != nil {
			return nil
		}
	}
	left := maxAnswerNodes
	return schemaOf(root, maxAnswerDepth, &left)
}

var bareVariable = regexp.MustCompile(`([:\[,]\s*)(\{\{[^{}"]+\}\})`)

var jsonTypes = map[kind]string{boolean: "boolean", str: "string", list: "array", object: "object", null: "null"}

func schemaOf(n *node, depth int, left *int) *apispec.Schema {
	out := &apispec.Schema{}
	if name := jsonTypes[n.kind]; name != "" {
		out.Types = []string{name}
	} else if out.Types = []string{"number"}; !strings.ContainsAny(n.text, ".eE") {
		out.Types = []string{"integer"}
	}
	if n.branch == nil {
		if n.kind != null {
			out.Example = example(n)
		}
		return out
	}
	if depth == 0 {
		out.Cut = true
		return out
	}
	if n.kind == list {
		if len(n.values) > 0 {
			out.Items = schemaOf(n.values[0], depth-1, left)
		}
		return out
	}
	out.Additional = &apispec.Schema{}
	n.each(func(key string, v *node) {
		if *left--; *left < 0 {
			out.Cut = true
			return
		}
		out.Properties = append(out.Properties, apispec.Property{Name: key, Schema: schemaOf(v, depth-1, left)})
	})
	return out
}
