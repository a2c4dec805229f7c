// Package verify checks text against a catalogue of operations: every endpoint
// that it mentions, and every request that its code makes.
//
//	report := verify.Check(catalog, answer, verify.Options{})
//	for _, e := range report.Endpoints {
//		fmt.Println(e.Mention, e.Status, e.Nearest) // "GET /order/17" unknown_path [GET /orders/{id}]
//	}
//	for _, c := range report.Code {
//		fmt.Println(c.Request, c.Problems) // "POST /orders" [missing_body_field:/isbn]
//	}
//	if !report.OK() {
//		fmt.Println(strings.Join(report.Problems(), "\n"))
//	}
//
// The text may be prose, Markdown or source code; it is not trusted, and the time
// is linear in its length. A checker that cries wolf is worse than none: what is
// not surely about the API is left alone, and what code does not show (a variable
// from elsewhere, a header that a function sets) is never missing. So a report
// without findings is no proof that all is right. docs/verification.md explains
// what is read and how.
package verify

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/api-assistant/api-assistant/assistant/apispec"
)

// Options steer a check. The zero value is usable.
type Options struct {
	// API is the title of the API that the text must keep to; operations of others
	// do not count. Empty means all.
	API string
	// Language is that of code blocks that do not name theirs, "python" say. Empty
	// means that it is guessed.
	Language string
}

// Report is what the catalogue says of a text.
type Report struct {
	Endpoints []Endpoint `json:"endpoints"` // in the order of the text, never null
	Code      []Code     `json:"code"`      // in the order of the text, never null
}

// Endpoint is the verdict on one mention of an endpoint.
type Endpoint struct {
	Mention string         `json:"mention"` // exactly as it stands in the text
	Method  string         `json:"method"`  // in upper case (lower case in GraphQL); empty if nothing says it
	Path    string         `json:"path"`    // path or URL as written, without query; of code, with variables as {name}; empty for an operation id
	Status  apispec.Status `json:"status"`
	// Operation is the one that is meant, "GET /orders/{id}", with its id and the
	// title of its API; empty if there is not exactly one.
	Operation   string   `json:"operation"`
	OperationID string   `json:"operation_id"`
	API         string   `json:"api"`
	Nearest     []string `json:"nearest"` // real operations like one that is not, the nearest first; never null
	// Start and End are where Mention stands in the text, in bytes.
	Start int `json:"start"`
	End   int `json:"end"`
	// Resolution has the operations themselves.
	Resolution apispec.Resolution `json:"-"`
}

// Code is the verdict on one request that a code block makes.
type Code struct {
	Index     int    `json:"index"`    // of the fenced block in the text, from 0
	Language  string `json:"language"` // as the block names it, else as guessed
	Request   string `json:"request"`  // "POST /orders/{id}": the operation, or what was read where there is none
	Operation string `json:"operation"`
	// Problems are those of apispec.Operation.Check, as text; never null.
	Problems []string `json:"problems"`
	// Nearest are real operations like one that is not.
	Nearest []*apispec.Operation `json:"-"`
}

// Limits of one check; what is beyond them is not looked at.
const (
	maxEndpoints = 2000
	maxLookups   = 4000 // in the catalogue
)

// Check checks a text. A catalogue without operations finds nothing.
func Check(catalog *apispec.Catalog, text string, o Options) Report {
	c := newChecker(catalog, text, o)
	if c != nil {
		for _, b := range blocks(text) {
			if b.fenced {
				c.code(b)
			} else {
				c.prose(b.start, b.end)
			}
		}
	}
	return c.result()
}

// OK reports whether there is nothing to complain about: every endpoint exists or
// was not checked, and no request lacks anything.
func (r Report) OK() bool {
	return !slices.ContainsFunc(r.Endpoints, Endpoint.wrong) &&
		!slices.ContainsFunc(r.Code, func(c Code) bool { return len(c.Problems) > 0 })
}

func (e Endpoint) wrong() bool { return e.Status != apispec.OK && e.Status != apispec.NotChecked }

// Problems says in a sentence each what is wrong, with real operations as
// evidence; the same thing is said once. It is made for people and for the model
// that wrote the text.
func (r Report) Problems() []string {
	var out []string
	say := func(format string, args ...any) {
		if s := fmt.Sprintf(format, args...); !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	for _, e := range r.Endpoints {
		what := oneLine(e.Mention)
		if e.Method != "" && !strings.HasPrefix(what, e.Method) {
			what = e.Method + " " + what
		}
		switch e.Status {
		case apispec.UnknownPath:
			say("%s does not exist%s.", what, instead("; the nearest real operations are ", e.Nearest))
		case apispec.WrongMethod:
			say("%s does not exist with this method%s.", what, instead("; the path has ", e.Nearest))
		case apispec.Deprecated:
			say("%s is deprecated.", what)
		case apispec.Ambiguous:
			var names []string
			for _, op := range e.Resolution.Candidates[:min(3, len(e.Resolution.Candidates))] {
				names = append(names, op.Endpoint())
			}
			say("%s could be several operations%s; name one.", what, instead(", among them ", names))
		}
	}
	for _, c := range r.Code {
		for _, p := range c.Problems {
			say("Code block %d, %s: %s.", c.Index+1, c.Request, sentence(p))
		}
	}
	return out
}

func instead(intro string, names []string) string {
	if len(names) == 0 {
		return ""
	}
	return intro + strings.Join(names, ", ")
}

// sentence puts a problem into words.
func sentence(problem string) string {
	kind, what, _ := strings.Cut(problem, ":")
	switch apispec.ProblemKind(kind) {
	case apispec.MissingParameter:
		in, name, _ := strings.Cut(what, ":")
		return "the required " + in + " parameter " + name + " is missing"
	case apispec.MissingBodyField:
		return "the body lacks the required field " + cmp.Or(what, "(there is no body)")
	case apispec.UnknownBodyField:
		return "the body has no field " + what
	case apispec.WrongContentType:
		return "the content type of the body is not one that the operation takes"
	case apispec.MissingAuth:
		return "no credentials are sent, and the operation needs some"
	}
	return problem
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// checker checks one text.
type checker struct {
	catalog   *apispec.Catalog
	text      string
	options   Options
	ids       map[string][]*apispec.Operation // by operation id
	graphql   bool                            // the catalogue has GraphQL operations
	known     map[lookup]apispec.Resolution
	endpoints []Endpoint
	requests  []Code
	words     map[string]bool // of the titles and servers of the APIs, in lower case
	shared    map[string]map[string]value
}

type lookup struct{ method, target string }

func newChecker(catalog *apispec.Catalog, text string, o Options) *checker {
	if catalog == nil || catalog.Len() == 0 {
		return nil
	}
	c := &checker{catalog: catalog, text: text, options: o, ids: make(map[string][]*apispec.Operation),
		known: make(map[lookup]apispec.Resolution), words: make(map[string]bool), shared: make(map[string]map[string]value)}
	title := ""
	for _, op := range catalog.Operations() {
		if op.OperationID != "" {
			c.ids[op.OperationID] = append(c.ids[op.OperationID], op)
		}
		c.graphql = c.graphql || op.Kind == apispec.GraphQL
		if op.API != title {
			title = op.API
			c.learn(op)
		}
	}
	return c
}

// learn remembers the words by which an API is called.
func (c *checker) learn(op *apispec.Operation) {
	for _, s := range append([]string{op.API}, op.Servers...) {
		for _, w := range strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return !isLetter(r) && !isDigit(r) }) {
			c.words[w] = true
		}
	}
}

// resolve asks the catalogue, each question once.
func (c *checker) resolve(method, target string) apispec.Resolution {
	key := lookup{method, target}
	r, ok := c.known[key]
	if !ok {
		if len(c.known) >= maxLookups {
			return apispec.Resolution{Status: apispec.NotChecked}
		}
		r = c.only(c.catalog.Resolve(method, target))
		c.known[key] = r
	}
	return r
}

// only drops what is of another API than the options ask for.
func (c *checker) only(r apispec.Resolution) apispec.Resolution {
	if c.options.API == "" {
		return r
	}
	other := func(op *apispec.Operation) bool { return op.API != c.options.API }
	r.Candidates = slices.DeleteFunc(slices.Clone(r.Candidates), other)
	r.Nearest = slices.DeleteFunc(slices.Clone(r.Nearest), other)
	if r.Operation != nil && other(r.Operation) {
		return apispec.Resolution{Status: apispec.UnknownPath, Nearest: r.Nearest}
	}
	return r
}

// add puts a verdict on text[start:end] into the report.
func (c *checker) add(start, end int, method, path string, r apispec.Resolution) {
	if len(c.endpoints) >= maxEndpoints {
		return
	}
	e := Endpoint{Mention: c.text[start:end], Method: method, Path: path, Status: r.Status, Start: start, End: end, Resolution: r, Nearest: []string{}}
	if op := r.Operation; op != nil {
		e.Operation, e.OperationID, e.API = op.Endpoint(), op.OperationID, op.API
	}
	for _, op := range r.Nearest {
		e.Nearest = append(e.Nearest, op.Endpoint())
	}
	c.endpoints = append(c.endpoints, e)
}

// result sorts what was found.
func (c *checker) result() Report {
	r := Report{Endpoints: []Endpoint{}, Code: []Code{}}
	if c == nil {
		return r
	}
	r.Endpoints, r.Code = append(r.Endpoints, c.endpoints...), append(r.Code, c.requests...)
	slices.SortStableFunc(r.Endpoints, func(a, b Endpoint) int { return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(b.End, a.End)) })
	r.Endpoints = slices.CompactFunc(r.Endpoints, func(a, b Endpoint) bool {
		return a.Start == b.Start && a.End == b.End && a.Method == b.Method
	})
	return r
}

func isLetter(r rune) bool { return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r > 127 }
func isDigit(r rune) bool  { return r >= '0' && r <= '9' }
func isWordByte(b byte) bool {
	return isLetter(rune(b)) || isDigit(rune(b)) || b == '_'
}
