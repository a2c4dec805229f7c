package codegen

import (
	"slices"
	"strings"
)

var pythonDialect = dialect{special: `\"`, rune: escapeShortLong}

const pythonTaken = `False None True and as assert async await break class continue def del elif else except finally for from global if
	import in is lambda match nonlocal not or pass raise return try while with yield print open os quote requests response query
	str int id list dict type json`

func writePython(p *plan) string {
	s := &python{plan: p, ids: p.identifiers(snakeCase, pythonTaken)}
	s.imports()
	s.comments(p, "", "#")
	for _, v := range p.variables {
		if v.env != "" {
			s.line(s.ids[v], " = os.environ[", pythonDialect.quote(v.env), "]")
		} else {
			s.line(s.ids[v], " = ", pythonDialect.quote(v.value))
		}
	}
	if p.body != nil && p.body.document != "" {
		s.line("query = \"\"\"\n", p.body.document, "\n\"\"\"")
	}
	s.line()
	s.request()
	s.line("if not response.ok:")
	s.line(`    raise SystemExit(f"{response.status_code} {response.reason}: {response.text}")`)
	if p.json {
		s.line("print(response.json())")
	} else {
		s.line("print(response.status_code, response.text)")
	}
	return s.String()
}

type python struct {
	source
	plan *plan
	ids  map[*variable]string
}

func (s *python) imports() {
	hasEnv := slices.ContainsFunc(s.plan.variables, func(v *variable) bool { return v.env != "" })
	hasPath := slices.ContainsFunc(s.plan.variables, func(v *variable) bool { return v.env == "" })
	if hasEnv {
		s.line("import os")
	}
	if hasPath {
		s.line("from urllib.parse import quote")
	}
	if hasEnv || hasPath {
		s.line()
	}
	s.line("import requests\n")
}

// methods with a function of their own in requests.
var usualMethods = []string{"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"}

func (s *python) request() {
	p := s.plan
	if slices.Contains(usualMethods, p.method) {
		s.line("response = requests.", strings.ToLower(p.method), "(")
	} else {
		s.line("response = requests.request(\n    ", pythonDialect.quote(p.method), ",")
	}
	s.line("    ", s.text(p.url), ",")
	s.pairs("params", p.query)
	headers := p.headers
	b := p.body
	if b != nil && !s.implied(b) {
		headers = append(headers[:len(headers):len(headers)], field{name: "Content-Type", value: literal(b.mediaType)})
	}
	s.pairs("headers", headers)
	if p.user != nil {
		s.line("    auth=(", s.ids[p.user], ", ", s.ids[p.password], "),")
	}
	if b != nil {
		s.body(b)
	}
	s.line("    timeout=30,\n)")
}

// implied reports whether requests sets the content type of a body.
func (s *python) implied(b *body) bool {
	switch b.kind {
	case multipartBody:
		return true
	case jsonBody:
		return b.mediaType == jsonType
	case formBody:
		return b.mediaType == formType && len(b.fields) > 0
	}
	return false
}

func (s *python) body(b *body) {
	switch b.kind {
	case jsonBody:
		syntax := syntax{object: [2]string{"{", "}"}, list: [2]string{"[", "]"}, noMembers: "{}", pair: ": ", quote: pythonDialect.quote,
			null: "None", yes: "True", no: "False", document: "query", indent: "    ", comma: true}
		s.line("    json=", syntax.value(b.value, "    "), ",")
	case formBody:
		s.pairs("data", b.fields)
	case multipartBody:
		s.line("    files=[")
		for _, f := range b.fields {
			value := "(None, " + s.text(f.value) + ")"
			if f.file != "" {
				value = "open(" + pythonDialect.quote(f.file) + `, "rb")`
			}
			s.line("        (", pythonDialect.quote(f.name), ", ", value, "),")
		}
		s.line("    ],")
	case textBody:
		s.line("    data=", pythonDialect.quote(b.text), ".encode(),")
	case fileBody:
		s.line("    data=open(", pythonDialect.quote(b.file), `, "rb"),`)
	}
}

// pairs writes an argument that is a dictionary; a name that comes again makes
// its values a list.
func (s *python) pairs(argument string, fields []field) {
	if len(fields) == 0 {
		return
	}
	s.line("    ", argument, "={")
	for _, g := range grouped(fields) {
		values := make([]string, len(g.values))
		for i, f := range g.values {
			if values[i] = s.text(f.value); f.number {
				values[i], _ = f.value.plain()
			}
		}
		value := values[0]
		if len(values) > 1 {
			value = "[" + strings.Join(values, ", ") + "]"
		}
		s.line("        ", pythonDialect.quote(g.name), ": ", value, ",")
	}
	s.line("    },")
}

// group is the values of one name.
type group struct {
	name   string
	values []field
}

func grouped(fields []field) (out []group) {
	for _, f := range fields {
		at := slices.IndexFunc(out, func(g group) bool { return g.name == f.name })
		if at < 0 {
			at = len(out)
			out = append(out, group{name: f.name})
		}
		out[at].values = append(out[at].values, f)
	}
	return out
}

func (s *python) text(t text) string {
	t = t.merged()
	if plain, ok := t.plain(); ok {
		return pythonDialect.quote(plain)
	}
	if len(t) == 1 && !t[0].encode {
		return s.ids[t[0].variable]
	}
	braces := strings.NewReplacer("{", "{{", "}", "}}")
	return `f"` + t.interpolate(func(l string) string { return braces.Replace(pythonDialect.escape(l)) }, func(p part) string {
		if p.encode {
			return "{quote(" + s.ids[p.variable] + ", safe='')}"
		}
		return "{" + s.ids[p.variable] + "}"
	}) + `"`
}
