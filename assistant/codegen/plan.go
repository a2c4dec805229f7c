package codegen

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/api-assistant/api-assistant/assistant/apispec"
)

// plan is a request to an operation, in no language.
type plan struct {
	op        *apispec.Operation
	values    map[string]any
	comments  []string // printable lines
	method    string
	url       text // without query
	variables []*variable
	query     []field
	headers   []field
	user      *variable // of basic authentication, with password
	password  *variable
	body      *body // nil: none
	json      bool  // the answer is JSON
	answer    *apispec.Schema
}

// variable is a value that has a name in the code: one of the path, or a
// credential from the environment.
type variable struct {
	name  string // as in the specification
	value string
	env   string // name of the environment variable that has the value
}

// text is a string that is put together when the code runs.
type text []part

// part is a literal, or a variable.
type part struct {
	literal  string
	variable *variable
	encode   bool // percent-encode the variable's value
}

func literal(s string) text { return text{{literal: s}} }

// plain is the text if it has no variables.
func (t text) plain() (string, bool) {
	var b strings.Builder
	for _, p := range t {
		if p.variable != nil {
			return "", false
		}
		b.WriteString(p.literal)
	}
	return b.String(), true
}

// sample is the text with the values of its variables.
func (t text) sample() string {
	var b strings.Builder
	for _, p := range t {
		switch {
		case p.variable == nil:
			b.WriteString(p.literal)
		case p.encode:
			b.WriteString(percent(p.variable.value))
		default:
			b.WriteString(p.variable.value)
		}
	}
	return b.String()
}

// field is a named value of the query, the header or a form.
type field struct {
	name  string
	value text
	// number says that the value may stand without quotes.
	number bool
	// file is the name of a file whose content is the value; of multipart only.
	file string
}

func newPlan(op *apispec.Operation, o Options) *plan {
	p := &plan{op: op, method: op.Method, values: o.Values}
	p.comment(title(op))
	if op.Kind == apispec.GraphQL {
		p.graphql(o.BaseURL)
		return p
	}
	p.address(o.BaseURL)
	p.authenticate()
	p.parameters()
	p.planBody()
	p.readAnswer()
	return p
}

func title(op *apispec.Operation) string {
	s := op.Endpoint()
	if summary := strings.TrimSuffix(strings.TrimSpace(op.Summary), "."); summary != "" {
		s += ": " + summary
	}
	if op.Deprecated {
		s += " (deprecated)"
	}
	return s
}

// comment adds a line for people.
func (p *plan) comment(s string) { p.comments = append(p.comments, oneLine(s, 120)) }

const placeholderServer = "https://your-server.example"

// address plans the URL.
func (p *plan) address(override string) {
	p.url = literal(p.base(override))
	path, query, _ := strings.Cut(p.op.Path, "?")
	path, _, _ = strings.Cut(path, "#")
	query, _, _ = strings.Cut(query, "#")
	path = "/" + strings.TrimLeft(path, "/")
	for path != "" {
		before, rest, found := strings.Cut(path, "{")
		name, after, closed := strings.Cut(rest, "}")
		if !found || !closed || name == "" {
			p.url = append(p.url, part{literal: escapeLiteral(path)})
			break
		}
		p.url = append(p.url, part{literal: escapeLiteral(before)}, part{variable: p.pathVariable(name), encode: true})
		path = after
	}
	p.fixedQuery(query)
}

// fixedQuery keeps the query that is a part of a path in some descriptions.
func (p *plan) fixedQuery(query string) {
	for pair := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(pair, "=")
		if n, err := url.QueryUnescape(name); err == nil {
			name = n
		}
		if v, err := url.QueryUnescape(value); err == nil {
			value = v
		}
		if name != "" && !strings.Contains(value, "{") {
			p.query = append(p.query, field{name: clean(name), value: literal(clean(value))})
		}
	}
}

// pathVariable makes the variable of a name in the path, once.
func (p *plan) pathVariable(name string) *variable {
	name = clean(name)
	for _, v := range p.variables {
		if v.name == name {
			return v
		}
	}
	var schema *apispec.Schema
	for _, q := range p.op.Parameters {
		if q.In == "path" && clean(q.Name) == name {
			schema = q.Schema
		}
	}
	v := &variable{name: name, value: p.pathValue(name, schema)}
	p.variables = append(p.variables, v)
	return v
}

// pathValue is the value of a variable in the path, which is never empty. Dots
// alone would lead to another path.
func (p *plan) pathValue(name string, schema *apispec.Schema) string {
	texts := scalars(p.value(name, schema))
	s := clean(strings.Join(texts, ","))
	if s == "" || strings.Trim(s, ".") == "" {
		return placeholder(name)
	}
	return s
}

// base is the address that the path is appended to, without a slash at its end.
func (p *plan) base(override string) string {
	if s, ok := cleanServer(override); ok && override != "" {
		return s
	}
	relative := ""
	for _, server := range p.op.Servers {
		s, ok := cleanServer(server)
		if ok {
			return s
		}
		if relative == "" && strings.HasPrefix(server, "/") && !strings.HasPrefix(server, "//") {
			relative = strings.TrimRight(escapeLiteral(server), "/")
		}
		if _, path, found := strings.Cut(server, "}}/"); found && relative == "" { // {{host}}/v1
			relative = "/" + strings.Trim(escapeLiteral(path), "/")
		}
	}
	p.comment("The description names no server: put yours in place of " + placeholderServer)
	return placeholderServer + relative
}

// serverVariable is a part of a server's address that has no default.
var serverVariable = regexp.MustCompile(`\{([A-Za-z][A-Za-z0-9_-]*)\}`)

// cleanServer makes an absolute address safe to write down. Variables without a
// value are replaced by their names.
func cleanServer(s string) (string, bool) {
	s = serverVariable.ReplaceAllStringFunc(s, func(v string) string {
		return strings.ReplaceAll(strings.ToLower(v[1:len(v)-1]), "_", "-")
	})
	u, err := url.Parse(strings.TrimSpace(s))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || !plainHost.MatchString(u.Host) {
		return "", false
	}
	return u.Scheme + "://" + u.Host + strings.TrimRight(escapeLiteral(u.EscapedPath()), "/"), true
}

var plainHost = regexp.MustCompile(`^(?:[A-Za-z0-9](?:[A-Za-z0-9._-]*)|\[[0-9a-fA-F:.]+\])(?::[0-9]{1,5})?$`)

// reserved are the headers that OpenAPI says are no parameters.
var reserved = []string{"accept", "content-type", "authorization"}

// secretName recognises parameters that carry credentials although no security
// scheme says so.
var secretName = regexp.MustCompile(`(?i)^(?:x-)?(?:api[-_]?key|(?:access|auth)[-_]?token|token|authorization|client[-_]?secret)$`)

// parameters plans the query, the header and the cookies.
func (p *plan) parameters() {
	var optional []string
	var cookies text
	for _, q := range p.op.Parameters {
		_, asked := p.values[q.Name]
		name := clean(q.Name)
		switch {
		case name == "" || q.In == "path" || p.carries(q):
			continue
		case !q.Required && !asked:
			if !q.Deprecated && q.In == "query" {
				optional = append(optional, name)
			}
			continue
		}
		fields := p.fields(q)
		switch q.In {
		case "query":
			p.query = append(p.query, fields...)
		case "header":
			p.addHeader(name, fields)
		case "cookie":
			for _, f := range fields {
				cookies = appendCookie(cookies, f)
			}
		}
	}
	p.setCookies(cookies)
	if len(optional) > 0 {
		more := ""
		if len(optional) > maxOptional {
			optional, more = optional[:maxOptional], ", …"
		}
		p.comment("Optional in the query: " + strings.Join(optional, ", ") + more)
	}
}

const maxOptional = 6

// carries reports whether a parameter is sent already as the key of a security
// scheme, or is a header that is set otherwise.
func (p *plan) carries(q apispec.Parameter) bool {
	list := p.query
	if q.In == "header" {
		list = p.headers
		if slices.Contains(reserved[:2], strings.ToLower(q.Name)) || strings.EqualFold(q.Name, "authorization") && p.user != nil {
			return true
		}
	}
	return q.In != "cookie" && slices.ContainsFunc(list, func(f field) bool {
		return f.name == clean(q.Name) || q.In == "header" && strings.EqualFold(f.name, q.Name)
	})
}

// fields are the values of a parameter: one for each element of a list, and for
// each property of an object.
func (p *plan) fields(q apispec.Parameter) []field {
	name := clean(q.Name)
	if _, given := p.values[q.Name]; !given && secretName.MatchString(name) && (q.Schema == nil || len(q.Schema.Types) == 0 || q.Schema.Is("string")) {
		return []field{{name: name, value: text{{variable: p.secret(name)}}}}
	}
	return formFields(name, p.value(q.Name, q.Schema))
}

var headerName = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,200}$")

// addHeader adds a header, several values joined. One that cannot be sent is
// left out, which the check reports.
func (p *plan) addHeader(name string, values []field) {
	if !headerName.MatchString(name) {
		return
	}
	var t text
	for i, f := range values {
		if i > 0 {
			t = append(t, part{literal: ","})
		}
		for _, part := range f.value {
			part.literal = printableASCII(part.literal)
			t = append(t, part)
		}
	}
	p.headers = append(p.headers, field{name: name, value: t})
}

func appendCookie(to text, f field) text {
	if len(to) > 0 {
		to = append(to, part{literal: "; "})
	}
	to = append(to, part{literal: percent(f.name) + "="})
	for _, v := range f.value {
		v.literal = percent(v.literal)
		to = append(to, v)
	}
	return to
}

// setCookies adds cookies to the one header that has them.
func (p *plan) setCookies(t text) {
	if len(t) == 0 {
		return
	}
	for i, h := range p.headers {
		if h.name == "Cookie" {
			p.headers[i].value = slices.Concat(h.value, literal("; "), t)
			return
		}
	}
	p.headers = append(p.headers, field{name: "Cookie", value: t})
}

// readAnswer finds out what comes back.
func (p *plan) readAnswer() {
	for _, r := range p.op.Responses {
		if !r.Success() {
			continue
		}
		for _, m := range r.Content {
			if isJSON(m.Type) || m.Type == "*/*" {
				p.json, p.answer = true, m.Schema
				return
			}
		}
	}
}

// fitFetch leaves out what fetch refuses to send.
func (p *plan) fitFetch() {
	if p.body != nil && (p.method == http.MethodGet || p.method == http.MethodHead) {
		p.body = nil
		p.comment("fetch sends no body with " + p.method + ": use another client for one")
	}
}

// problems checks the request with the operation.
func (p *plan) problems() []apispec.Problem {
	if p.op.Kind != apispec.GraphQL {
		return p.op.Check(p.request())
	}
	var out []apispec.Problem // the rest is made from the operation itself
	for _, a := range p.op.Parameters {
		if a.Required && !graphqlName.MatchString(a.Name) {
			out = append(out, apispec.Problem{Kind: apispec.MissingParameter, In: a.In, Name: a.Name})
		}
	}
	return out
}

// request is what the code will send.
func (p *plan) request() apispec.Request {
	r := apispec.Request{Method: p.method, URL: p.url.sample(), Query: make(url.Values), Header: make(http.Header)}
	for _, f := range p.query {
		r.Query.Add(f.name, f.value.sample())
	}
	for _, h := range p.headers {
		r.Header.Add(h.name, h.value.sample())
	}
	if p.user != nil {
		r.Header.Set("Authorization", "Basic "+p.user.value)
	}
	if p.body != nil {
		r.ContentType, r.Body = p.body.mediaType, plainValue(p.body.value)
	}
	return r
}

// scalars is a value as texts: one, or those of a list's elements.
func scalars(v any) []string {
	var out []string
	for _, f := range formFields("", v) {
		out = append(out, f.value.sample())
	}
	return out
}

// formFields spreads a value over names as forms and queries do: a list repeats
// the name, an object adds [key] to it.
func formFields(name string, v any) []field {
	switch v := v.(type) {
	case object:
		if len(v) == 0 && name != "" {
			return []field{{name: name, value: literal("{}")}}
		}
		var out []field
		for _, m := range v {
			key := m.name
			if name != "" {
				key = name + "[" + m.name + "]"
			}
			out = append(out, formFields(key, m.value)...)
		}
		return out
	case []any:
		var out []field
		for i, e := range v {
			switch e.(type) {
			case object, []any:
				out = append(out, formFields(name+"["+strconv.Itoa(i)+"]", e)...)
			default:
				out = append(out, formFields(name, e)...)
			}
		}
		return out
	case float64:
		return []field{{name: name, value: literal(number(v)), number: true}}
	case bool:
		return []field{{name: name, value: literal(strconv.FormatBool(v))}}
	case string:
		return []field{{name: name, value: literal(v)}}
	case credential:
		return []field{{name: name, value: text{{variable: v.variable}}}}
	}
	return []field{{name: name, value: literal("")}}
}
