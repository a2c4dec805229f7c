package verify

import (
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"

	"github.com/api-assistant/api-assistant/assistant/apispec"
)

const maxDocument = 20_000 // tokens

// graphQL checks a document against the fields of the root types: that they exist,
// that their required arguments are there, and no others. What a schema and not a
// query is, or no GraphQL at all, is left alone.
func (c *checker) graphQL(b block) {
	if !c.graphql {
		return
	}
	doc, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: c.text[b.start:b.end]}, maxDocument)
	if err != nil {
		return
	}
	for _, op := range doc.Operations {
		c.selections(b, string(op.Operation), op.SelectionSet, doc, 0)
	}
}

func (c *checker) selections(b block, kind string, set ast.SelectionSet, doc *ast.QueryDocument, depth int) {
	if depth > 10 {
		return
	}
	for _, s := range set {
		switch s := s.(type) {
		case *ast.Field:
			c.rootField(b, kind, s)
		case *ast.InlineFragment:
			c.selections(b, kind, s.SelectionSet, doc, depth+1)
		case *ast.FragmentSpread:
			if f := doc.Fragments.ForName(s.Name); f != nil {
				c.selections(b, kind, f.SelectionSet, doc, depth+1)
			}
		}
	}
}

func (c *checker) rootField(b block, kind string, f *ast.Field) {
	if len(f.Name) > 1 && f.Name[:2] == "__" || f.Position == nil || len(c.requests) >= maxRequests {
		return
	}
	r := c.resolve(kind, f.Name)
	if r.Status == apispec.NotChecked {
		return
	}
	start := runeOffset(c.text[b.start:b.end], f.Position.Start) + b.start
	if f.Alias != f.Name {
		start = after(c.text[:b.end], start, f.Name)
	}
	if end := start + len(f.Name); end <= b.end && c.text[start:end] == f.Name {
		c.add(start, end, kind, f.Name, r)
	}
	out := Code{Index: b.index, Language: string(graphqlLanguage), Request: kind + " " + f.Name, Problems: []string{}, Nearest: r.Nearest}
	if op := r.Operation; op != nil {
		out.Operation = op.Endpoint()
		var names []string
		for _, a := range f.Arguments {
			names = append(names, a.Name)
		}
		for _, p := range op.CheckArguments(names) {
			out.Problems = append(out.Problems, p.String())
		}
	}
	c.requests = append(c.requests, out)
}

// runeOffset is the place in bytes of a place in characters.
func runeOffset(s string, runes int) int {
	for i := range s {
		if runes == 0 {
			return i
		}
		runes--
	}
	return len(s)
}

// after is where a word stands behind an alias.
func after(text string, at int, word string) int {
	colon := strings.IndexByte(text[at:], ':')
	if colon < 0 {
		return at
	}
	if i := strings.Index(text[at+colon:], word); i >= 0 {
		return at + colon + i
	}
	return at
}
