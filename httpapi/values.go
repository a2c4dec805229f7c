package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"strconv"
	"strings"

	"github.com/api-assistant/api-assistant/vectorstore"
)

// integer is a JSON number without a fraction, or its text.
type integer int

// UnmarshalJSON accepts 5, 5.0 and "5".
func (n *integer) UnmarshalJSON(b []byte) error {
	f, err := number(b)
	if err != nil || f != math.Trunc(f) || math.Abs(f) > math.MaxInt32 {
		return errors.New("must be an integer")
	}
	*n = integer(f)
	return nil
}

// float is a JSON number or its text.
type float float64

// UnmarshalJSON accepts 0.5 and "0.5".
func (x *float) UnmarshalJSON(b []byte) error {
	f, err := number(b)
	if err != nil {
		return errors.New("must be a number")
	}
	*x = float(f)
	return nil
}

// number reads a JSON number, or a string that holds one.
func number(b []byte) (float64, error) {
	text := string(b)
	if len(b) > 0 && b[0] == '"' {
		if err := json.Unmarshal(b, &text); err != nil {
			return 0, err
		}
		text = strings.TrimSpace(text)
	}
	if !json.Valid([]byte(text)) { // "NaN", "0x10", "1_000" are no JSON numbers
		return 0, strconv.ErrSyntax
	}
	return strconv.ParseFloat(text, 64)
}

// boolean is a JSON boolean, or a word for one.
type boolean bool

// UnmarshalJSON accepts true, 1, "true", "yes", "on", "1", and their opposites.
func (x *boolean) UnmarshalJSON(b []byte) error {
	switch strings.ToLower(strings.Trim(string(b), `"`)) {
	case "true", "1", "yes", "on":
		*x = true
	case "false", "0", "no", "off":
		*x = false
	default:
		return errors.New("must be a boolean")
	}
	return nil
}

// filter is a filter in its wire form, or null.
type filter struct{ vectorstore.Filter }

// UnmarshalJSON reads what vectorstore.ParseFilter does.
func (f *filter) UnmarshalJSON(b []byte) (err error) {
	f.Filter, err = vectorstore.ParseFilter(b)
	return err
}

// metadata is a JSON object of scalars and lists of scalars.
type metadata map[string]any

// UnmarshalJSON keeps integers exact and refuses nested values.
func (m *metadata) UnmarshalJSON(b []byte) error {
	raw, err := exactObject(b)
	if err != nil {
		return err
	}
	for _, v := range raw {
		list, isList := v.([]any)
		if !isList {
			list = []any{v}
		}
		for _, e := range list {
			switch e.(type) {
			case map[string]any, []any:
				return errors.New("values must be strings, numbers, booleans, null, or lists of them")
			}
		}
	}
	*m = raw
	return nil
}

// exactObject reads a JSON object, or null, and keeps its integers exact.
func exactObject(b []byte) (map[string]any, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var out map[string]any
	if err := d.Decode(&out); err != nil {
		return nil, errors.New("must be an object")
	}
	for key, v := range out {
		out[key] = exact(v)
	}
	return out, nil
}

// exact replaces the JSON numbers in a value by the Go numbers that hold them
// best.
func exact(v any) any {
	switch v := v.(type) {
	case json.Number:
		if i, err := v.Int64(); err == nil {
			return i
		}
		f, _ := v.Float64() // out of range is infinite, which the store refuses
		return f
	case []any:
		for i, e := range v {
			v[i] = exact(e)
		}
	case map[string]any:
		for key, e := range v {
			v[key] = exact(e)
		}
	}
	return v
}

// object makes an absent map an empty JSON object.
func object(m map[string]any) map[string]any {
	if m == nil {
		return map[string]any{}
	}
	return m
}

// anyObject is a JSON object of anything.
type anyObject map[string]any

// UnmarshalJSON keeps integers exact.
func (o *anyObject) UnmarshalJSON(b []byte) (err error) {
	*o, err = exactObject(b)
	return err
}
