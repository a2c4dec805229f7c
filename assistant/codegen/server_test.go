package codegen

import (
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/assistant/apispec"
)

// secretValue is what all credentials are in the environment of the snippets.
const secretValue = "secret"

// trial is an operation whose code is run against the server.
type trial struct {
	op      *apispec.Operation
	values  map[string]any
	catalog *apispec.Catalog
}

// checkingServer compares each request with the plan that its code was written
// from, and checks it as the operation wants it.
type checkingServer struct {
	*httptest.Server
	trials []trial
	fetch  bool // the client is fetch

	mu   sync.Mutex
	seen map[int][]string // what is wrong with the request of a trial
}

func newServer(t *testing.T, trials []trial, fetch bool) *checkingServer {
	s := &checkingServer{trials: trials, fetch: fetch, seen: make(map[int][]string)}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

// base is the server's address for a trial.
func (s *checkingServer) base(n int) string { return fmt.Sprintf("%s/t%d", s.URL, n) }

func (s *checkingServer) options(n int) Options {
	return Options{BaseURL: s.base(n), Values: s.trials[n].values}
}

func (s *checkingServer) plan(n int) *plan {
	p := newPlan(s.trials[n].op, s.options(n))
	if s.fetch {
		p.fitFetch()
	}
	return p
}

func (s *checkingServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	first, _, _ := strings.Cut(strings.TrimPrefix(r.URL.EscapedPath(), "/t"), "/")
	n, err := strconv.Atoi(first)
	if err != nil || n >= len(s.trials) {
		http.Error(w, "no such trial: "+r.URL.String(), http.StatusNotFound)
		return
	}
	p := s.plan(n)
	wrong := p.differences(r)
	wrong = append(wrong, s.trials[n].problems(r, fmt.Sprintf("/t%d", n))...)
	s.mu.Lock()
	s.seen[n] = append(s.seen[n], wrong...)
	if s.seen[n] == nil {
		s.seen[n] = []string{}
	}
	s.mu.Unlock()
	if len(wrong) > 0 {
		http.Error(w, strings.Join(wrong, "; "), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, `{"ok": true}`)
}

// requireAllRight fails for each trial whose request did not come, or was wrong.
func (s *checkingServer) requireAllRight(t *testing.T, output []byte) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	failed := 0
	for n, trial := range s.trials {
		wrong, came := s.seen[n]
		if came && len(wrong) == 0 {
			continue
		}
		if failed++; failed <= 15 {
			t.Errorf("trial %d, %s of %s: came: %v, wrong: %q", n, trial.op.Endpoint(), trial.op.API, came, wrong)
		}
	}
	if failed > 0 {
		t.Logf("%d of %d trials failed; output:\n%s", failed, len(s.trials), clip(string(output), 6000))
	}
}

// differences compares a request that came with the plan.
func (p *plan) differences(r *http.Request) (out []string) {
	want, err := url.Parse(p.url.sample())
	if err != nil {
		return []string{err.Error()}
	}
	same := func(what string, want, got any) {
		if !reflect.DeepEqual(want, got) {
			out = append(out, fmt.Sprintf("%s: want %#v, got %#v", what, want, got))
		}
	}
	same("method", p.method, r.Method)
	same("path", segments(want), segments(r.URL))
	query := make(url.Values)
	for _, f := range p.query {
		query.Add(f.name, f.value.sample())
	}
	same("query", query, r.URL.Query())
	for _, h := range p.headers {
		same("header "+h.name, h.value.sample(), r.Header.Get(h.name))
	}
	if p.user != nil {
		user, password, _ := r.BasicAuth()
		same("basic authentication", secretValue+":"+secretValue, user+":"+password)
	}
	return append(out, p.bodyDifferences(r)...)
}

func segments(u *url.URL) []string {
	out := strings.Split(u.EscapedPath(), "/")
	for i, s := range out {
		out[i], _ = url.PathUnescape(s)
	}
	return out
}

func (p *plan) bodyDifferences(r *http.Request) []string {
	if p.body == nil {
		return nil
	}
	kind := baseType(r.Header.Get("Content-Type"))
	if kind != baseType(p.body.mediaType) && !(p.body.kind == multipartBody && len(p.body.fields) == 0) {
		return []string{fmt.Sprintf("content type: want %s, got %s", p.body.mediaType, kind)}
	}
	var want, got any
	switch p.body.kind {
	case jsonBody:
		want, got = received(p.body), decoded(readBody(r))
	case formBody:
		form, _ := url.ParseQuery(string(readBody(r)))
		want, got = fieldValues(p.body.fields), form
	case multipartBody:
		want, got = unixLines(fieldValues(p.body.fields)), unixLines(multipartValues(r))
	case textBody:
		want, got = p.body.text, string(readBody(r))
	case fileBody:
		want, got = fileContent, string(readBody(r))
	}
	if !reflect.DeepEqual(want, got) {
		return []string{fmt.Sprintf("body: want %#v, got %#v", want, got)}
	}
	return nil
}

// received is the JSON that a planned body arrives as. The spaces of a GraphQL
// document do not count.
func received(b *body) any {
	raw, _ := json.Marshal(plainDocument(b.value, oneLineDocument(b.document)))
	return decoded(raw)
}

func plainDocument(v any, document string) any {
	o, ok := v.(object)
	if !ok || document == "" {
		return plainValue(v)
	}
	out := make(map[string]any)
	for _, m := range o {
		out[m.name] = plainValue(m.value)
		if m.value == (reference{}) {
			out[m.name] = document
		}
	}
	return out
}

func decoded(raw []byte) any {
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		return fmt.Sprintf("%v: %q", err, raw)
	}
	if o, ok := v.(map[string]any); ok {
		if document, ok := o["query"].(string); ok && strings.Contains(document, "{\n") {
			o["query"] = oneLineDocument(document)
		}
	}
	return v
}

func readBody(r *http.Request) []byte {
	raw, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(strings.NewReader(string(raw)))
	return raw
}

const fileContent = "content of a file"

func fieldValues(fields []field) url.Values {
	out := make(url.Values)
	for _, f := range fields {
		value := fileContent
		if f.file == "" {
			value = f.value.sample()
		}
		out.Add(f.name, value)
	}
	return out
}

func multipartValues(r *http.Request) url.Values {
	out := make(url.Values)
	if _, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil {
		return out
	}
	if err := r.ParseMultipartForm(1 << 20); err != nil {
		return out
	}
	for name, values := range r.MultipartForm.Value {
		for _, v := range values {
			out.Add(strings.TrimSuffix(name, "[1]"), v) // PHP's second value of a name
		}
	}
	for name, files := range r.MultipartForm.File {
		for _, h := range files {
			f, err := h.Open()
			if err != nil {
				continue
			}
			raw, _ := io.ReadAll(f)
			out.Add(name, string(raw))
		}
	}
	return out
}

// unixLines undoes what the standard of forms has clients do to line ends.
func unixLines(form url.Values) url.Values {
	for _, values := range form {
		for i, v := range values {
			values[i] = strings.ReplaceAll(v, "\r\n", "\n")
		}
	}
	return form
}

// problems is what apispec says of the request that came: that it resolves to
// the operation, and passes its check.
func (c trial) problems(r *http.Request, base string) (out []string) {
	if c.op.Kind == apispec.GraphQL {
		return nil
	}
	path := strings.TrimPrefix(r.URL.EscapedPath(), base)
	if c.catalog != nil {
		if got := c.catalog.Resolve(r.Method, path); got.Operation != nil && got.Operation.Method+address(got.Operation) != c.op.Method+address(c.op) {
			out = append(out, "resolves to "+got.Operation.Endpoint())
		}
	}
	request := apispec.Request{Method: r.Method, URL: path + "?" + r.URL.RawQuery, Header: r.Header}
	raw := readBody(r)
	switch kind := r.Header.Get("Content-Type"); {
	case len(raw) == 0 && r.MultipartForm == nil:
		request.Body = nil
	case isJSON(kind):
		request.Body = decoded(raw)
	case baseType(kind) == formType:
		form, _ := url.ParseQuery(string(raw))
		request.Body = nested(form)
	case r.MultipartForm != nil:
		request.Body = nested(multipartValues(r))
	default:
		request.Body = string(raw)
	}
	for _, p := range c.op.Check(request) {
		out = append(out, p.String())
	}
	return out
}

// address is the part of a path that is sent as such. Operations may differ in
// the rest alone.
func address(op *apispec.Operation) string {
	path, _, _ := strings.Cut(op.Path, "#")
	path, _, _ = strings.Cut(path, "?")
	return path
}

// nested reads a[b]=c as a field of an object.
func nested(form url.Values) map[string]any {
	out := make(map[string]any)
	for name, values := range form {
		at := out
		first, rest, deep := strings.Cut(name, "[")
		for deep {
			inner, ok := at[first].(map[string]any)
			if !ok {
				inner = make(map[string]any)
				at[first] = inner
			}
			at = inner
			var key string
			key, rest, _ = strings.Cut(rest, "]")
			first, deep = key, strings.HasPrefix(rest, "[")
			rest = strings.TrimPrefix(rest, "[")
		}
		at[first] = values[0]
	}
	return lists(out).(map[string]any)
}

// lists turns objects with the keys 0, 1 … into lists.
func lists(v any) any {
	o, ok := v.(map[string]any)
	if !ok {
		return v
	}
	var list []any
	for i := range len(o) {
		e, ok := o[strconv.Itoa(i)]
		if !ok {
			break
		}
		list = append(list, lists(e))
	}
	if len(o) > 0 && len(list) == len(o) {
		return list
	}
	for key, e := range o {
		o[key] = lists(e)
	}
	return o
}

// environment has all credentials that the trials need.
func environment(s *checkingServer) []string {
	var out []string
	for n := range s.trials {
		for _, v := range s.plan(n).variables {
			if entry := v.env + "=" + secretValue; v.env != "" && !slices.Contains(out, entry) {
				out = append(out, entry)
			}
		}
	}
	return out
}

// trials picks operations of all specifications: of each file at most a number
// of them, spread evenly; all of those here that are meant to do harm.
func trials(t *testing.T, perFile int) (out []trial) {
	t.Helper()
	out = append(hostileTrials(), everyFeature(t)...)
	for _, path := range data(t, "specs/openapi/*", "specs/graphql/*", "specs/postman/*", "eval/restbench-tmdb/corpus/*") {
		var callable []*apispec.Operation
		var all []apispec.Operation
		for _, op := range parseFile(t, path) {
			if op.Kind != apispec.Webhook {
				callable = append(callable, op)
				all = append(all, *op)
			}
		}
		catalog := apispec.NewCatalog(all)
		step := max(1, (len(callable)+perFile-1)/perFile)
		for i := 0; i < len(callable); i += step {
			out = append(out, trial{op: callable[i], catalog: catalog})
		}
	}
	require.NotEmpty(t, out)
	return out
}

func everyFeature(t *testing.T) (out []trial) {
	for _, op := range parse(t, "features.yaml", []byte(features)) {
		out = append(out, trial{op: op})
	}
	for _, op := range bookshop(t) {
		if op.Kind == apispec.HTTP {
			out = append(out, trial{op: op})
		}
	}
	return out
}

const features = `
openapi: 3.1.0
info: {title: Features API, version: "1"}
servers: [{url: https://features.example}]
components:
  securitySchemes:
    basic: {type: http, scheme: basic}
    inQuery: {type: apiKey, in: query, name: api_key}
    inCookie: {type: apiKey, in: cookie, name: sid}
    bearer: {type: http, scheme: bearer}
paths:
  /basic/{class}/{a-b}.json:
    get:
      operationId: basic
      security: [{basic: []}]
      parameters:
        - {name: class, in: path, required: true, schema: {type: string, example: "a/b c?d#e%f+g"}}
        - {name: a-b, in: path, required: true, schema: {type: string, example: "ü"}}
        - {name: ids, in: query, required: true, schema: {type: array, items: {type: string}, example: [a, "b c", "&=+"]}}
        - {name: limit, in: query, required: true, schema: {type: integer, default: 20}}
        - {name: filter, in: query, required: true, schema: {type: object, required: [state], properties: {state: {type: string, enum: [open]}}}}
        - {name: X-Trace, in: header, required: true, schema: {type: string, example: 'a "b" $c'}}
        - {name: theme, in: cookie, required: true, schema: {type: string, example: "dark; x"}}
  /query:
    post:
      operationId: inQuery
      security: [{inQuery: [], inCookie: []}]
      requestBody:
        required: true
        content: {application/merge-patch+json: {schema: {type: object, required: [a, b, c, d, e], properties: {a: {type: number, example: 1.5}, b: {type: boolean}, c: {type: array, items: {type: object, required: [n], properties: {n: {type: integer, example: 3000000000}}}}, d: {type: object}, e: {type: [string, "null"], example: null}}}}}
  /form:
    post:
      operationId: form
      security: [{bearer: []}]
      requestBody:
        required: true
        content: {application/x-www-form-urlencoded: {schema: {type: object, required: [a, tags, meta, token], properties: {a: {type: string, example: "x & y = z"}, tags: {type: array, items: {type: string}, example: [p, q]}, meta: {type: object, required: [k], properties: {k: {type: string}}}, token: {type: string}}}}}
  /upload:
    post:
      operationId: upload
      requestBody:
        required: true
        content: {multipart/form-data: {schema: {type: object, required: [photo, caption, info], properties: {photo: {type: string, format: binary}, caption: {type: string, example: "@not-a-file; <x"}, info: {type: object, required: [a], properties: {a: {type: integer}}}}}}}
  /raw:
    put:
      operationId: raw
      requestBody: {required: true, content: {application/octet-stream: {schema: {type: string, format: binary}}}}
  /text:
    post:
      operationId: text
      requestBody: {required: true, content: {text/plain: {schema: {type: string, example: "@line one\nline 'two' \"three\" $HOME"}}}}
  /xml:
    post:
      operationId: xml
      requestBody: {required: true, content: {application/xml: {schema: {type: object, required: [name], properties: {name: {type: string, example: "a < b & c"}}}}}}
  /list:
    post:
      operationId: list
      requestBody: {required: true, content: {application/json: {schema: {type: array, items: {type: integer}}}}}
  /delete:
    delete:
      operationId: delete
      parameters: [{name: force, in: query, required: true, schema: {type: boolean}}]
  /head:
    head:
      operationId: head
      parameters: [{name: q, in: query, required: true, schema: {type: string}}]
  /empty:
    post:
      operationId: empty
      requestBody: {required: true, content: {application/json: {schema: {type: object}}}}
`

// nasty are strings that mean something in some language.
var nasty = []string{`it's "quoted" and \ back\n`, "line one\nline two\r\n\ttab", `${HOME} $HOME $(id) #{1+1} #$0 {{x}} {x} %d %s %41`, "`id` !! \\u000a \\x41 \\${x}",
	`""" ''' <?php ?> */ // -- # <!-- @"x`, "ünï \u2028 \u202e \ufeff 😀 \U000e0001", `\`, `"`, `'`, "{", "}", "$", "#", "\\'", "\\\"", "\x01\x7f"}

// hostileTrials are operations in which everything is meant to break out.
func hostileTrials() (out []trial) {
	str := func(example string) *apispec.Schema {
		return &apispec.Schema{Types: []string{"string"}, Example: example}
	}
	for _, n := range nasty {
		body := &apispec.Schema{Types: []string{"object"}, Properties: []apispec.Property{
			{Name: n, Required: true, Schema: str(n)},
			{Name: "list " + n, Required: true, Schema: &apispec.Schema{Types: []string{"array"}, Items: str(n)}},
			{Name: "__proto__", Required: true, Schema: &apispec.Schema{Types: []string{"object"}, Properties: []apispec.Property{{Name: "1", Required: true, Schema: str(n)}}}},
		}}
		op := func(mediaType string, schema *apispec.Schema) *apispec.Operation {
			return &apispec.Operation{API: n, Kind: apispec.HTTP, Method: "POST", OperationID: n, Summary: n, Path: "/x/{id" + strings.Trim(n, "{}") + "}/y",
				Parameters: []apispec.Parameter{{Name: "id" + strings.Trim(n, "{}"), In: "path", Required: true, Schema: str(n)},
					{Name: "q" + n, In: "query", Required: true, Schema: str(n)}, {Name: "X-H", In: "header", Required: true, Schema: str(n)},
					{Name: "c", In: "cookie", Required: true, Schema: str(n)}},
				Body:     &apispec.Body{Required: true, Content: []apispec.Media{{Type: mediaType, Schema: schema}}},
				Security: [][]apispec.Scheme{{{Name: n, Type: "apiKey", In: "query", Key: "k" + n}}}}
		}
		get := op("", nil)
		get.Method, get.Body = "GET", nil
		out = append(out, trial{op: get}, trial{op: op(jsonType, body)}, trial{op: op(formType, body)}, trial{op: op("text/plain", str(n))},
			trial{op: op(multipartType, &apispec.Schema{Types: []string{"object"}, Properties: []apispec.Property{{Name: "field", Required: true, Schema: str(n)}, {Name: "logo", Required: true, Schema: &apispec.Schema{Types: []string{"string"}, Format: "binary"}}}})})
	}
	return out
}
