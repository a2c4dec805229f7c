package vectorstore

import (
	"cmp"
	"encoding/json"
	"math"
	"reflect"
	"strconv"
	"strings"
)

// number is a metadata number: an integer exactly, or a float.
type number struct {
	i       int64
	f       float64
	integer bool
}

// numberOf reads any Go number.
func numberOf(v any) (number, bool) {
	switch n := v.(type) {
	case float64:
		return floatNumber(n), true
	case int64:
		return number{i: n, f: float64(n), integer: true}, true
	case int:
		return number{i: int64(n), f: float64(n), integer: true}, true
	case json.Number:
		if i, err := n.Int64(); err == nil {
			return number{i: i, f: float64(i), integer: true}, true
		}
		f, err := n.Float64()
		return floatNumber(f), err == nil
	}
	switch r := reflect.ValueOf(v); {
	case r.CanInt():
		return number{i: r.Int(), f: float64(r.Int()), integer: true}, true
	case r.CanUint() && r.Uint() <= math.MaxInt64:
		return number{i: int64(r.Uint()), f: float64(r.Uint()), integer: true}, true
	case r.CanUint():
		return number{f: float64(r.Uint())}, true
	case r.CanFloat():
		return floatNumber(r.Float()), true
	}
	return number{}, false
}

// floatNumber makes whole floats integers, so that 2.0 and 2 are one number.
func floatNumber(f float64) number {
	if f == math.Trunc(f) && f >= -1<<63 && f < 1<<63 {
		return number{i: int64(f), f: f, integer: true}
	}
	return number{f: f}
}

func (n number) compare(m number) int {
	if n.integer && m.integer {
		return cmp.Compare(n.i, m.i)
	}
	// A whole float that is no integer is beyond all of them, also where rounding
	// an integer to a float makes them the same.
	return cmp.Or(cmp.Compare(n.f, m.f), cmp.Compare(n.beyond(), m.beyond()))
}

func (n number) beyond() int {
	switch {
	case n.integer || n.f != math.Trunc(n.f):
		return 0
	case n.f < 0:
		return -1
	}
	return 1
}

func (n number) text() string {
	if n.integer {
		return strconv.FormatInt(n.i, 10)
	}
	b, err := json.Marshal(n.f)
	if err != nil { // not finite, which no document can have
		return strconv.FormatFloat(n.f, 'g', -1, 64)
	}
	return string(b)
}

// equal is the equality of filters. Two numbers are equal exactly if their text
// forms are, which takes longer to see.
func equal(a, b any) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	if x, ok := a.(string); ok {
		if y, ok := b.(string); ok {
			return x == y
		}
	}
	x, xIsNumber := numberOf(a)
	y, yIsNumber := numberOf(b)
	if xIsNumber && yIsNumber {
		return x.compare(y) == 0
	}
	return textForm(a) == textForm(b)
}

// order compares two numbers or two strings.
func order(a, b any) (int, bool) {
	if x, ok := a.(string); ok {
		y, ok := b.(string)
		return strings.Compare(x, y), ok
	}
	x, xIsNumber := numberOf(a)
	y, yIsNumber := numberOf(b)
	return x.compare(y), xIsNumber && yIsNumber
}

// textForm is the text that string filters look at.
func textForm(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case nil:
		return "null"
	}
	if n, ok := numberOf(v); ok {
		return n.text()
	}
	return ""
}
