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

	"github.com/api-assistant/api-assistant/assistant/apispec"
)

// secretValue is what all credentials are in the environment of the snippets.
const secretValue = "secret"

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
	case len(raw) == 0 && r.MultipartForm == nil && baseType(kind) != formType: // an empty form has no bytes
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
