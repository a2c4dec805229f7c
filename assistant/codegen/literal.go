package codegen

import (
	"encoding/json"
	"fmt"
	"strings"
)

// syntax says how a language writes down a nested value.
type syntax struct {
	object, list  [2]string // around members and elements
	noMembers     string    // an empty object
	pair          string    // between name and value
	key           [2]string // around a quoted name
	quote         func(string) string
	name          func(string) string // of a member; nil: quote
	before        func(object) string // what stands before an object; nil: nothing
	null, yes, no string
	number        func(float64) string // nil: number
	document      string               // the variable with the GraphQL document
	indent        string
	comma         bool // after the last one too
}

// value writes a value whose first line stands at an indentation.
func (s syntax) value(v any, indent string) string {
	switch v := v.(type) {
	case nil:
		return s.null
	case bool:
		if v {
			return s.yes
		}
		return s.no
	case float64:
		if s.number != nil {
			return s.number(v)
		}
		return number(v)
	case string:
		return s.quote(v)
	case reference:
		return s.document
	case []any:
		items := make([]string, len(v))
		for i, e := range v {
			items[i] = s.value(e, indent+s.indent)
		}
		return s.block(s.list, items, indent, s.short(v, items))
	case object:
		if len(v) == 0 {
			return s.noMembers
		}
		items := make([]string, len(v))
		for i, m := range v {
			quote := s.quote
			if s.name != nil {
				quote = s.name
			}
			items[i] = s.key[0] + quote(m.name) + s.key[1] + s.pair + s.value(m.value, indent+s.indent)
		}
		around := s.object
		if s.before != nil {
			around[0] = s.before(v) + around[0]
		}
		return s.block(around, items, indent, false)
	}
	return s.null
}

// short reports whether a list fits on a line: scalars, and few.
func (s syntax) short(v []any, items []string) bool {
	for _, e := range v {
		switch e.(type) {
		case object, []any:
			return false
		}
	}
	return len(strings.Join(items, ", ")) <= 60
}

func (s syntax) block(around [2]string, items []string, indent string, short bool) string {
	if len(items) == 0 || short {
		return around[0] + strings.Join(items, ", ") + around[1]
	}
	last := ""
	if s.comma {
		last = ","
	}
	inner := "\n" + indent + s.indent
	return strings.TrimSpace(around[0]) + inner + strings.Join(items, ","+inner) + last + "\n" + indent + strings.TrimSpace(around[1])
}

var jsonSyntax = syntax{object: [2]string{"{", "}"}, list: [2]string{"[", "]"}, noMembers: "{}", pair: ": ",
	quote: quoteJSON, null: "null", yes: "true", no: "false", indent: "  "}

// quoteJSON is a JSON string in ASCII, so that no byte of it means anything to
// the shell of a terminal or to a compiler that guesses encodings. Letters beyond
// ASCII stay readable.
func quoteJSON(s string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a string can always be encoded
	return escapeInvisible(strings.TrimSuffix(b.String(), "\n"), func(r rune) string {
		if r > 0xffff {
			r -= 0x10000
			return fmt.Sprintf(`\u%04x\u%04x`, 0xd800+(r>>10), 0xdc00+(r&0x3ff))
		}
		return fmt.Sprintf(`\u%04x`, r)
	})
}

// indentedJSON and compactJSON are a value as JSON.
func indentedJSON(v any) string { return jsonSyntax.value(v, "") }

func compactJSON(v any) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(plainValue(v)) // made of what JSON can say
	return strings.TrimSuffix(b.String(), "\n")
}
