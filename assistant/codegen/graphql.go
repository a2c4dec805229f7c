package codegen

import (
	"regexp"
	"strings"

	"github.com/api-assistant/api-assistant/assistant/apispec"
)

// reference stands in a body for the GraphQL document, which has a variable of
// its own in the code.
type reference struct{}

// Limits of a selection.
const (
	maxSelected       = 10 // scalar fields of one object
	maxSelectedNested = 3  // objects inside of the answer
)

var graphqlName = regexp.MustCompile(`^[_A-Za-z][_0-9A-Za-z]*$`)

// graphql plans a request to a GraphQL server: a document with variables.
func (p *plan) graphql(override string) {
	p.method = "POST"
	if base, ok := cleanServer(override); ok && override != "" {
		p.url = literal(base)
	} else {
		p.url = literal(p.base(""))
		if len(p.op.Servers) == 0 {
			p.url = append(p.url, part{literal: "/graphql"})
		}
	}
	p.authenticate()
	if p.op.Method == "subscription" {
		p.comment("Subscriptions need a server that answers them over HTTP")
	}
	var declared, passed []string
	variables := object{}
	for _, a := range p.op.Parameters {
		if _, asked := p.values[a.Name]; !graphqlName.MatchString(a.Name) || !a.Required && !asked {
			continue
		}
		declared = append(declared, "$"+a.Name+": "+graphqlType(a.Schema)+"!")
		passed = append(passed, a.Name+": $"+a.Name)
		variables = append(variables, member{a.Name, p.value(a.Name, a.Schema)})
	}
	var b strings.Builder
	kind := p.op.Method
	if kind != "mutation" && kind != "subscription" {
		kind = "query"
	}
	b.WriteString(kind + list(" (", declared, ")") + " {\n  " + fieldName(p.op.Path) + list("(", passed, ")"))
	if s := p.graphqlAnswer(); s != nil {
		selection(&b, s, "  ", 0)
	}
	b.WriteString("\n}")
	value := object{{"query", reference{}}}
	if len(variables) > 0 {
		value = append(value, member{"variables", variables})
	}
	p.body = &body{kind: jsonBody, mediaType: jsonType, value: value, document: b.String()}
	p.json = true
}

func fieldName(s string) string {
	if graphqlName.MatchString(s) {
		return s
	}
	return "__typename" // no field has such a name
}

func list(open string, items []string, end string) string {
	if len(items) == 0 {
		return ""
	}
	return open + strings.Join(items, ", ") + end
}

func (p *plan) graphqlAnswer() *apispec.Schema {
	for _, r := range p.op.Responses {
		if r.Success() && len(r.Content) > 0 {
			return r.Content[0].Schema
		}
	}
	return nil
}

var graphqlScalars = map[string]string{"integer": "Int", "number": "Float", "boolean": "Boolean", "string": "String"}

// graphqlType is the type of a variable. Inner types are not null, which suits
// arguments that may be null too.
func graphqlType(s *apispec.Schema) string {
	switch {
	case s == nil:
		return "String"
	case s.Items != nil:
		return "[" + graphqlType(s.Items) + "!]"
	case graphqlName.MatchString(s.Ref):
		return s.Ref
	case s.Format == "ID":
		return "ID"
	}
	for _, t := range s.Types {
		if name := graphqlScalars[t]; name != "" {
			return name
		}
	}
	return "String"
}

// selection writes which fields of an answer are wanted: the scalars, and those
// of a few objects in it. Scalars have no selection.
func selection(b *strings.Builder, s *apispec.Schema, indent string, depth int) {
	for s.Items != nil {
		s = s.Items
	}
	if !s.Is("object") {
		return
	}
	b.WriteString(" {\n")
	selected, nested := 0, 0
	for _, p := range s.Properties {
		if p.Schema == nil || p.NeedsArguments || !graphqlName.MatchString(p.Name) {
			continue
		}
		inner := p.Schema
		for inner.Items != nil {
			inner = inner.Items
		}
		if inner.Is("object") {
			if depth > 0 || nested == maxSelectedNested || len(inner.Properties) == 0 {
				continue
			}
			nested++
		} else if selected++; selected > maxSelected {
			continue
		}
		b.WriteString(indent + "  " + p.Name)
		selection(b, p.Schema, indent+"  ", depth+1)
		b.WriteString("\n")
	}
	if selected+nested == 0 {
		b.WriteString(indent + "  __typename\n")
	}
	b.WriteString(indent + "}")
}

// oneLineDocument is a GraphQL document without line breaks, which mean nothing
// in it.
func oneLineDocument(s string) string { return strings.Join(strings.Fields(s), " ") }
