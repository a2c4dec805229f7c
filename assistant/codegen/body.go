package codegen

import (
	"encoding/xml"
	"mime"
	"net/http"
	"slices"
	"strings"

	"github.com/api-assistant/api-assistant/assistant/apispec"
)

const (
	jsonType      = "application/json"
	formType      = "application/x-www-form-urlencoded"
	multipartType = "multipart/form-data"
)

type bodyKind int

const (
	jsonBody bodyKind = iota
	formBody
	multipartBody
	textBody // text and XML
	fileBody // the content of a file
)

// body is what a request carries.
type body struct {
	kind      bodyKind
	mediaType string
	value     any     // of JSON and forms; of others something that stands for it
	fields    []field // of forms
	text      string  // of textBody
	file      string  // name of the file of fileBody
	document  string  // of GraphQL, to which a reference in value leads
}

// isJSON recognises media types whose bodies are JSON.
func isJSON(mediaType string) bool {
	t := baseType(mediaType)
	return t == jsonType || t == "text/json" || strings.HasSuffix(t, "+json")
}

func baseType(mediaType string) string {
	if t, _, err := mime.ParseMediaType(mediaType); err == nil {
		return t
	}
	t, _, _ := strings.Cut(mediaType, ";")
	return strings.ToLower(strings.TrimSpace(t))
}

// kindOf says how a body of a media type is written.
func kindOf(mediaType string) bodyKind {
	switch t := baseType(mediaType); {
	case isJSON(t) || t == "*/*" || t == "application/*" || t == "":
		return jsonBody
	case t == formType:
		return formBody
	case strings.HasPrefix(t, "multipart/"):
		return multipartBody
	case strings.HasPrefix(t, "text/") || isXML(t) || strings.HasSuffix(t, "yaml") || t == "application/graphql":
		return textBody
	}
	return fileBody
}

func isXML(t string) bool { return strings.HasSuffix(t, "/xml") || strings.HasSuffix(t, "+xml") }

// planBody plans a body where one is required, and where the method is one that
// usually has one.
func (p *plan) planBody() {
	want := p.op.Body
	if want == nil {
		return
	}
	_, asked := p.values["body"]
	usual := p.method == http.MethodPost || p.method == http.MethodPut || p.method == http.MethodPatch
	if !want.Required && (!usual || len(want.Content) == 0) && !asked {
		return
	}
	media := apispec.Media{Type: jsonType}
	for i, m := range want.Content {
		if i == 0 || kindOf(m.Type) < kindOf(media.Type) {
			media = m
		}
	}
	b := &body{kind: kindOf(media.Type), mediaType: concrete(media.Type)}
	switch b.kind {
	case jsonBody:
		b.value = p.bodyValue(media.Schema)
	case formBody, multipartBody:
		b.value = p.formValue(media.Schema, b.kind)
		b.fields = p.formParts(media.Schema, b)
	case textBody:
		b.value = p.bodyValue(media.Schema)
		b.text = textOf(b.value, media)
	case fileBody:
		b.file, b.value = fileName("upload", b.mediaType), "content"
	}
	p.body = b
}

// concrete is a media type without wildcards, and one that a header can carry.
func concrete(mediaType string) string {
	switch t := baseType(mediaType); {
	case t == "*/*" || t == "application/*" || t == "":
		return jsonType
	case t == "text/*":
		return "text/plain"
	case t == "image/*":
		return "image/png"
	case strings.HasSuffix(t, "/*"):
		return "application/octet-stream"
	}
	if t, parameters, err := mime.ParseMediaType(mediaType); err == nil {
		delete(parameters, "boundary")
		if s := mime.FormatMediaType(t, parameters); s != "" {
			return s
		}
	}
	return "application/octet-stream"
}

// bodyValue is an example of the whole body, with the caller's values in it.
func (p *plan) bodyValue(s *apispec.Schema) any {
	if v, ok := p.values["body"]; ok && !declares(s, "body") && !slices.ContainsFunc(p.op.Parameters, func(q apispec.Parameter) bool { return q.Name == "body" }) {
		return normal(v)
	}
	if s == nil {
		return object{}
	}
	v := example(s, "body", 0)
	if o, ok := v.(object); ok {
		return p.override(o, s)
	}
	return v
}

// override puts the caller's values into a body.
func (p *plan) override(o object, s *apispec.Schema) object {
	o = slices.Clone(o)
	for i, m := range o {
		if v, ok := p.values[m.name]; ok {
			o[i].value = normal(v)
		}
	}
	properties, _ := together(append([]*apispec.Schema{s}, s.OneOf...))
	for _, q := range properties {
		v, ok := p.values[q.Name]
		if ok && !slices.ContainsFunc(o, func(m member) bool { return m.name == clean(q.Name) }) {
			o = append(o, member{clean(q.Name), normal(v)})
		}
	}
	return o
}

func declares(s *apispec.Schema, name string) bool {
	return s != nil && slices.ContainsFunc(s.Properties, func(q apispec.Property) bool { return q.Name == name })
}

// formValue is the example of a form, with credentials from the environment.
// Files that may be sent are what a multipart form is for, so one is.
func (p *plan) formValue(s *apispec.Schema, k bodyKind) object {
	o, _ := p.bodyValue(s).(object)
	for i, m := range o {
		if _, given := p.values[m.name]; !given && secretName.MatchString(m.name) && isText(m.value) {
			o[i].value = credential{p.secret(m.name)}
		}
	}
	if s == nil || k != multipartBody || slices.ContainsFunc(o, func(m member) bool { return isFile(propertyOf(s, m.name)) }) {
		return o
	}
	for _, q := range s.Properties {
		if isFile(q.Schema) && !q.ReadOnly {
			return append(o, member{clean(q.Name), "content"})
		}
	}
	return o
}

func isText(v any) bool { _, ok := v.(string); return ok }

func propertyOf(s *apispec.Schema, name string) *apispec.Schema {
	if s == nil {
		return nil
	}
	for _, part := range append([]*apispec.Schema{s}, s.OneOf...) {
		for _, q := range part.Properties {
			if clean(q.Name) == name {
				return q.Schema
			}
		}
	}
	return nil
}

// isFile recognises a field of a multipart form that is a file, or a list of
// them.
func isFile(s *apispec.Schema) bool {
	if s == nil {
		return false
	}
	return s.Format == "binary" || s.Is("file") || s.Items != nil && isFile(s.Items)
}

// formParts spreads the value of a form.
func (p *plan) formParts(s *apispec.Schema, b *body) (out []field) {
	for _, m := range b.value.(object) {
		_, isObject := m.value.(object)
		switch {
		case m.name == "":
		case b.kind == multipartBody && isFile(propertyOf(s, m.name)):
			out = append(out, field{name: m.name, file: fileName(m.name, "")})
		case b.kind == multipartBody && isObject:
			out = append(out, field{name: m.name, value: literal(compactJSON(m.value))})
		default:
			out = append(out, formFields(m.name, m.value)...)
		}
	}
	return out
}

// extensions are those of file names, by a word of the name or media type.
var extensions = map[string]string{"image": "png", "photo": "png", "picture": "png", "avatar": "png", "logo": "png", "icon": "png", "png": "png",
	"jpeg": "jpg", "gif": "gif", "pdf": "pdf", "document": "pdf", "audio": "mp3", "video": "mp4", "csv": "csv", "zip": "zip", "json": "json", "jsonl": "jsonl"}

func fileName(name, mediaType string) string {
	words := wordsOf(name)
	if len(words) == 0 {
		words = []string{"file"}
	}
	for _, w := range append(words, wordsOf(mediaType)...) {
		if e := extensions[w]; e != "" {
			return strings.Join(words, "-") + "." + e
		}
	}
	return strings.Join(words, "-") + ".bin"
}

// textOf is a value as the text of a body.
func textOf(v any, m apispec.Media) string {
	s, ok := v.(string)
	if ok {
		return s
	}
	if !isXML(baseType(m.Type)) {
		return indentedJSON(v)
	}
	root := "request"
	if m.Schema != nil && xmlName(m.Schema.Ref) {
		root = m.Schema.Ref
	}
	var b strings.Builder
	writeXML(&b, root, v, "")
	return strings.TrimSuffix(b.String(), "\n")
}

func xmlName(s string) bool {
	return s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == "" && (s[0] > '9')
}

// writeXML writes a value as an element, without attributes. Names that XML does
// not allow are left out.
func writeXML(b *strings.Builder, name string, v any, indent string) {
	if !xmlName(name) {
		return
	}
	switch v := v.(type) {
	case object:
		b.WriteString(indent + "<" + name + ">\n")
		for _, m := range v {
			writeXML(b, m.name, m.value, indent+"  ")
		}
		b.WriteString(indent + "</" + name + ">\n")
	case []any:
		for _, e := range v {
			writeXML(b, name, e, indent)
		}
	default:
		b.WriteString(indent + "<" + name + ">")
		_ = xml.EscapeText(b, []byte(strings.Join(scalars(v), ","))) // a strings.Builder takes all
		b.WriteString("</" + name + ">\n")
	}
}
