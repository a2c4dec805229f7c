package apispec

import (
	"fmt"
	"maps"
	"mime"
	"net/http"
	"net/textproto"
	"net/url"
	"slices"
	"strings"
)

// Request is a request as far as it is known. It may come from code that was read
// and not run, so parts of it may be open.
type Request struct {
	Method string
	URL    string     // path or absolute URL, as Catalog.Resolve takes it; its query counts
	Query  url.Values // parameters beside those in URL
	Header http.Header
	// ContentType is that of the body. Empty means that of Header; where that is
	// missing too, it is not checked.
	ContentType string
	// Body is decoded JSON, or the fields of a form: map[string]any, []any, strings,
	// numbers, booleans, nil. Unknown{} stands for a value that is not known.
	Body any
	// Open are the parts of which more may be sent than stands here, so that nothing
	// can be missing there.
	Open Parts
}

// Parts are parts of a request.
type Parts uint8

// The parts, to be joined with |.
const (
	OpenQuery Parts = 1 << iota
	OpenHeader
	OpenBody
)

// Unknown stands in a body for a value that is not known, such as a variable.
type Unknown struct{}

// Problem is what is wrong with a request.
type Problem struct {
	Kind ProblemKind
	In   string // of a parameter: query, header or cookie
	Name string // of a parameter
	// Pointer leads to a field, as a JSON pointer into the body; empty for the whole
	// body.
	Pointer string
}

// ProblemKind is a kind of Problem.
type ProblemKind string

// The kinds of problems.
const (
	MissingParameter ProblemKind = "missing_required_parameter"
	MissingBodyField ProblemKind = "missing_body_field"
	UnknownBodyField ProblemKind = "unknown_body_field"
	WrongContentType ProblemKind = "wrong_content_type"
	MissingAuth      ProblemKind = "missing_auth"
	UnknownArgument  ProblemKind = "unknown_argument" // of a field in GraphQL
)

// String is "missing_required_parameter:query:limit", "missing_body_field:/name",
// "unknown_body_field:/x", "wrong_content_type", "missing_auth" or
// "unknown_argument:x".
func (p Problem) String() string {
	switch p.Kind {
	case MissingParameter:
		return string(p.Kind) + ":" + p.In + ":" + p.Name
	case MissingBodyField, UnknownBodyField:
		return string(p.Kind) + ":" + p.Pointer
	case UnknownArgument:
		return string(p.Kind) + ":" + p.Name
	}
	return string(p.Kind)
}

// Checked is what a catalogue says of a request.
type Checked struct {
	Resolution
	// Problems are those of the request with Resolution.Operation; none if there is
	// not exactly one such operation.
	Problems []Problem
}

// Check looks up which operation a request means, and what is wrong with it.
func (c *Catalog) Check(r Request) Checked {
	out := Checked{Resolution: c.Resolve(r.Method, r.URL)}
	if out.Operation != nil {
		out.Problems = out.Operation.Check(r)
	}
	return out
}

// Check says what is wrong with a request to this operation, whose method and
// path fit. Problems come in the order parameters, content type, body,
// authentication; equal requests have equal problems.
func (o *Operation) Check(r Request) []Problem {
	if o.Kind == GraphQL {
		return nil
	}
	c := checker{operation: o, request: r, query: make(url.Values)}
	maps.Copy(c.query, r.Query)
	if _, query, found := strings.Cut(r.URL, "?"); found {
		query, _, _ = strings.Cut(query, "#")
		for pair := range strings.SplitSeq(query, "&") {
			key, value, _ := strings.Cut(pair, "=")
			if decoded, err := url.QueryUnescape(key); err == nil {
				key = decoded
			}
			c.query[key] = append(slices.Clip(c.query[key]), value)
		}
	}
	c.parameters()
	c.body()
	c.auth()
	return c.problems
}

// CheckArguments says what is wrong with the arguments that a field of GraphQL is
// called with: required ones that are missing, and those that it does not have.
func (o *Operation) CheckArguments(names []string) (out []Problem) {
	known := make(map[string]bool)
	for _, p := range o.Parameters {
		known[p.Name] = true
		if p.Required && !slices.Contains(names, p.Name) {
			out = append(out, Problem{Kind: MissingParameter, In: p.In, Name: p.Name})
		}
	}
	for _, name := range names {
		if !known[name] {
			out = append(out, Problem{Kind: UnknownArgument, Name: name})
		}
	}
	return out
}

type checker struct {
	operation *Operation
	request   Request
	query     url.Values
	problems  []Problem
}

func (c *checker) report(p Problem) {
	if !slices.Contains(c.problems, p) {
		c.problems = append(c.problems, p)
	}
}

// parameters finds required parameters that are missing. Those of the path are
// there, else the path would not fit.
func (c *checker) parameters() {
	for _, p := range c.operation.Parameters {
		if p.Required && p.In != "path" && p.In != "argument" && !c.isCredential(p) && !reservedHeader(p) && !c.sent(p.In, p.Name) {
			c.report(Problem{Kind: MissingParameter, In: p.In, Name: p.Name})
		}
	}
}

// isCredential reports whether a parameter is the key of a security scheme, which
// auth checks.
func (c *checker) isCredential(p Parameter) bool {
	for _, set := range c.operation.Security {
		for _, s := range set {
			if s.Type == "apiKey" && s.In == p.In && strings.EqualFold(s.Key, p.Name) {
				return true
			}
		}
	}
	return false
}

// reservedHeader recognises the headers that OpenAPI says are no parameters.
func reservedHeader(p Parameter) bool {
	return p.In == "header" && slices.Contains([]string{"accept", "content-type", "authorization"}, strings.ToLower(p.Name))
}

// sent reports whether a parameter is sent, or may be in a part that is open.
func (c *checker) sent(in, name string) bool {
	switch in {
	case "query":
		if c.request.Open&OpenQuery != 0 {
			return true
		}
		for key := range c.query { // also ids[] and filter[status]
			if key == name || strings.HasPrefix(key, name+"[") || strings.HasPrefix(key, name+".") || strings.TrimSuffix(name, "[]") == key {
				return true
			}
		}
		return false
	case "header":
		return c.request.Open&OpenHeader != 0 || c.hasHeader(name)
	case "cookie":
		if c.request.Open&OpenHeader != 0 {
			return true
		}
		for _, line := range c.headers("Cookie") {
			for pair := range strings.SplitSeq(line, ";") {
				if key, _, _ := strings.Cut(strings.TrimSpace(pair), "="); key == name {
					return true
				}
			}
		}
		return false
	}
	return true
}

func (c *checker) hasHeader(name string) bool { return len(c.headers(name)) > 0 }

// headers returns the values of a header, whatever the case of its name.
func (c *checker) headers(name string) []string {
	if values := c.request.Header[textproto.CanonicalMIMEHeaderKey(name)]; values != nil {
		return values
	}
	for key, values := range c.request.Header {
		if strings.EqualFold(key, name) {
			return values
		}
	}
	return nil
}

// body checks the content type and the fields of the body.
func (c *checker) body() {
	want := c.operation.Body
	if want == nil {
		return
	}
	open := c.request.Open&OpenBody != 0
	contentType := c.request.ContentType
	if values := c.headers("Content-Type"); contentType == "" && len(values) > 0 {
		contentType = values[0]
	}
	if c.request.Body == nil && (open || !want.Required) {
		return
	}
	media, ok := want.media(contentType)
	if !ok && c.request.Body != nil {
		c.report(Problem{Kind: WrongContentType})
	}
	if media.Schema == nil {
		return
	}
	if c.request.Body == nil {
		problems := fields(media.Schema, map[string]any{}, "", false)
		if len(problems) == 0 {
			problems = []Problem{{Kind: MissingBodyField}}
		}
		c.problems = append(c.problems, problems...)
		return
	}
	for _, p := range fields(media.Schema, c.request.Body, "", open) {
		c.report(p)
	}
}

// media finds the representation with a content type. ok is false if there is
// none; then, and if the type is not known, it is the first.
func (b *Body) media(contentType string) (m Media, ok bool) {
	if len(b.Content) == 0 {
		return Media{}, true
	}
	sent := baseType(contentType)
	if sent == "" {
		return b.Content[0], true
	}
	for _, m := range b.Content {
		want := baseType(m.Type)
		family, any := strings.CutSuffix(want, "/*")
		if want == sent || want == "*/*" || any && strings.HasPrefix(sent, family+"/") {
			return m, true
		}
	}
	return b.Content[0], false
}

// baseType is a media type without its parameters.
func baseType(s string) string {
	if t, _, err := mime.ParseMediaType(s); err == nil {
		return t
	}
	s, _, _ = strings.Cut(s, ";")
	return strings.ToLower(strings.TrimSpace(s))
}

// maxItems bounds the elements of a list that are checked.
const maxItems = 100

// fields compares a value with a schema. Of alternatives that one counts with
// which the fewest problems remain.
func fields(s *Schema, value any, at string, open bool) []Problem {
	if s == nil {
		return nil
	}
	switch v := value.(type) {
	case []any:
		var out []Problem
		for i, e := range v[:min(len(v), maxItems)] {
			out = append(out, fields(s.itemSchema(), e, fmt.Sprintf("%s/%d", at, i), open)...)
		}
		return out
	case map[string]any:
		if len(s.OneOf) == 0 {
			return s.object(nil, v, at, open)
		}
		var best []Problem
		for i, alternative := range s.OneOf {
			problems := s.object(alternative, v, at, open)
			if i == 0 || len(problems) < len(best) {
				best = problems
			}
		}
		return best
	}
	return nil
}

// itemSchema is the schema of the elements of a list, which may stand in an
// alternative.
func (s *Schema) itemSchema() *Schema {
	if s.Items != nil {
		return s.Items
	}
	for _, alternative := range s.OneOf {
		if alternative.Items != nil {
			return alternative.Items
		}
	}
	return nil
}

// object compares an object with the properties of a schema and of one of its
// alternatives.
func (s *Schema) object(alternative *Schema, v map[string]any, at string, open bool) (out []Problem) {
	parts := []*Schema{s}
	for alternative != nil && len(parts) < 8 {
		parts = append(parts, alternative)
		next := alternative.OneOf
		alternative = nil
		if len(next) == 1 {
			alternative = next[0]
		} else if len(next) > 1 {
			return nil // alternatives of alternatives are not told apart
		}
	}
	missing := func(name string) {
		if _, sent := v[name]; !sent && !open {
			out = append(out, Problem{Kind: MissingBodyField, Pointer: pointer(at, name)})
		}
	}
	declared, closed := make(map[string]bool), true
	for _, part := range parts {
		for _, p := range part.Properties {
			declared[p.Name] = true
			if p.Required && !p.ReadOnly {
				missing(p.Name)
			}
			if sent, ok := v[p.Name]; ok {
				out = append(out, fields(p.Schema, sent, pointer(at, p.Name), false)...)
			}
		}
		for _, name := range part.Required {
			declared[name] = true
			missing(name)
		}
		if part.Cut || part.Additional != nil {
			closed = false
		}
	}
	if len(declared) == 0 && !s.Closed {
		closed = false // any object
	}
	if closed {
		for _, name := range slices.Sorted(maps.Keys(v)) {
			if !declared[name] {
				out = append(out, Problem{Kind: UnknownBodyField, Pointer: pointer(at, name)})
			}
		}
	}
	return out
}

var pointerKey = strings.NewReplacer("~", "~0", "/", "~1")

func pointer(at, key string) string { return at + "/" + pointerKey.Replace(key) }

// auth reports a request without any credentials where some are needed.
func (c *checker) auth() {
	if len(c.operation.Security) == 0 || c.hasHeader("Authorization") {
		return
	}
	for _, set := range c.operation.Security {
		for _, s := range set {
			if c.carries(s) {
				return
			}
		}
	}
	c.report(Problem{Kind: MissingAuth})
}

// carries reports whether a request may carry the credentials of a scheme.
func (c *checker) carries(s Scheme) bool {
	switch s.Type {
	case "apiKey":
		return c.sent(s.In, s.Key)
	case "http", "oauth2", "openIdConnect":
		return c.request.Open&OpenHeader != 0 || len(c.query["access_token"]) > 0
	}
	return true // mutualTLS and others do not show in a request
}
