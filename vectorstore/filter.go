package vectorstore

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Filter selects documents. The set of filters is closed: the types of this
// package are all there are, so that every store can translate or evaluate
// each of them. A nil Filter matches every document; see Matches.
//
// A leaf looks at one metadata field, with one meaning in every store:
//
//   - If the document does not have the field, the leaf is false, also a negative
//     one (Ne, NotIn, NotContains).
//   - If the value is a list, a positive leaf is true if it is for any element. A
//     negative leaf is true if its positive one is false.
//   - Equality (Eq, Ne, In, NotIn): null equals null only; everything else compares
//     by its text form, so the string "2" equals the number 2, which equals 2.0.
//   - Order (Gt, Gte, Lt, Lte): two numbers compare as numbers, two strings byte by
//     byte (so RFC 3339 times in UTC compare as times); anything else is false.
//   - Contains, NotContains, StartsWith, EndsWith and Regex look at the text form,
//     case-sensitively.
//
// The text form of a string is itself; that of a number, a boolean or null is its
// JSON.
type Filter interface {
	// Match reports whether the filter selects d. It is the reference meaning
	// that every store must agree with.
	Match(d Document) bool

	filter()
}

// Matches is f.Match, with a nil filter matching everything.
func Matches(f Filter, d Document) bool { return f == nil || f.Match(d) }

// The leaves that compare a value: a string, a bool, any Go number, or nil.
type (
	Eq struct { // equal
		Field string
		Value any
	}
	Ne struct { // there, and not equal
		Field string
		Value any
	}
	Gt struct { // greater than a number or a string
		Field string
		Value any
	}
	Gte struct { // greater or equal
		Field string
		Value any
	}
	Lt struct { // less
		Field string
		Value any
	}
	Lte struct { // less or equal
		Field string
		Value any
	}
	In struct { // equal to one of them
		Field  string
		Values []any
	}
	NotIn struct { // there, and equal to none of them
		Field  string
		Values []any
	}
)

// The leaves that look into the text form of a value.
type (
	Contains    struct{ Field, Value string } // has it as a part
	NotContains struct{ Field, Value string } // is there, and has it not
	StartsWith  struct{ Field, Value string }
	EndsWith    struct{ Field, Value string }
	Regex       struct { // is matched anywhere by an RE2 expression; make it with NewRegex (without one it is false)
		Field      string
		Expression *regexp.Regexp
	}
)

// The leaves that look at the document itself.
type (
	ContentContains    struct{ Value string } // the content has it as a part
	ContentNotContains struct{ Value string }
	InSource           struct{ Name string } // Document.Source is Name
)

// The filters made of filters. An empty And is true, an empty Or false.
type (
	And []Filter
	Or  []Filter
	Not struct{ Filter Filter }
)

// maxRegex bounds the length of a regular expression in bytes. RE2 matches in
// time linear in the text, but compiled expressions take memory.
const maxRegex = 1000

// NewRegex compiles the expression of a Regex filter (RE2 syntax, at most 1,000
// bytes).
func NewRegex(field, expression string) (Regex, error) {
	if len(expression) > maxRegex {
		return Regex{}, fmt.Errorf("the regular expression has %d bytes, at most %d are allowed", len(expression), maxRegex)
	}
	re, err := regexp.Compile(expression)
	if err != nil {
		return Regex{}, fmt.Errorf("not an RE2 expression: %w", err)
	}
	return Regex{Field: field, Expression: re}, nil
}

// anyElement reports whether the field is there and holds for the value, or for an
// element of the list.
func anyElement(d Document, field string, holds func(v any) bool) (found, there bool) {
	v, there := d.Metadata[field]
	if !there {
		return false, false
	}
	switch list := v.(type) {
	case []any:
		return slices.ContainsFunc(list, holds), true
	case []string:
		return slices.ContainsFunc(list, func(s string) bool { return holds(s) }), true
	}
	return holds(v), true
}

func positive(d Document, field string, holds func(v any) bool) bool {
	found, _ := anyElement(d, field, holds)
	return found
}

func negative(d Document, field string, holds func(v any) bool) bool {
	found, there := anyElement(d, field, holds)
	return there && !found
}

func (f Eq) equal(v any) bool { return equal(v, f.Value) }

// Match implements Filter.
func (f Eq) Match(d Document) bool { return positive(d, f.Field, f.equal) }

// Match implements Filter.
func (f Ne) Match(d Document) bool { return negative(d, f.Field, Eq(f).equal) }

// Match implements Filter.
func (f Gt) Match(d Document) bool {
	return positive(d, f.Field, func(v any) bool { c, ok := order(v, f.Value); return ok && c > 0 })
}

// Match implements Filter.
func (f Gte) Match(d Document) bool {
	return positive(d, f.Field, func(v any) bool { c, ok := order(v, f.Value); return ok && c >= 0 })
}

// Match implements Filter.
func (f Lt) Match(d Document) bool {
	return positive(d, f.Field, func(v any) bool { c, ok := order(v, f.Value); return ok && c < 0 })
}

// Match implements Filter.
func (f Lte) Match(d Document) bool {
	return positive(d, f.Field, func(v any) bool { c, ok := order(v, f.Value); return ok && c <= 0 })
}

func (f In) among(v any) bool {
	return slices.ContainsFunc(f.Values, func(want any) bool { return equal(v, want) })
}

// Match implements Filter.
func (f In) Match(d Document) bool { return positive(d, f.Field, f.among) }

// Match implements Filter.
func (f NotIn) Match(d Document) bool { return negative(d, f.Field, In(f).among) }

func (f Contains) in(v any) bool { return strings.Contains(textForm(v), f.Value) }

// Match implements Filter.
func (f Contains) Match(d Document) bool { return positive(d, f.Field, f.in) }

// Match implements Filter.
func (f NotContains) Match(d Document) bool { return negative(d, f.Field, Contains(f).in) }

// Match implements Filter.
func (f StartsWith) Match(d Document) bool {
	return positive(d, f.Field, func(v any) bool { return strings.HasPrefix(textForm(v), f.Value) })
}

// Match implements Filter.
func (f EndsWith) Match(d Document) bool {
	return positive(d, f.Field, func(v any) bool { return strings.HasSuffix(textForm(v), f.Value) })
}

// Match implements Filter.
func (f Regex) Match(d Document) bool {
	return f.Expression != nil && positive(d, f.Field, func(v any) bool { return f.Expression.MatchString(textForm(v)) })
}

// Match implements Filter.
func (f ContentContains) Match(d Document) bool { return strings.Contains(d.Content, f.Value) }

// Match implements Filter.
func (f ContentNotContains) Match(d Document) bool { return !strings.Contains(d.Content, f.Value) }

// Match implements Filter.
func (f InSource) Match(d Document) bool { return d.Source == f.Name }

// Match implements Filter.
func (f And) Match(d Document) bool {
	return !slices.ContainsFunc(f, func(f Filter) bool { return !Matches(f, d) })
}

// Match implements Filter.
func (f Or) Match(d Document) bool {
	return slices.ContainsFunc(f, func(f Filter) bool { return Matches(f, d) })
}

// Match implements Filter.
func (f Not) Match(d Document) bool { return !Matches(f.Filter, d) }

func (Eq) filter()                 {}
func (Ne) filter()                 {}
func (Gt) filter()                 {}
func (Gte) filter()                {}
func (Lt) filter()                 {}
func (Lte) filter()                {}
func (In) filter()                 {}
func (NotIn) filter()              {}
func (Contains) filter()           {}
func (NotContains) filter()        {}
func (StartsWith) filter()         {}
func (EndsWith) filter()           {}
func (Regex) filter()              {}
func (ContentContains) filter()    {}
func (ContentNotContains) filter() {}
func (InSource) filter()           {}
func (And) filter()                {}
func (Or) filter()                 {}
func (Not) filter()                {}
