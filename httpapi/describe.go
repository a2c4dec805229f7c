package httpapi

import (
	"encoding/json"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/api-assistant/api-assistant/httpapi/internal/openapi"
)

// describer describes endpoints one by one.
type describer struct {
	types *openapi.Types
	doc   *openapi.Document
}

// operation describes one endpoint.
func (d *describer) operation(e endpoint) *openapi.Operation {
	op := &openapi.Operation{ID: e.about.id, Tags: []string{e.about.tag}, Summary: e.about.summary, Description: e.about.text,
		Parameters: d.parameters(e.answer.in, e.answer.query), Body: d.body(e), Responses: make(map[string]openapi.Response)}
	if e.about.open {
		op.Security = &[]map[string][]string{}
	}
	success := d.success(e.answer)
	op.Responses[strconv.Itoa(e.answer.status)] = success
	fails := slices.Concat([]int{429, 500, 503}, e.about.fails)
	if !e.about.open {
		fails = append(fails, 401)
	}
	if len(op.Parameters) > 0 {
		fails = append(fails, 400, 422)
	}
	if op.Body != nil {
		fails = append(fails, 400, 413, 415, 422)
	}
	for _, status := range fails {
		op.Responses[strconv.Itoa(status)] = openapi.Response{Ref: "#/components/responses/" + responseName(status)}
	}
	if e.answer.also != 0 {
		op.Responses[strconv.Itoa(e.answer.also)] = success
	}
	return op
}

// parameters describes the fields of inputs that come from the path and the
// query.
func (d *describer) parameters(inputs ...reflect.Type) (out []openapi.Parameter) {
	for _, in := range inputs {
		if in == nil {
			continue
		}
		for i := range in.NumField() {
			f := in.Field(i)
			place, name := nameOf(f)
			if place != "path" && place != "query" {
				continue
			}
			schema := d.types.Field(f, true)
			p := openapi.Parameter{Name: name, In: place, Required: place == "path" || openapi.NeedsValue(f), Schema: schema, Description: schema.Description}
			schema.Description = ""
			if len(schema.Type) > 1 && schema.Type[1] == "null" { // nothing in a URL is null
				schema.Type = schema.Type[:1]
			}
			out = append(out, p)
		}
	}
	return out
}

// body describes the fields of an input that come from the body.
func (d *describer) body(e endpoint) *openapi.Body {
	in := e.answer.in
	if in == nil || !hasBody(in) {
		return nil
	}
	takes := e.answer.takes
	if takes == nil {
		takes = []string{mediaJSON}
	}
	out := &openapi.Body{Required: !optionalBody(in), Content: make(map[string]openapi.Media)}
	for _, media := range takes {
		m := openapi.Media{Schema: d.types.In(in)}
		if media == mediaJSON && e.about.request != "" {
			m.Example = json.RawMessage(e.about.request)
		}
		out.Content[media] = m
	}
	return out
}

// success describes the answer when all went well.
func (d *describer) success(a answer) openapi.Response {
	r := openapi.Response{Description: http.StatusText(a.status), Headers: idHeader(), Content: make(map[string]openapi.Media)}
	if a.out != nil {
		r.Content[mediaJSON] = openapi.Media{Schema: d.types.Out(a.out)}
	}
	for media, text := range a.media {
		r.Content[media] = openapi.Media{Schema: &openapi.Schema{Type: openapi.Type{"string"}, Description: text}}
	}
	return r
}

func idHeader() map[string]openapi.Header {
	return map[string]openapi.Header{requestIDHeader: {Ref: "#/components/headers/" + requestIDHeader}}
}

// failures are the statuses of errors, and what they mean.
var failures = []struct {
	status int
	text   string
	header string // that comes with it
}{
	{400, "the request cannot be read", ""},
	{401, "a valid key is needed", "WWW-Authenticate"},
	{404, "there is no such thing, or it is not yours", ""},
	{409, "not in this state, or not the only one of its name", ""},
	{413, "too large; the message says the limit", ""},
	{415, "another media type is needed", ""},
	{422, "a value is wrong, or a document unreadable; the detail says where", ""},
	{429, "too many requests", "Retry-After"},
	{500, "an internal error", ""},
	{502, "the model or another service failed", ""},
	{503, "not ready", ""},
	{504, "the model or another service took too long", ""},
}

// responseName is the name of the component that describes a status.
func responseName(status int) string {
	return strings.ReplaceAll(http.StatusText(status), " ", "")
}

// errors describes the answers to what went wrong.
func (d *describer) errors() map[string]openapi.Response {
	d.types.Schemas["Error"] = errorSchema(d.types)
	out := make(map[string]openapi.Response, len(failures))
	for _, f := range failures {
		r := openapi.Response{Description: f.text, Headers: idHeader(),
			Content: map[string]openapi.Media{mediaJSON: {Schema: openapi.Ref("Error")}}}
		if f.header != "" {
			r.Headers[f.header] = openapi.Header{Required: true, Schema: &openapi.Schema{Type: openapi.Type{"string"}}}
		}
		out[responseName(f.status)] = r
	}
	return out
}

// errorSchema describes the one shape of all errors.
func errorSchema(types *openapi.Types) *openapi.Schema {
	types.Out(reflect.TypeFor[errorBody]())
	s := types.Schemas["ErrorBody"]
	delete(types.Schemas, "ErrorBody")
	s.Properties["detail"] = &openapi.Schema{Type: openapi.Type{"object", "null"},
		Description: "with validation_failed: errors, a list of {loc, type, msg}; with unreadable_document: file, line, column, pointer"}
	return s
}
