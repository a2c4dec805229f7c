package qdrant

import (
	"math"
	"strings"
	"unicode/utf8"

	qc "github.com/qdrant/go-client/qdrant"

	"github.com/api-assistant/api-assistant/vectorstore"
)

// plan is a filter divided between the server and this side.
type plan struct {
	server *qc.Filter         // selects all that the filter matches; nil selects everything
	local  vectorstore.Filter // decides about what the server selects; nil if the server's answer is final
}

func newPlan(f vectorstore.Filter) plan {
	p := pushed(f, 0)
	var out plan
	if p.cond != nil {
		out.server = &qc.Filter{Must: []*qc.Condition{p.cond}}
	}
	if !p.exact {
		out.local = f
	}
	return out
}

// and adds a condition of our own.
func (p plan) and(c *qc.Condition) plan {
	p.server = &qc.Filter{Must: append(p.server.GetMust(), c)}
	return p
}

// part is what the server can do of a filter: cond selects at least what the
// filter matches (nil: everything), and exactly that if exact is set.
type part struct {
	cond  *qc.Condition
	exact bool
}

var (
	everything = part{exact: true}
	unknown    = part{exact: false}
)

func nothing() part { return part{qc.NewMatchKeyword(keyTerms, "-"), true} } // no term looks like that

// maxPushed is the depth to which filters are sent. Servers refuse messages
// that are nested more than a hundred levels deep, and a filter is two.
const maxPushed = 20

// pushed translates a filter.
func pushed(f vectorstore.Filter, depth int) part {
	if depth > maxPushed {
		return unknown
	}
	switch f := f.(type) {
	case nil:
		return everything
	case vectorstore.And:
		return pushedAnd(f, depth)
	case vectorstore.Or:
		return pushedOr(f, depth)
	case vectorstore.Not:
		p := pushed(f.Filter, depth+1)
		switch {
		case !p.exact:
			return unknown
		case p.cond == nil:
			return nothing()
		}
		return part{not(p.cond), true}
	case vectorstore.InSource:
		if !utf8.ValidString(f.Name) {
			return nothing()
		}
		return part{qc.NewMatchKeyword(keySource, f.Name), true}
	case vectorstore.ContentContains, vectorstore.ContentNotContains:
		return unknown
	}
	return leaf(f)
}

func not(c *qc.Condition) *qc.Condition {
	return qc.NewFilterAsCondition(&qc.Filter{MustNot: []*qc.Condition{c}})
}

func pushedAnd(f vectorstore.And, depth int) part {
	var must []*qc.Condition
	exact := true
	for _, sub := range f {
		p := pushed(sub, depth+1)
		exact = exact && p.exact
		if p.cond != nil {
			must = append(must, p.cond)
		}
	}
	if must == nil {
		return part{nil, exact}
	}
	return part{qc.NewFilterAsCondition(&qc.Filter{Must: must}), exact}
}

func pushedOr(f vectorstore.Or, depth int) part {
	if len(f) == 0 {
		return nothing()
	}
	var should []*qc.Condition
	exact, all := true, false
	for _, sub := range f {
		p := pushed(sub, depth+1)
		exact = exact && p.exact
		all = all || p.cond == nil
		should = append(should, p.cond)
	}
	if all {
		return part{nil, exact}
	}
	return part{qc.NewFilterAsCondition(&qc.Filter{Should: should}), exact}
}

// leaf translates a filter on a field. All of them are false where the field is
// missing, so its presence is the least that the server can ask for.
func leaf(f vectorstore.Filter) part {
	switch f := f.(type) {
	case vectorstore.Eq:
		return among(f.Field, []any{f.Value})
	case vectorstore.In:
		return among(f.Field, f.Values)
	case vectorstore.Ne:
		return notAmong(f.Field, []any{f.Value})
	case vectorstore.NotIn:
		return notAmong(f.Field, f.Values)
	case vectorstore.Gt:
		return compared(f.Field, f.Value, func(r *qc.Range, v *float64) { r.Gt = v })
	case vectorstore.Gte:
		return compared(f.Field, f.Value, func(r *qc.Range, v *float64) { r.Gte = v })
	case vectorstore.Lt:
		return compared(f.Field, f.Value, func(r *qc.Range, v *float64) { r.Lt = v })
	case vectorstore.Lte:
		return compared(f.Field, f.Value, func(r *qc.Range, v *float64) { r.Lte = v })
	case vectorstore.Contains:
		return part{has(f.Field), false}
	case vectorstore.NotContains:
		return part{has(f.Field), false}
	case vectorstore.StartsWith:
		return part{has(f.Field), false}
	case vectorstore.EndsWith:
		return part{has(f.Field), false}
	case vectorstore.Regex:
		return part{has(f.Field), false}
	}
	return unknown
}

// has selects the documents that have a field. None has one that is not UTF-8.
func has(field string) *qc.Condition {
	if !utf8.ValidString(field) {
		return nothing().cond
	}
	return qc.NewMatchKeyword(keyTerms, fieldTerm(field))
}

func among(field string, values []any) part {
	if len(values) == 0 || !utf8.ValidString(field) {
		return nothing()
	}
	keywords := make([]string, len(values))
	for i, v := range values {
		t, ok := equalTerm(field, v)
		if !ok {
			return part{has(field), false}
		}
		keywords[i] = t
	}
	if len(keywords) == 1 {
		return part{qc.NewMatchKeyword(keyTerms, keywords[0]), true}
	}
	return part{qc.NewMatchKeywords(keyTerms, keywords...), true}
}

func notAmong(field string, values []any) part {
	found := among(field, values)
	if !found.exact {
		return part{has(field), false}
	}
	return part{qc.NewFilterAsCondition(&qc.Filter{Must: []*qc.Condition{has(field)}, MustNot: []*qc.Condition{found.cond}}), true}
}

// compared translates an order. The server compares numbers as float64, which
// is exact against a bound that is.
func compared(field string, v any, set func(*qc.Range, *float64)) part {
	bound, isNumber := number(scalar(v))
	switch {
	case !utf8.ValidString(field):
		return nothing()
	case isNumber && math.Abs(bound) < exact && !strings.ContainsAny(field, `"\`): // which its paths cannot say
		r := &qc.Range{}
		set(r, &bound)
		return part{qc.NewRange(keyNumbers+`."`+field+`"`, r), true}
	case isNumber:
		return part{has(field), false}
	}
	if _, ok := v.(string); ok {
		return part{has(field), false}
	}
	return nothing() // there is no order with anything else
}
