package ingest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/api-assistant/api-assistant/assistant/apispec"
	"github.com/api-assistant/api-assistant/vectorstore"
)

// Shares of a document, in bytes.
const (
	maxDescription = 4000
	maxFieldNote   = 160
	maxFields      = 60 // fields of one body or response
	maxServers     = 3
)

// operationDocument renders an operation.
func (s *specification) operationDocument(o *apispec.Operation) error {
	data, err := json.Marshal(o)
	if err != nil {
		return fmt.Errorf("ingest: %s: %w", o.Endpoint(), err)
	}
	kind := "endpoint"
	if o.Kind == apispec.Webhook {
		kind = "webhook"
	}
	content, named := operationText(o, s.options.MaxDocumentBytes)
	s.schemas.want(named)
	s.listed = append(s.listed, listed{o.Endpoint(), clip(o.Summary, 80)})
	s.out.Documents = append(s.out.Documents, vectorstore.Document{Pointer: o.Pointer, Content: content, Data: data, Metadata: map[string]any{
		"content_type": kind, "title": o.Endpoint(), "api_title": o.API, "api_version": o.Version,
		"path": o.Path, "method": o.Method, "endpoint": o.Endpoint(), "operation_id": o.OperationID,
		"summary": clip(o.Summary, maxFieldNote), "tags": anyList(o.Tags), "deprecated": o.Deprecated,
		"has_request_body": o.Body != nil, "param_count": len(o.Parameters), "auth": anyList(schemeNames(o)),
		"needs": anyList(o.Needs()), "yields": anyList(o.Yields()),
	}})
	return nil
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
	max   int
	cut   bool
	named []string // schemas that it refers to instead of showing them
}

const maxCutNote = 200

func (t *text) line(format string, args ...any) {
	line := oneLine(fmt.Sprintf(format, args...)) + "\n"
	if t.cut || t.Len()+len(line) > t.max-maxCutNote {
		t.cut = true
		return
	}
	t.WriteString(line)
}

// lines writes a text of several lines without its empty ones.
func (t *text) lines(s string) {
	for l := range strings.Lines(s) {
		if strings.TrimSpace(l) != "" {
			t.line("%s", l)
		}
	}
}

// see refers to the document of a schema.
func (t *text) see(name string) string {
	if !slices.Contains(t.named, name) {
		t.named = append(t.named, name)
	}
	return "see schema " + name
}

// done ends the text. If it was cut, it refers to the schemas given.
func (t *text) done(schemas ...string) (content string, named []string) {
	if t.cut {
		note := "(more is left out here"
		for _, name := range schemas {
			if len(note)+len(name) < maxCutNote-30 {
				note += "; " + t.see(name)
			}
		}
		t.WriteString(note + ")\n")
	}
	return t.String(), t.named
}

// oneLine keeps the indentation and folds all other white space.
func oneLine(s string) string {
	indent := len(s) - len(strings.TrimLeft(s, " "))
	before := 'x'
	for _, r := range s[indent:] {
		if r != ' ' && unicode.IsSpace(r) || r == ' ' && before == ' ' {
			before = ' '
			break
		}
		before = r
	}
	if before != ' ' {
		return s // nearly always
	}
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

// operationText says in short lines what an operation is, needs and returns, and
// which schemas it names without showing all of them.
func operationText(o *apispec.Operation, maxBytes int) (content string, named []string) {
	t := &text{max: maxBytes}
	t.operation(o)
	return t.done(mainSchemas(o)...)
}

// operation writes all that a document says of an operation, in the order in
// which people need it.
func (t *text) operation(o *apispec.Operation) {
	head := o.Endpoint()
	if o.Summary != "" {
		head += ": " + clip(readable(o.Summary), maxNote)
	}
	t.line("%s", head)
	if o.Deprecated {
		t.line("Deprecated.")
	}
	if o.Description != "" && o.Description != o.Summary {
		t.lines(clip(readable(o.Description), min(maxDescription, t.max/2)))
	}
	needs(t, o)
	returns(t, o)
	for i := range o.Callbacks {
		c := &o.Callbacks[i]
		t.line("Calls back: %s: %s", c.Endpoint(), clip(c.Summary, maxFieldNote))
		if c.Body != nil && len(c.Body.Content) > 0 {
			if names := fieldNames(t, c.Body.Content[0].Schema); names != "" {
				t.line("- %s", names)
			}
		}
	}
	if auth := authText(o.Security); auth != "" {
		t.line("Auth: %s", auth)
	}
	if o.OperationID != "" {
		t.line("Operation id: %s", o.OperationID)
	}
	if len(o.Tags) > 0 {
		t.line("Tags: %s", strings.Join(o.Tags, ", "))
	}
	if len(o.Servers) > 0 {
		t.line("Server: %s", strings.Join(o.Servers[:min(len(o.Servers), maxServers)], ", "))
	}
}

// mainSchemas names the schemas of the body and of the answers.
func mainSchemas(o *apispec.Operation) (out []string) {
	add := func(content []apispec.Media) {
		if len(content) == 0 || content[0].Schema == nil {
			return
		}
		s := content[0].Schema
		for _, s := range append([]*apispec.Schema{s, s.Items}, s.OneOf...) {
			if s != nil && s.Ref != "" && !slices.Contains(out, s.Ref) {
				out = append(out, s.Ref)
			}
		}
	}
	if o.Body != nil {
		add(o.Body.Content)
	}
	for _, r := range o.Responses {
		if r.Success() {
			add(r.Content)
		}
	}
	return out
}

func authText(security [][]apispec.Scheme) string {
	var ways []string
	for _, set := range security {
		var parts []string
		for _, s := range set {
			parts = append(parts, schemeText(s))
		}
		ways = append(ways, strings.Join(parts, " and "))
	}
	return strings.Join(ways, "; or ")
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
				t.line("- %s %s%s%s", p.In, p.Name, inParens(facts(p.Schema, p.Required)), note(p.Description, p.Schema))
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
		t.line("- body %s%s%s", m.Type, inParens(facts(m.Schema, o.Body.Required)), note(o.Body.Description, nil))
		fields(t, m.Schema, "  ", false)
	}
}

// returns lists the successful answers with their fields, then the errors.
func returns(t *text, o *apispec.Operation) {
	var errors []string
	for _, r := range o.Responses {
		if !r.Success() || r.Status == "default" && len(o.Responses) > 1 {
			errors = append(errors, strings.TrimSpace(r.Status+" "+clip(readable(r.Description), 80)))
			continue
		}
		t.line("Returns %s: %s", r.Status, clip(readable(r.Description), maxFieldNote))
		if len(r.Content) > 0 {
			if names := fieldNames(t, r.Content[0].Schema); names != "" {
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
		kind := strings.Join(typesOf(s), "|")
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

// typesOf are the types of a schema, or of its alternatives.
func typesOf(s *apispec.Schema) []string {
	if len(s.Types) > 0 {
		return s.Types
	}
	var out []string
	for _, alternative := range s.OneOf {
		for _, t := range alternative.Types {
			if !slices.Contains(out, t) {
				out = append(out, t)
			}
		}
	}
	return out
}

func inParens(s string) string {
	if s == "" {
		return ""
	}
	return " (" + s + ")"
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
	if description = strings.TrimSpace(readable(description)); description == "" {
		return ""
	}
	return ": " + clip(description, maxFieldNote)
}

// fields lists the properties of a schema, nested ones indented; of a body those
// that a client may send, of all others all.
func fields(t *text, s *apispec.Schema, indent string, all bool) {
	w := fieldWriter{t, maxFields, all}
	w.fields(s, indent)
}

type fieldWriter struct {
	*text
	left int
	all  bool
}

func (w *fieldWriter) fields(s *apispec.Schema, indent string) {
	if s == nil {
		return
	}
	if len(indent) > 8 {
		if s.Ref != "" && (len(s.Properties) > 0 || s.Cut) {
			w.line("%s- %s", indent, w.see(s.Ref))
		}
		return
	}
	w.properties(s, indent)
	for i, alternative := range s.OneOf {
		if (len(alternative.Properties) > 0 || alternative.Ref != "" && alternative.Cut) && w.left > 0 {
			w.line("%s- alternative %d%s", indent, i+1, named(alternative))
			w.fields(alternative, indent+"  ")
		}
	}
	switch {
	case s.Items != nil && len(s.Properties) == 0:
		w.fields(s.Items, indent)
	case s.Additional != nil && len(s.Properties) == 0 && len(s.Additional.Properties) > 0:
		w.line("%s- any name%s", indent, inParens(facts(s.Additional, false)))
		w.fields(s.Additional, indent+"  ")
	case s.Cut && s.Ref != "" && len(s.Properties) == 0:
		w.line("%s- %s", indent, w.see(s.Ref))
	}
}

// properties lists the properties of one object. What is in them shares the lines
// that are left, so that the first does not hide the others.
func (w *fieldWriter) properties(s *apispec.Schema, indent string) {
	visible := s.Properties
	if !w.all {
		visible = slices.DeleteFunc(slices.Clone(visible), func(p apispec.Property) bool { return p.ReadOnly })
	}
	shown := visible[:min(len(visible), max(w.left, 0))]
	w.left -= len(shown)
	for i, p := range shown {
		w.line("%s- %s%s%s", indent, p.Name, inParens(facts(p.Schema, p.Required)), note("", p.Schema))
		left := w.left
		share := left / (len(shown) - i)
		w.left = share
		w.fields(p.Schema, indent+"  ")
		w.left = left - (share - w.left)
	}
	if len(shown) < len(visible) {
		if s.Ref != "" {
			w.line("%s- and more fields: %s", indent, w.see(s.Ref))
		} else {
			w.line("%s- and more fields", indent)
		}
	}
}

func named(s *apispec.Schema) string {
	if s.Ref == "" {
		return ""
	}
	return " " + s.Ref
}

// fieldNames lists the names of the main fields of an answer in one line.
func fieldNames(t *text, s *apispec.Schema) string {
	w := nameWriter{t, maxFields}
	return w.names(s, 0)
}

type nameWriter struct {
	*text
	left int
}

func (w *nameWriter) names(s *apispec.Schema, depth int) string {
	if s == nil {
		return ""
	}
	if s.Items != nil {
		if inner := w.names(s.Items, depth); inner != "" {
			return "list of " + inner
		}
		return ""
	}
	hidden := depth > 3 || w.left <= 0
	if s.Ref != "" && (s.Cut && len(s.Properties) == 0 || hidden && len(s.Properties) > 0) {
		return strings.TrimPrefix(w.see(s.Ref), "see ")
	}
	if hidden {
		return ""
	}
	shown := s.Properties[:min(len(s.Properties), w.left)]
	w.left -= len(shown)
	var out []string
	for i, p := range shown {
		left := w.left
		share := left / (len(shown) - i)
		w.left = share
		name := p.Name
		if inner := w.names(p.Schema, depth+1); inner != "" {
			name += " (" + inner + ")"
		}
		w.left = left - (share - w.left)
		out = append(out, name)
	}
	if len(shown) < len(s.Properties) && s.Ref != "" {
		out = append(out, "and more: "+w.see(s.Ref))
	}
	for _, alternative := range s.OneOf {
		if inner := w.names(alternative, depth+1); inner != "" && !slices.Contains(out, inner) {
			out = append(out, inner)
		}
	}
	return strings.Join(out, ", ")
}
