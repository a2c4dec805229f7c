package vectorstore

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// Limits of a filter in its wire form.
const (
	MaxFilterDepth = 256
	MaxFilterNodes = 1024
	maxListValues  = 10_000 // in all lists together
)

// FilterError says what is wrong with a filter in its wire form, and where.
type FilterError struct {
	Path   string // JSON pointer inside the filter; "" is the filter itself
	Reason string
}

func (e *FilterError) Error() string {
	if e.Path == "" {
		return "vectorstore: filter: " + e.Reason
	}
	return fmt.Sprintf("vectorstore: filter at %s: %s", e.Path, e.Reason)
}

// ParseFilter reads the wire form of a filter: a leaf {"field", "operator",
// "value"}, a content leaf without "field" (contains, not_contains), or
// {"operator": "and"|"or"|"not", "filters": […]}. Empty input and null are no
// filter (nil). The error is a *FilterError.
func ParseFilter(raw json.RawMessage) (Filter, error) {
	if trimmed := bytes.TrimSpace(raw); len(trimmed) == 0 || string(trimmed) == "null" {
		return nil, nil
	}
	if err := checkDepth(raw); err != nil {
		return nil, err
	}
	if !json.Valid(raw) {
		return nil, &FilterError{Reason: "is not valid JSON"}
	}
	p := filterParser{}
	return p.parse(raw, "")
}

// checkDepth refuses JSON that is nested too deeply before anything recurses
// into it. A filter level is an object and a list.
func checkDepth(raw []byte) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	for depth := 0; ; {
		token, err := d.Token()
		if err != nil {
			return nil // the end, or a syntax error that shows later
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			if depth++; depth > 2*MaxFilterDepth+2 {
				return &FilterError{Reason: fmt.Sprintf("is nested deeper than %d levels", MaxFilterDepth)}
			}
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
	}
}

// wireFilter is a node as it comes.
type wireFilter struct {
	Field    *string           `json:"field"`
	Operator *string           `json:"operator"`
	Value    json.RawMessage   `json:"value"`
	Filters  []json.RawMessage `json:"filters"`
}

type filterParser struct{ nodes, depth, values int }

func (p *filterParser) parse(raw json.RawMessage, path string) (Filter, error) {
	fail := func(at, format string, args ...any) (Filter, error) {
		return nil, &FilterError{Path: path + at, Reason: fmt.Sprintf(format, args...)}
	}
	if p.nodes++; p.nodes > MaxFilterNodes {
		return fail("", "has more than %d nodes", MaxFilterNodes)
	}
	if p.depth++; p.depth > MaxFilterDepth {
		return fail("", "is nested deeper than %d levels", MaxFilterDepth)
	}
	defer func() { p.depth-- }()
	var w wireFilter
	if err := json.Unmarshal(raw, &w); err != nil || len(raw) == 0 || bytes.TrimSpace(raw)[0] != '{' {
		return fail("", `must be an object: {"field", "operator", "value"} or {"operator", "filters"}`)
	}
	if w.Operator == nil {
		return fail("/operator", "is missing")
	}
	operator := strings.ToLower(*w.Operator)
	switch operator {
	case "and", "or", "not":
		return p.logical(w, operator, path)
	}
	if w.Field == nil {
		return contentLeaf(w, operator, path)
	}
	if *w.Field == "" {
		return fail("/field", "must not be empty")
	}
	return p.leaf(*w.Field, operator, w.Value, path)
}

// logical reads and, or and not.
func (p *filterParser) logical(w wireFilter, operator, path string) (Filter, error) {
	switch {
	case operator == "not" && len(w.Filters) != 1:
		return nil, &FilterError{path + "/filters", "must have exactly one filter for not"}
	case len(w.Filters) == 0:
		return nil, &FilterError{path + "/filters", "must have at least one filter for " + operator}
	}
	parts := make([]Filter, len(w.Filters))
	for i, raw := range w.Filters {
		part, err := p.parse(raw, fmt.Sprintf("%s/filters/%d", path, i))
		if err != nil {
			return nil, err
		}
		parts[i] = part
	}
	switch operator {
	case "and":
		return And(parts), nil
	case "or":
		return Or(parts), nil
	}
	return Not{parts[0]}, nil
}

func contentLeaf(w wireFilter, operator, path string) (Filter, error) {
	text, err := stringValue(w.Value, path)
	switch {
	case operator != "contains" && operator != "not_contains":
		return nil, &FilterError{path + "/operator", "must be contains or not_contains in a filter without field (or and, or, not)"}
	case err != nil:
		return nil, err
	case operator == "contains":
		return ContentContains{text}, nil
	}
	return ContentNotContains{text}, nil
}

// leaf reads a filter on a field.
func (p *filterParser) leaf(field, operator string, raw json.RawMessage, path string) (Filter, error) {
	switch operator {
	case "eq", "ne", "gt", "gte", "lt", "lte":
		return comparison(field, operator, raw, path)
	case "in", "not_in", "nin":
		values, err := listValue(raw, path)
		if err != nil {
			return nil, err
		}
		if p.values += len(values); p.values > maxListValues {
			return nil, &FilterError{path + "/value", fmt.Sprintf("makes more than %d elements in the lists of the filter", maxListValues)}
		}
		if operator == "in" {
			return In{field, values}, nil
		}
		return NotIn{field, values}, nil
	}
	text, err := stringValue(raw, path)
	if err != nil && knownTextOperator(operator) {
		return nil, err
	}
	switch operator {
	case "contains":
		return Contains{field, text}, nil
	case "not_contains":
		return NotContains{field, text}, nil
	case "starts_with":
		return StartsWith{field, text}, nil
	case "ends_with":
		return EndsWith{field, text}, nil
	case "regex":
		re, err := NewRegex(field, text)
		if err != nil {
			return nil, &FilterError{path + "/value", err.Error()}
		}
		return re, nil
	}
	return nil, &FilterError{path + "/operator", "is unknown; use eq, ne, gt, gte, lt, lte, contains, not_contains, starts_with, ends_with, regex, in, not_in, and, or, not"}
}

func knownTextOperator(operator string) bool {
	switch operator {
	case "contains", "not_contains", "starts_with", "ends_with", "regex":
		return true
	}
	return false
}

func comparison(field, operator string, raw json.RawMessage, path string) (Filter, error) {
	v, err := scalarValue(raw, path+"/value")
	if err != nil {
		return nil, err
	}
	if operator == "eq" {
		return Eq{field, v}, nil
	}
	if operator == "ne" {
		return Ne{field, v}, nil
	}
	if _, isNumber := numberOf(v); !isNumber {
		if _, isString := v.(string); !isString {
			return nil, &FilterError{path + "/value", "must be a number or a string for " + operator}
		}
	}
	switch operator {
	case "gt":
		return Gt{field, v}, nil
	case "gte":
		return Gte{field, v}, nil
	case "lt":
		return Lt{field, v}, nil
	}
	return Lte{field, v}, nil
}

func stringValue(raw json.RawMessage, path string) (string, error) {
	var s *string
	if err := json.Unmarshal(raw, &s); err != nil || s == nil {
		return "", &FilterError{path + "/value", "must be a string"}
	}
	return *s, nil
}

// scalarValue reads a string, number, boolean or null.
func scalarValue(raw json.RawMessage, at string) (any, error) {
	if len(raw) == 0 {
		return nil, &FilterError{at, "is missing"}
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, &FilterError{at, "is not valid JSON"}
	}
	switch n := v.(type) {
	case map[string]any, []any:
		return nil, &FilterError{at, "must be a string, a number, a boolean or null"}
	case json.Number:
		number, ok := numberOf(n)
		if !ok {
			return nil, &FilterError{at, "is a number out of range"}
		}
		if number.integer {
			return number.i, nil
		}
		return number.f, nil
	}
	return v, nil
}

func listValue(raw json.RawMessage, path string) ([]any, error) {
	var elements []json.RawMessage
	if err := json.Unmarshal(raw, &elements); err != nil || elements == nil {
		return nil, &FilterError{path + "/value", "must be a list"}
	}
	if len(elements) > maxListValues {
		return nil, &FilterError{path + "/value", fmt.Sprintf("has more than %d elements", maxListValues)}
	}
	values := make([]any, len(elements))
	for i, e := range elements {
		v, err := scalarValue(e, fmt.Sprintf("%s/value/%d", path, i))
		if err != nil {
			return nil, err
		}
		values[i] = v
	}
	return values, nil
}
