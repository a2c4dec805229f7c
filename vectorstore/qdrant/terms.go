package qdrant

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"math"
	"strconv"
	"unicode/utf8"

	qc "github.com/qdrant/go-client/qdrant"
)

// A term is a keyword that says one thing about a document's metadata:
//
//	["method"]         it has the field
//	["method","GET"]   the field's value, or an element of it, has this text form
//	["method",null]    the field, or an element of it, is null
//
// They are JSON, so that no field or value can be mistaken for another.
// vectorstore.Filter says when two values are equal; two values that are not
// null are so if their text forms are, with an exception that equalTerm knows.

// maxTerm is the length above which a term is replaced by its hash.
const maxTerm = 256

func term(parts ...any) string {
	b, err := json.Marshal(parts)
	if err != nil {
		return "" // strings and nil cannot fail
	}
	if len(b) <= maxTerm {
		return string(b)
	}
	sum := sha256.Sum256(b)
	return "sha256:" + hex.EncodeToString(sum[:])
}

func fieldTerm(field string) string { return term(field) }

// valueTerm is the term of a scalar in canonical form.
func valueTerm(field string, v any) string {
	switch v := v.(type) {
	case nil:
		return term(field, nil)
	case string:
		return term(field, v)
	case bool:
		return term(field, strconv.FormatBool(v))
	case int64:
		return term(field, strconv.FormatInt(v, 10))
	case float64:
		if v == math.Trunc(v) && math.Abs(v) < 1<<63 {
			return term(field, strconv.FormatInt(int64(v), 10))
		}
		if b, err := json.Marshal(v); err == nil {
			return term(field, string(b))
		}
	}
	return ""
}

// equalTerm is the term of all values that are equal to v, and whether there is
// one. Large numbers have none: an integer that a float64 cannot tell from its
// neighbour may equal it and be written otherwise.
func equalTerm(field string, v any) (string, bool) {
	v = scalar(v)
	if s, ok := v.(string); ok && !utf8.ValidString(s) {
		return "", false
	}
	if f, ok := number(v); ok && !(math.Abs(f) < exact) {
		return "", false
	}
	t := valueTerm(field, v)
	return t, t != ""
}

// number is a canonical number as the server compares it.
func number(v any) (float64, bool) {
	switch v := v.(type) {
	case int64:
		return float64(v), true
	case float64:
		return v, true
	}
	return 0, false
}

// terms lists the terms of canonical metadata.
func terms(metadata map[string]any) *qc.Value {
	seen := make(map[string]bool)
	var out []*qc.Value
	add := func(t string) {
		if !seen[t] {
			seen[t] = true
			out = append(out, qc.NewValueString(t))
		}
	}
	for field, v := range metadata {
		add(fieldTerm(field))
		list, ok := v.([]any)
		if !ok {
			list = []any{v}
		}
		for _, e := range list {
			add(valueTerm(field, e))
		}
	}
	return qc.NewValueFromList(out...)
}

// numbers collects the numbers of canonical metadata by field.
func numbers(metadata map[string]any) *qc.Value {
	out := make(map[string]*qc.Value)
	for field, v := range metadata {
		list, ok := v.([]any)
		if !ok {
			list = []any{v}
		}
		var values []*qc.Value
		for _, e := range list {
			switch e := e.(type) {
			case int64:
				values = append(values, qc.NewValueInt(e))
			case float64:
				values = append(values, qc.NewValueDouble(e))
			}
		}
		if values != nil {
			out[field] = qc.NewValueFromList(values...)
		}
	}
	return qc.NewValueFromFields(out)
}
