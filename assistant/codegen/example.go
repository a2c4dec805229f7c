package codegen

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/api-assistant/api-assistant/assistant/apispec"
)

// Values of bodies and parameters are nil, bool, float64, string, []any, object,
// credential (in forms) and reference (in GraphQL).
type object []member

type member struct {
	name  string
	value any
}

// Limits of examples.
const (
	maxExampleDepth = 8
	maxExampleNodes = 400 // of one that the specification or Options.Values has
	maxOptionalBody = 3   // optional fields that are shown where none is required
)

// value is what is sent for a parameter or a field: what the caller wants, or an
// example.
func (p *plan) value(name string, s *apispec.Schema) any {
	if v, ok := p.values[name]; ok {
		return normal(v)
	}
	return example(s, name, 0)
}

// normal brings a value of encoding/json, or anything that it can marshal, into
// the form used here. What is too large or cannot be marshalled is nil.
func normal(v any) any {
	raw, err := json.Marshal(v)
	if err != nil {
		return nil
	}
	var plain any
	if json.Unmarshal(raw, &plain) != nil {
		return nil
	}
	left := maxExampleNodes
	out := ordered(plain, &left)
	if left < 0 {
		return nil
	}
	return out
}

func ordered(v any, left *int) any {
	*left--
	if *left < 0 {
		return nil
	}
	switch v := v.(type) {
	case map[string]any:
		out := make(object, 0, len(v))
		for _, key := range slices.Sorted(maps.Keys(v)) {
			out = append(out, member{clean(key), ordered(v[key], left)})
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = ordered(v[i], left)
		}
		return out
	case string:
		return clean(v)
	}
	return v
}

// plainValue is the value as encoding/json knows it, which apispec checks.
func plainValue(v any) any {
	switch v := v.(type) {
	case object:
		out := make(map[string]any, len(v))
		for _, m := range v {
			out[m.name] = plainValue(m.value)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = plainValue(v[i])
		}
		return out
	case credential:
		return v.variable.value
	}
	return v
}

// example makes a value that a schema allows. The name of what it is for helps
// with strings.
func example(s *apispec.Schema, name string, depth int) any {
	if s == nil {
		return placeholder(name)
	}
	for _, v := range []any{s.Example, s.Default} {
		if v, ok := fitting(s, v); ok {
			return v
		}
	}
	for _, v := range s.Enum {
		if v != nil {
			return normal(v)
		}
	}
	if depth >= maxExampleDepth {
		return empty(s)
	}
	switch kind(s) {
	case "object":
		return exampleObject(s, depth)
	case "array":
		return exampleList(s, name, depth)
	case "alternatives":
		return exampleAlternative(s, name, depth)
	case "integer", "number":
		return 1.0
	case "boolean":
		return true
	case "null":
		return nil
	}
	return exampleString(name, s.Format)
}

// kind is the type of value to make for a schema.
func kind(s *apispec.Schema) string {
	for _, t := range s.Types {
		if t != "null" {
			return t
		}
	}
	switch {
	case len(s.Types) > 0:
		return "null"
	case len(s.Properties) > 0 || len(s.Required) > 0:
		return "object"
	case s.Items != nil:
		return "array"
	case len(s.OneOf) > 0:
		return "alternatives"
	case s.Additional != nil || s.Cut:
		return "object"
	}
	return "any"
}

func empty(s *apispec.Schema) any {
	switch kind(s) {
	case "object", "alternatives":
		return object{}
	case "array":
		return []any{}
	case "integer", "number":
		return 1.0
	case "boolean":
		return true
	}
	return ""
}

// fitting returns an example of the specification if it is a value of the
// schema. A number in quotes is taken for a number where one is wanted.
func fitting(s *apispec.Schema, v any) (any, bool) {
	if v == nil {
		return nil, false
	}
	v = normal(v)
	want := kind(s)
	switch e := v.(type) {
	case string:
		if want == "integer" || want == "number" {
			n, err := strconv.ParseFloat(e, 64)
			return n, err == nil && n-n == 0
		}
		return v, want == "string" || want == "any" || want == "alternatives"
	case float64:
		if want == "string" {
			return number(e), true
		}
		return v, want == "integer" && e == float64(int64(e)) || want == "number" || want == "any" || want == "alternatives"
	case bool:
		return v, want == "boolean" || want == "any" || want == "alternatives"
	case object:
		return v, want != "array" && want != "string" && !writesReadOnly(s, e) && faults(s, v) == 0
	case []any:
		return v, (want == "array" || want == "any" || want == "alternatives") && len(e) > 0 && faults(s, v) == 0
	}
	return nil, false
}

// writesReadOnly reports whether an example is of an answer rather than of a
// request.
func writesReadOnly(s *apispec.Schema, o object) bool {
	return slices.ContainsFunc(s.Properties, func(p apispec.Property) bool {
		return p.ReadOnly && slices.ContainsFunc(o, func(m member) bool { return m.name == p.Name })
	})
}

// faults counts the problems of a value with a schema.
func faults(s *apispec.Schema, v any) int {
	op := apispec.Operation{Kind: apispec.HTTP, Body: &apispec.Body{Content: []apispec.Media{{Type: jsonType, Schema: s}}}}
	return len(op.Check(apispec.Request{ContentType: jsonType, Body: plainValue(v)}))
}

func exampleList(s *apispec.Schema, name string, depth int) any {
	items := s.Items
	if items == nil {
		for _, alternative := range s.OneOf {
			if alternative.Items != nil {
				items = alternative.Items
				break
			}
		}
	}
	if items == nil {
		return []any{}
	}
	return []any{example(items, singular(name), depth+1)}
}

func singular(name string) string { return strings.TrimSuffix(strings.TrimSuffix(name, "[]"), "s") }

// exampleObject makes an object with what is required. Of alternatives that one
// counts with which the fewest problems remain.
func exampleObject(s *apispec.Schema, depth int) any {
	if len(s.OneOf) == 0 {
		return build([]*apispec.Schema{s}, depth)
	}
	var best any
	fewest := -1
	for _, alternative := range s.OneOf {
		candidate := build(append([]*apispec.Schema{s}, chain(alternative)...), depth)
		if n := faults(s, candidate); fewest < 0 || n < fewest {
			best, fewest = candidate, n
		}
		if fewest == 0 {
			break
		}
	}
	return best
}

// chain is an alternative with the first of its own alternatives, and so on.
func chain(s *apispec.Schema) (out []*apispec.Schema) {
	for len(out) < maxExampleDepth {
		out = append(out, s)
		if len(s.OneOf) == 0 {
			break
		}
		s = s.OneOf[0]
	}
	return out
}

// build makes an object of the properties of schemas that hold together. At the
// top, where nothing is required, some optional properties show what there is.
func build(parts []*apispec.Schema, depth int) object {
	properties, required := together(parts)
	out := object{}
	for _, p := range properties {
		if p.Required && !p.ReadOnly {
			out = append(out, member{clean(p.Name), example(p.Schema, p.Name, depth+1)})
		}
	}
	for _, name := range required {
		if !slices.ContainsFunc(out, func(m member) bool { return m.name == clean(name) }) {
			out = append(out, member{clean(name), placeholder(name)})
		}
	}
	if len(out) > 0 || depth > 0 {
		return out
	}
	for _, p := range optional(properties) {
		out = append(out, member{clean(p.Name), example(p.Schema, p.Name, depth+1)})
	}
	return out
}

// together merges the properties of schemas. Of one that is declared twice the
// declaration that says more counts.
func together(parts []*apispec.Schema) (properties []apispec.Property, required []string) {
	for _, part := range parts {
		for _, p := range part.Properties {
			at := slices.IndexFunc(properties, func(q apispec.Property) bool { return q.Name == p.Name })
			if at < 0 {
				properties = append(properties, p)
				continue
			}
			p.Required = p.Required || properties[at].Required
			p.ReadOnly = p.ReadOnly && properties[at].ReadOnly
			if old := properties[at].Schema; p.Schema == nil || old != nil && len(old.Enum) > 0 && len(p.Schema.Enum) == 0 {
				p.Schema = old
			}
			properties[at] = p
		}
		required = append(required, part.Required...)
	}
	for i, p := range properties {
		properties[i].Required = p.Required || slices.Contains(required, p.Name)
	}
	return properties, slices.DeleteFunc(required, func(name string) bool {
		return slices.ContainsFunc(properties, func(p apispec.Property) bool { return p.Name == name })
	})
}

// optional picks some properties that are good to show: scalars first, and at
// least one.
func optional(properties []apispec.Property) (out []apispec.Property) {
	writable := slices.DeleteFunc(slices.Clone(properties), func(p apispec.Property) bool { return p.ReadOnly })
	for _, p := range writable {
		if p.Schema != nil && len(out) < maxOptionalBody {
			if k := kind(p.Schema); k == "string" || k == "integer" || k == "number" || k == "boolean" {
				out = append(out, p)
			}
		}
	}
	if len(out) == 0 && len(writable) > 0 {
		out = writable[:1]
	}
	return out
}

func exampleAlternative(s *apispec.Schema, name string, depth int) any {
	for _, alternative := range s.OneOf {
		if k := kind(alternative); k != "null" && !alternative.Cut {
			v := example(alternative, name, depth+1)
			if faults(s, v) == 0 {
				return v
			}
		}
	}
	return example(s.OneOf[0], name, depth+1)
}

// byFormat are examples of the formats of OpenAPI and of usual GraphQL scalars.
var byFormat = map[string]string{
	"date": "2026-01-31", "date-time": "2026-01-31T12:00:00Z", "time": "12:00:00", "duration": "PT15M",
	"email": "ada@example.com", "idn-email": "ada@example.com", "hostname": "www.example.com", "ipv4": "192.0.2.1", "ipv6": "2001:db8::1",
	"uri": "https://example.com", "url": "https://example.com", "uri-reference": "/path", "iri": "https://example.com",
	"uuid": "3fa85f64-5717-4562-b3fc-2c963f66afa6", "byte": "aGVsbG8=", "base64": "aGVsbG8=", "json": "{}",
	"datetime": "2026-01-31T12:00:00Z", "phone": "+15555550100", "currency": "EUR", "decimal": "1.00", "int64": "1", "int32": "1",
}

// byWord are examples for the last word of a name.
var byWord = map[string]string{
	"email": "ada@example.com", "url": "https://example.com", "uri": "https://example.com", "date": "2026-01-31", "currency": "EUR",
	"country": "DE", "language": "en", "locale": "en-US", "phone": "+15555550100", "uuid": "3fa85f64-5717-4562-b3fc-2c963f66afa6",
	"timezone": "Europe/Berlin", "iban": "DE89370400440532013000", "ip": "192.0.2.1",
}

func exampleString(name, format string) string {
	if v, ok := byFormat[strings.ToLower(format)]; ok {
		return v
	}
	words := wordsOf(name)
	if len(words) > 0 {
		if v, ok := byWord[words[len(words)-1]]; ok {
			return v
		}
	}
	return placeholder(name)
}

// number is the shortest text of a number that is one in every language here.
func number(f float64) string {
	if f-f != 0 { // not finite, which JSON does not know
		return "0"
	}
	if f == float64(int64(f)) && f < 1<<53 && f > -1<<53 {
		return strconv.FormatInt(int64(f), 10)
	}
	s := strconv.FormatFloat(f, 'g', -1, 64)
	if at := strings.IndexByte(s, 'e'); at >= 0 && !strings.Contains(s, ".") {
		return s[:at] + ".0" + s[at:]
	}
	if !strings.ContainsAny(s, ".e") {
		return s + ".0"
	}
	return s
}
