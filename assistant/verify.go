package assistant

import (
	"regexp"
	"strings"

	"github.com/api-assistant/api-assistant/assistant/apispec"
)

// Verification is what the catalogue says of a text.
type Verification struct {
	// Endpoints are the endpoints that the text mentions, in the order of first
	// mention, each once.
	Endpoints []EndpointCheck
}

// EndpointCheck is the verdict on one mention of an endpoint.
type EndpointCheck struct {
	Mention string // exactly as it stands in the text
	Method  string // upper case; empty if the mention has none
	Target  string // path or URL as written
	Status  apispec.Status
	// Operation is what was meant, if Status is ok or deprecated.
	Operation *apispec.Operation
	// Nearest are the real operations most like a mention that is not one, the
	// nearest first.
	Nearest []*apispec.Operation
}

// mention finds "GET /orders", "GET https://host/orders" (with Markdown's
// backticks and asterisks around either), and URLs by themselves.
var mention = regexp.MustCompile(
	`\b(GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS|TRACE)` + marks + `:?[ \t]+` + marks +
		`((?:https?://|/)` + inPath + `*(?:<\w+>` + inPath + `*)*)` +
		`|https?://` + inPath + `+`)

const (
	marks  = "[`\"'*_]*"
	inPath = "[^\\s`\"'<>|)\\]*]"
)

// Verify looks up every endpoint that a text mentions. The text may be prose,
// Markdown or code; it is not trusted. An empty catalogue checks nothing.
func Verify(catalog *apispec.Catalog, text string) Verification {
	var v Verification
	if catalog.Len() == 0 {
		return v
	}
	seen := make(map[string]bool)
	for _, m := range mention.FindAllStringSubmatchIndex(text, -1) {
		check := EndpointCheck{Mention: strings.TrimRight(text[m[0]:m[1]], trailing), Target: text[m[0]:m[1]]}
		if m[2] >= 0 {
			check.Method, check.Target = text[m[2]:m[3]], text[m[4]:m[5]]
		}
		check.Target = strings.TrimRight(check.Target, trailing)
		if check.Target == "" || seen[check.Mention] {
			continue
		}
		seen[check.Mention] = true
		r := catalog.Resolve(check.Method, check.Target)
		check.Status, check.Operation, check.Nearest = r.Status, r.Operation, r.Nearest
		v.Endpoints = append(v.Endpoints, check)
	}
	return v
}

// trailing is the punctuation that ends a sentence rather than a path.
const trailing = ".,;:!?"
