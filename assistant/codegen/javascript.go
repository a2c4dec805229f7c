package codegen

import (
	"slices"
	"strings"

	"github.com/api-assistant/api-assistant/assistant/apispec"
)

var (
	scriptDialect   = dialect{special: `\"`, rune: escapeBraces}
	templateDialect = dialect{special: "\\`$", rune: escapeBraces}
)

const scriptTaken = `await break case catch class const continue debugger default delete do else enum export extends false finally for
	function if implements import in instanceof interface let new null package private protected public return static super switch this
	throw true try typeof undefined var void while with yield arguments eval async
	process fetch url form data query response answer readFile console URL FormData Blob`

func writeJavaScript(p *plan) string { return writeScript(p, false) }
func writeTypeScript(p *plan) string { return writeScript(p, true) }

type script struct {
	source
	plan  *plan
	ids   map[*variable]string
	typed bool
}

func writeScript(p *plan, typed bool) string {
	s := &script{plan: p, ids: p.identifiers(camelCase, scriptTaken), typed: typed}
	if p.body != nil && (p.body.kind == fileBody || slices.ContainsFunc(p.body.fields, func(f field) bool { return f.file != "" })) {
		s.line("import { readFile } from \"node:fs/promises\";\n")
	}
	s.comments(p, "", "//")
	answer := ""
	if typed && p.json {
		answer = s.answerType()
	}
	s.variables()
	s.query()
	s.form()
	s.request()
	s.line("if (!response.ok) {")
	s.line("  throw new Error(`${response.status} ${response.statusText}: ${await response.text()}`);")
	s.line("}")
	switch {
	case answer != "":
		s.line("const answer = (await response.json()) as ", answer, ";")
		s.line("console.log(answer);")
	case p.json:
		s.line("console.log(await response.json());")
	default:
		s.line("console.log(response.status, await response.text());")
	}
	if typed && !strings.HasPrefix(s.String(), "import ") {
		s.line("\nexport {}; // a module, so that await may stand here")
	}
	return s.String()
}

func (s *script) variables() {
	for _, v := range s.plan.variables {
		switch {
		case v.env == "":
			s.line("const ", s.ids[v], " = ", scriptDialect.quote(v.value), ";")
		case s.typed:
			s.line("const ", s.ids[v], ": string = process.env.", v.env, ` ?? "";`)
		default:
			s.line("const ", s.ids[v], " = process.env.", v.env, ` ?? "";`)
		}
	}
	if s.plan.body != nil && s.plan.body.document != "" {
		s.line("const query = `\n", s.plan.body.document, "\n`;")
	}
	if len(s.plan.variables) > 0 || s.plan.body != nil && s.plan.body.document != "" {
		s.line()
	}
}

func (s *script) query() {
	if len(s.plan.query) == 0 {
		return
	}
	s.line("const url = new URL(", s.text(s.plan.url), ");")
	for _, q := range s.plan.query {
		s.line("url.searchParams.append(", scriptDialect.quote(q.name), ", ", s.text(q.value), ");")
	}
	s.line()
}

func (s *script) form() {
	b := s.plan.body
	if b == nil || b.kind != formBody && b.kind != multipartBody {
		return
	}
	class := "URLSearchParams"
	if b.kind == multipartBody {
		class = "FormData"
	}
	s.line("const form = new ", class, "();")
	for _, f := range b.fields {
		if f.file != "" {
			file := scriptDialect.quote(f.file)
			s.line("form.append(", scriptDialect.quote(f.name), ", new Blob([await readFile(", file, ")]), ", file, ");")
		} else {
			s.line("form.append(", scriptDialect.quote(f.name), ", ", s.text(f.value), ");")
		}
	}
	s.line()
}

func (s *script) request() {
	p := s.plan
	address := "url"
	if len(p.query) == 0 {
		address = s.text(p.url)
	}
	s.line("const response = await fetch(", address, ", {")
	if p.method != "GET" {
		s.line("  method: ", scriptDialect.quote(p.method), ",")
	}
	headers := make([]string, 0, len(p.headers)+2)
	for _, h := range p.headers {
		headers = append(headers, scriptKey(h.name)+": "+s.text(h.value))
	}
	if p.user != nil {
		headers = append(headers, "Authorization: `Basic ${btoa(`${"+s.ids[p.user]+"}:${"+s.ids[p.password]+"}`)}`")
	}
	if b := p.body; b != nil && b.kind != multipartBody && b.mediaType != formType {
		headers = append(headers, scriptKey("Content-Type")+": "+scriptDialect.quote(b.mediaType))
	}
	if len(headers) > 0 {
		s.line("  headers: {\n    ", strings.Join(headers, ",\n    "), ",\n  },")
	}
	if p.body != nil {
		s.line("  body: ", s.body(p.body), ",")
	}
	s.line("  signal: AbortSignal.timeout(30_000),\n});")
}

func (s *script) body(b *body) string {
	switch b.kind {
	case jsonBody:
		syntax := syntax{object: [2]string{"{", "}"}, list: [2]string{"[", "]"}, noMembers: "{}", pair: ": ", quote: scriptDialect.quote,
			null: "null", yes: "true", no: "false", document: "query", indent: "  ", comma: true, name: scriptKey}
		return "JSON.stringify(" + syntax.value(b.value, "  ") + ")"
	case formBody, multipartBody:
		return "form"
	case textBody:
		return scriptDialect.quote(b.text)
	}
	return "await readFile(" + scriptDialect.quote(b.file) + ")"
}

// scriptKey is a name in an object, quoted where it must be. __proto__ would set
// the prototype instead, unless it is computed.
func scriptKey(name string) string {
	switch {
	case name == "__proto__":
		return `["__proto__"]`
	case isIdentifier(name):
		return name
	}
	return scriptDialect.quote(name)
}

func isIdentifier(s string) bool {
	return s != "" && (s[0] < '0' || s[0] > '9') && len(s) <= maxName &&
		strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == ""
}

func (s *script) text(t text) string {
	t = t.merged()
	if plain, ok := t.plain(); ok {
		return scriptDialect.quote(plain)
	}
	if len(t) == 1 && !t[0].encode {
		return s.ids[t[0].variable]
	}
	return "`" + t.interpolate(templateDialect.escape, func(p part) string {
		if p.encode {
			return "${encodeURIComponent(" + s.ids[p.variable] + ")}"
		}
		return "${" + s.ids[p.variable] + "}"
	}) + "`"
}

// answerType declares the type of the answer, and returns its name.
func (s *script) answerType() string {
	schema := s.plan.answer
	if s.plan.op.Kind == apispec.GraphQL || schema == nil {
		return ""
	}
	t := typeOf(schema, "", 0)
	if t == "unknown" {
		return ""
	}
	s.line("type Answer = ", t, ";\n")
	return "Answer"
}

// Limits of a type.
const (
	maxTypeDepth  = 2
	maxTypeFields = 20
	maxTypeUnion  = 6
)

// typeOf is a schema as a type of TypeScript.
func typeOf(s *apispec.Schema, indent string, depth int) string {
	if s == nil {
		return "unknown"
	}
	var t string
	switch kind(s) {
	case "string":
		t = "string"
		if union := enumType(s.Enum); union != "" {
			t = union
		}
	case "integer", "number":
		t = "number"
	case "boolean":
		t = "boolean"
	case "null":
		return "null"
	case "array":
		if t = typeOf(s.Items, indent, depth); strings.Contains(t, "|") && (t[0] != '{' || strings.HasSuffix(t, "null")) {
			t = "(" + t + ")"
		}
		t += "[]"
	case "object":
		t = objectType(s, indent, depth)
	default:
		return "unknown"
	}
	if s.Is("null") {
		t += " | null"
	}
	return t
}

func enumType(enum []any) string {
	if len(enum) == 0 || len(enum) > maxTypeUnion {
		return ""
	}
	var out []string
	for _, v := range enum {
		text, ok := v.(string)
		if !ok {
			return ""
		}
		out = append(out, scriptDialect.quote(clean(text)))
	}
	return strings.Join(out, " | ")
}

func objectType(s *apispec.Schema, indent string, depth int) string {
	if depth == maxTypeDepth || len(s.Properties) == 0 {
		return "Record<string, unknown>"
	}
	var b strings.Builder
	b.WriteString("{\n")
	for i, p := range s.Properties {
		if i == maxTypeFields {
			b.WriteString(indent + "  // and more\n")
			break
		}
		optional := "?"
		if p.Required {
			optional = ""
		}
		key := scriptKey(clean(p.Name))
		b.WriteString(indent + "  " + key + optional + ": " + typeOf(p.Schema, indent+"  ", depth+1) + ";\n")
	}
	b.WriteString(indent + "}")
	return b.String()
}
