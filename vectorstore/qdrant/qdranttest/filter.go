package qdranttest

import (
	"slices"

	qc "github.com/qdrant/go-client/qdrant"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// matcher decides whether a point is selected.
type matcher func(*point) bool

// maxNesting is how deep Qdrant's decoder follows messages inside of messages.
const maxNesting = 100

// compile makes a matcher of a filter; nil and the empty one select everything.
func compile(f *qc.Filter) (matcher, error) {
	return compileFilter(f, 1)
}

func compileFilter(f *qc.Filter, nesting int) (matcher, error) {
	if nesting > maxNesting {
		return nil, status.Error(codes.Internal, "failed to decode Protobuf message: recursion limit reached")
	}
	must, err := compileAll(f.GetMust(), nesting)
	if err != nil {
		return nil, err
	}
	should, err := compileAll(f.GetShould(), nesting)
	if err != nil {
		return nil, err
	}
	mustNot, err := compileAll(f.GetMustNot(), nesting)
	if err != nil {
		return nil, err
	}
	enough, err := compileAll(f.GetMinShould().GetConditions(), nesting)
	if err != nil {
		return nil, err
	}
	return func(p *point) bool {
		holds := func(m matcher) bool { return m(p) }
		return !slices.ContainsFunc(must, func(m matcher) bool { return !m(p) }) &&
			(len(should) == 0 || slices.ContainsFunc(should, holds)) &&
			!slices.ContainsFunc(mustNot, holds) &&
			(f.GetMinShould() == nil || count(enough, p) >= f.GetMinShould().GetMinCount())
	}, nil
}

func count(all []matcher, p *point) (n uint64) {
	for _, m := range all {
		if m(p) {
			n++
		}
	}
	return n
}

func compileAll(conditions []*qc.Condition, nesting int) ([]matcher, error) {
	var out []matcher
	for _, c := range conditions {
		m, err := compileCondition(c, nesting+1)
		if err != nil {
			return nil, err
		}
		out = append(out, m)
	}
	return out, nil
}

func compileCondition(c *qc.Condition, nesting int) (matcher, error) {
	switch c := c.GetConditionOneOf().(type) {
	case *qc.Condition_Filter:
		return compileFilter(c.Filter, nesting+1)
	case *qc.Condition_Field:
		return compileField(c.Field)
	case *qc.Condition_IsEmpty:
		return compileValues(c.IsEmpty.GetKey(), isEmpty)
	case *qc.Condition_IsNull:
		return compileValues(c.IsNull.GetKey(), isNull)
	case *qc.Condition_HasId:
		keys := make(map[string]bool)
		for _, id := range c.HasId.GetHasId() {
			key, _, err := parseID(id)
			if err != nil {
				return nil, err
			}
			keys[key] = true
		}
		return func(p *point) bool { return keys[p.key] }, nil
	case *qc.Condition_HasVector:
		name := c.HasVector.GetHasVector()
		return func(p *point) bool {
			_, isDense := p.dense[name]
			_, isSparse := p.sparse[name]
			return isDense || isSparse
		}, nil
	case *qc.Condition_Nested:
		return compileNested(c.Nested, nesting)
	}
	return nil, wrong("Malformed condition type")
}

// compileNested applies a filter to each of the objects at a path.
func compileNested(n *qc.NestedCondition, nesting int) (matcher, error) {
	matches, err := compileFilter(n.GetFilter(), nesting+1)
	if err != nil {
		return nil, err
	}
	return compileValues(n.GetKey(), func(values []*qc.Value) bool {
		return slices.ContainsFunc(elements(values), func(v *qc.Value) bool {
			object := v.GetStructValue()
			return object != nil && matches(&point{payload: object.GetFields()})
		})
	})
}

// compileValues makes a matcher of a test of the values at a path.
func compileValues(key string, test func([]*qc.Value) bool) (matcher, error) {
	path, err := parsePath(key)
	if err != nil {
		return nil, err
	}
	return func(p *point) bool { return test(path.values(p.payload)) }, nil
}

func compileField(f *qc.FieldCondition) (matcher, error) {
	var tests []func([]*qc.Value) bool
	if f.GetMatch() != nil {
		test, err := matchTest(f.GetMatch())
		if err != nil {
			return nil, err
		}
		tests = append(tests, anyOf(test))
	}
	if r := f.GetRange(); r != nil {
		tests = append(tests, anyOf(func(v *qc.Value) bool { return inRange(v, r) }))
	}
	if c := f.GetValuesCount(); c != nil {
		tests = append(tests, func(values []*qc.Value) bool {
			if len(values) == 0 {
				return countIn(0, c)
			}
			return slices.ContainsFunc(values, func(v *qc.Value) bool { return countIn(size(v), c) })
		})
	}
	if f.IsEmpty != nil {
		tests = append(tests, func(values []*qc.Value) bool { return isEmpty(values) == f.GetIsEmpty() })
	}
	if f.IsNull != nil {
		tests = append(tests, func(values []*qc.Value) bool { return isNull(values) == f.GetIsNull() })
	}
	switch len(tests) {
	case 0:
		return nil, unimplemented("this condition on a field")
	case 1:
		return compileValues(f.GetKey(), tests[0])
	}
	return nil, wrong("Malformed field condition: more than one condition")
}

// anyOf makes a test of one value a test of many, of which lists count as their
// elements.
func anyOf(test func(*qc.Value) bool) func([]*qc.Value) bool {
	return func(values []*qc.Value) bool { return slices.ContainsFunc(elements(values), test) }
}

func elements(values []*qc.Value) []*qc.Value {
	var out []*qc.Value
	for _, v := range values {
		if list, ok := v.GetKind().(*qc.Value_ListValue); ok {
			out = append(out, list.ListValue.GetValues()...)
		} else {
			out = append(out, v)
		}
	}
	return out
}

func matchTest(m *qc.Match) (func(*qc.Value) bool, error) {
	switch m := m.GetMatchValue().(type) {
	case *qc.Match_Keyword:
		return func(v *qc.Value) bool { s, ok := text(v); return ok && s == m.Keyword }, nil
	case *qc.Match_Integer:
		return func(v *qc.Value) bool { i, ok := integer(v); return ok && i == m.Integer }, nil
	case *qc.Match_Boolean:
		return func(v *qc.Value) bool {
			b, ok := v.GetKind().(*qc.Value_BoolValue)
			return ok && b.BoolValue == m.Boolean
		}, nil
	case *qc.Match_Keywords:
		return func(v *qc.Value) bool { s, ok := text(v); return ok && slices.Contains(m.Keywords.GetStrings(), s) }, nil
	case *qc.Match_Integers:
		return func(v *qc.Value) bool { i, ok := integer(v); return ok && slices.Contains(m.Integers.GetIntegers(), i) }, nil
	case *qc.Match_ExceptKeywords:
		return func(v *qc.Value) bool {
			s, ok := text(v)
			return !null(v) && !(ok && slices.Contains(m.ExceptKeywords.GetStrings(), s))
		}, nil
	case *qc.Match_ExceptIntegers:
		return func(v *qc.Value) bool {
			i, ok := integer(v)
			return !null(v) && !(ok && slices.Contains(m.ExceptIntegers.GetIntegers(), i))
		}, nil
	}
	// What a text match means changes with the server's version and indexes.
	return nil, unimplemented("this match condition")
}

func text(v *qc.Value) (string, bool) {
	_, ok := v.GetKind().(*qc.Value_StringValue)
	return v.GetStringValue(), ok
}

func integer(v *qc.Value) (int64, bool) {
	_, ok := v.GetKind().(*qc.Value_IntegerValue)
	return v.GetIntegerValue(), ok
}

func null(v *qc.Value) bool {
	_, ok := v.GetKind().(*qc.Value_NullValue)
	return ok || v.GetKind() == nil
}

func inRange(v *qc.Value, r *qc.Range) bool {
	var n float64
	switch v := v.GetKind().(type) {
	case *qc.Value_IntegerValue:
		n = float64(v.IntegerValue)
	case *qc.Value_DoubleValue:
		n = v.DoubleValue
	default:
		return false
	}
	return (r.Gt == nil || n > *r.Gt) && (r.Gte == nil || n >= *r.Gte) && (r.Lt == nil || n < *r.Lt) && (r.Lte == nil || n <= *r.Lte)
}

// size is how many values there are: those of a list, none in null, one in
// anything else.
func size(v *qc.Value) uint64 {
	switch list := v.GetListValue(); {
	case list != nil:
		return uint64(len(list.GetValues()))
	case null(v):
		return 0
	}
	return 1
}

func countIn(n uint64, c *qc.ValuesCount) bool {
	return (c.Gt == nil || n > *c.Gt) && (c.Gte == nil || n >= *c.Gte) && (c.Lt == nil || n < *c.Lt) && (c.Lte == nil || n <= *c.Lte)
}

// isEmpty: missing, null, or a list without elements.
func isEmpty(values []*qc.Value) bool {
	return !slices.ContainsFunc(values, func(v *qc.Value) bool {
		if list := v.GetListValue(); list != nil {
			return len(list.GetValues()) > 0
		}
		return !null(v)
	})
}

// isNull: there, and null.
func isNull(values []*qc.Value) bool { return slices.ContainsFunc(elements(values), null) }
