package codegen

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/assistant/apispec"
)

// trial is an operation whose code is run against the server.
type trial struct {
	op      *apispec.Operation
	values  map[string]any
	catalog *apispec.Catalog
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
  /empty-form:
    post:
      operationId: emptyForm
      security: [{bearer: []}]
      requestBody: {required: true, content: {application/x-www-form-urlencoded: {schema: {type: object}}}}
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
			{Name: "__proto__", Required: true, Schema: &apispec.Schema{Types: []string{"object"}, Properties: []apispec.Property{{Name: "0", Required: true, Schema: str(n)}}}},
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
