package ingest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/api-assistant/api-assistant/assistant/apispec"
	"github.com/api-assistant/api-assistant/vectorstore"
)

// Shares of a document, in bytes.
const (
	maxDescription = 2500
	maxFieldNote   = 160
	maxFields      = 60 // fields of one body or response
)

// operationDocument renders an operation.
func operationDocument(o *apispec.Operation, maxBytes int) (vectorstore.Document, error) {
	data, err := json.Marshal(o)
	if err != nil {
		return vectorstore.Document{}, fmt.Errorf("ingest: %s: %w", o.Endpoint(), err)
	}
	kind := "endpoint"
	if o.Kind == apispec.Webhook {
		kind = "webhook"
	}
	return vectorstore.Document{Pointer: o.Pointer, Content: operationText(o, maxBytes), Data: data, Metadata: map[string]any{
		"content_type": kind, "title": o.Endpoint(), "api_title": o.API, "api_version": o.Version,
		"path": o.Path, "method": o.Method, "endpoint": o.Endpoint(), "operation_id": o.OperationID,
		"summary": clip(o.Summary, maxFieldNote), "tags": anyList(o.Tags), "deprecated": o.Deprecated,
		"has_request_body": o.Body != nil, "param_count": len(o.Parameters), "auth": anyList(schemeNames(o)),
	}}, nil
}

func anyList(values []string) []any {
	out := make([]any, len(values))
	for i, v := range values {
		out[i] = v
	}
	return out
}

func schemeNames(o *apispec.Operation) []string {
	var out []string
	for _, set := range o.Security {
		for _, s := range set {
			if !slices.Contains(out, s.Name) {
				out = append(out, s.Name)
			}
		}
	}
	return out
}

// text is a document in the making. What does not fit is left out, and the end
// says so.
type text struct {
	strings.Builder
	max int
	cut bool
}

const cutNote = "(more is left out here)\n"

func (t *text) line(format string, args ...any) {
	line := oneLine(fmt.Sprintf(format, args...)) + "\n"
	if t.cut || t.Len()+len(line) > t.max-len(cutNote) {
		t.cut = true
		return
	}
	t.WriteString(line)
}

func (t *text) done() string {
	if t.cut {
		t.WriteString(cutNote)
	}
	return t.String()
}

// oneLine keeps the indentation and folds all other white space.
func oneLine(s string) string {
	indent := len(s) - len(strings.TrimLeft(s, " "))
	return s[:indent] + strings.Join(strings.Fields(s), " ")
}

// clip cuts a text at a word, to at most n bytes.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	n -= len("…")
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	if space := strings.LastIndexAny(s[:n], " \n"); space > n/2 {
		n = space
	}
	return s[:n] + "…"
}

// operationText says in short lines what an operation is, needs and returns.
func operationText(o *apispec.Operation, maxBytes int) string {
	t := &text{max: maxBytes}
	head := o.Endpoint()
	if o.Summary != "" {
		head += ": " + clip(o.Summary, maxNote)
	}
	t.line("%s", head)
	if o.Deprecated {
		t.line("Deprecated.")
	}
	if o.Description != "" && o.Description != o.Summary {
		for l := range strings.Lines(clip(o.Description, maxDescription)) {
			if strings.TrimSpace(l) != "" {
				t.line("%s", l)
			}
		}
	}
	needs(t, o)
	returns(t, o)
	if len(o.Security) > 0 {
		var ways []string
		for _, set := range o.Security {
			var parts []string
			for _, s := range set {
				parts = append(parts, schemeText(s))
			}
			ways = append(ways, strings.Join(parts, " and "))
		}
		t.line("Auth: %s", strings.Join(ways, "; or "))
	}
	if o.OperationID != "" {
		t.line("Operation id: %s", o.OperationID)
	}
	if len(o.Tags) > 0 {
		t.line("Tags: %s", strings.Join(o.Tags, ", "))
	}
	if len(o.Servers) > 0 {
		t.line("Server: %s", o.Servers[0])
	}
	return t.done()
}

func schemeText(s apispec.Scheme) string {
	out := s.Name
	switch {
	case s.Type == "apiKey":
		out += fmt.Sprintf(" (API key %s in the %s)", s.Key, s.In)
	case s.Type == "http":
		out += fmt.Sprintf(" (HTTP %s)", s.HTTP)
	case s.Type != "":
		out += " (" + s.Type + ")"
	}
	if len(s.Scopes) > 0 {
		out += " scopes " + strings.Join(s.Scopes, " ")
	}
	return out
}

// needs lists parameters and body, what is required first.
func needs(t *text, o *apispec.Operation) {
	if len(o.Parameters) == 0 && o.Body == nil {
		return
	}
	t.line("Needs:")
	for _, required := range []bool{true, false} {
		for _, p := range o.Parameters {
			if p.Required == required {
				t.line("- %s %s (%s)%s", p.In, p.Name, facts(p.Schema, p.Required), note(p.Description, p.Schema))
			}
		}
	}
	if o.Body == nil {
		return
	}
	for i, m := range o.Body.Content {
		if i > 0 { // the other representations nearly always repeat the first
			t.line("- body also as %s", m.Type)
			continue
		}
		t.line("- body %s (%s)%s", m.Type, facts(m.Schema, o.Body.Required), note(o.Body.Description, nil))
		left := maxFields
		fields(t, m.Schema, "  ", &left)
	}
}

// returns lists the successful answers with their fields, then the errors.
func returns(t *text, o *apispec.Operation) {
	var errors []string
	for _, r := range o.Responses {
		if success := strings.HasPrefix(r.Status, "2") || r.Status == "default" && len(o.Responses) == 1; !success {
			errors = append(errors, strings.TrimSpace(r.Status+" "+clip(r.Description, 80)))
			continue
		}
		t.line("Returns %s: %s", r.Status, clip(r.Description, maxFieldNote))
		if len(r.Content) > 0 {
			if names := fieldNames(r.Content[0].Schema); names != "" {
				t.line("- %s", names)
			}
		}
	}
	if len(errors) > 0 {
		t.line("Errors: %s", strings.Join(errors, "; "))
	}
}

// facts are type, format, whether required, enum and default.
func facts(s *apispec.Schema, required bool) string {
	var out []string
	if s != nil {
		kind := strings.Join(s.Types, "|")
		if s.Is("array") && s.Items != nil && len(s.Items.Types) > 0 {
			kind += " of " + strings.Join(s.Items.Types, "|")
		}
		if kind != "" {
			out = append(out, kind)
		}
		if s.Format != "" {
			out = append(out, s.Format)
		}
	}
	if required {
		out = append(out, "required")
	}
	if s == nil {
		return strings.Join(out, ", ")
	}
	enum := s.Enum
	if len(enum) == 0 && s.Items != nil {
		enum = s.Items.Enum
	}
	if len(enum) > 0 {
		var values []string
		for _, v := range enum[:min(len(enum), 20)] {
			values = append(values, fmt.Sprint(v))
		}
		out = append(out, "one of "+strings.Join(values, " "))
	}
	if s.Default != nil {
		out = append(out, "default "+compact(s.Default))
	}
	if s.Example != nil {
		out = append(out, "example "+compact(s.Example))
	}
	return strings.Join(out, ", ")
}

func compact(v any) string {
	if s, ok := v.(string); ok {
		return clip(s, 80)
	}
	raw, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return clip(string(raw), 80)
}

func note(description string, s *apispec.Schema) string {
	if description == "" && s != nil {
		description = s.Description
	}
	if description = strings.TrimSpace(description); description == "" {
		return ""
	}
	return ": " + clip(description, maxFieldNote)
}

// fields lists the properties of a body, nested ones indented.
func fields(t *text, s *apispec.Schema, indent string, left *int) {
	if s == nil || len(indent) > 8 {
		return
	}
	for _, p := range s.Properties {
		if p.ReadOnly {
			continue
		}
		if *left--; *left < 0 {
			t.line("%s- and more fields", indent)
			return
		}
		t.line("%s- %s (%s)%s", indent, p.Name, facts(p.Schema, p.Required), note("", p.Schema))
		fields(t, p.Schema, indent+"  ", left)
	}
	for i, alternative := range s.OneOf {
		if len(alternative.Properties) > 0 && *left > 0 {
			t.line("%s- alternative %d%s", indent, i+1, named(alternative))
			fields(t, alternative, indent+"  ", left)
		}
	}
	if s.Items != nil && len(s.Properties) == 0 {
		fields(t, s.Items, indent, left)
	}
}

func named(s *apispec.Schema) string {
	if s.Ref == "" {
		return ""
	}
	return " " + s.Ref
}

// fieldNames lists the names of the main fields of an answer in one line.
func fieldNames(s *apispec.Schema) string {
	left := maxFields
	return names(s, &left, 0)
}

func names(s *apispec.Schema, left *int, depth int) string {
	if s == nil || depth > 3 {
		return ""
	}
	if s.Items != nil {
		if inner := names(s.Items, left, depth+1); inner != "" {
			return "list of " + inner
		}
		return ""
	}
	var out []string
	for _, p := range s.Properties {
		if *left--; *left < 0 {
			break
		}
		name := p.Name
		if inner := names(p.Schema, left, depth+1); inner != "" {
			name += " (" + inner + ")"
		}
		out = append(out, name)
	}
	for _, alternative := range s.OneOf {
		if inner := names(alternative, left, depth+1); inner != "" {
			out = append(out, inner)
		}
	}
	return strings.Join(out, ", ")
}

// summary is the document about the API as a whole.
func (s *specification) summary(ops []apispec.Operation, maxBytes int) vectorstore.Document {
	t := &text{max: maxBytes}
	t.line("%s %s", s.title, s.version)
	for l := range strings.Lines(clip(s.root.get("info").get("description").string(), maxDescription)) {
		if strings.TrimSpace(l) != "" {
			t.line("%s", l)
		}
	}
	base := ""
	if len(s.servers) > 0 {
		base = s.servers[0]
		t.line("Base URL: %s", base)
	}
	var schemes []string
	for _, name := range sortedKeys(s.schemes) {
		schemes = append(schemes, schemeText(s.schemes[name]))
	}
	if len(schemes) > 0 {
		t.line("Authentication: %s", strings.Join(schemes, "; "))
	}
	t.line("It has %d endpoints:", len(ops))
	for i := range ops {
		t.line("- %s %s", ops[i].Endpoint(), clip(ops[i].Summary, 80))
	}
	format := "openapi"
	if s.swagger {
		format = "swagger"
	}
	return vectorstore.Document{Pointer: "/info", Content: t.done(), Metadata: map[string]any{
		"content_type": "api_summary", "title": s.title, "api_title": s.title, "api_version": s.version,
		"endpoint_count": len(ops), "format_type": format, "base_url": base,
	}}
}
