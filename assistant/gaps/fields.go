package gaps

import (
	"fmt"
	"strings"

	"github.com/api-assistant/api-assistant/assistant/apispec"
)

// Bounds of what is looked at in a schema.
const (
	maxDepth  = 5
	maxFields = 1000
)

// walk looks at all fields of a schema.
type walk struct {
	fields                         int
	exampled                       bool // some value has an example, or is one
	undocumented, untyped, unclear list
}

// list is how many fields there are of a sort, and the first of them.
type list struct {
	count int
	first []string
}

func (l *list) add(name string) {
	if l.count++; len(l.first) < 5 {
		l.first = append(l.first, short(name))
	}
}

func (l list) String() string {
	out := strings.Join(l.first, ", ")
	if more := l.count - len(l.first); more > 0 {
		out += fmt.Sprintf(" and %d more", more)
	}
	return out
}

// schema visits a schema whose name so far is at ("address.street").
func (w *walk) schema(s *apispec.Schema, at string, depth int) {
	if s == nil || depth == maxDepth || w.fields >= maxFields {
		return
	}
	w.exampled = w.exampled || s.Example != nil
	for _, p := range s.Properties {
		name := p.Name
		if at != "" {
			name = at + "." + p.Name
		}
		w.field(p, name)
		w.schema(p.Schema, name, depth+1)
	}
	w.schema(s.Items, at, depth+1)
	for _, one := range s.OneOf {
		w.schema(one, at, depth+1)
	}
}

func (w *walk) field(p apispec.Property, name string) {
	if w.fields++; p.ReadOnly {
		return // nothing to send
	}
	if p.Schema == nil || p.Schema.Description == "" && !p.Schema.Cut {
		w.undocumented.add(name)
	}
	if untyped(p.Schema) {
		w.untyped.add(name)
	}
	if unclear(p.Name) && (p.Schema == nil || p.Schema.Description == "") {
		w.unclear.add(name)
	}
}

// untyped reports whether a schema says nothing of the type of a value.
func untyped(s *apispec.Schema) bool {
	return s == nil || len(s.Types) == 0 && len(s.Enum) == 0 && len(s.OneOf) == 0 && len(s.Properties) == 0 && s.Items == nil && s.Ref == "" && !s.Cut
}
