package chromem

import (
	"encoding/json"
	"math"
	"reflect"
)

// normalize brings metadata into the form that it has after a restart: whole
// numbers are int64, others float64, lists []any.
func normalize(metadata map[string]any) {
	for key, v := range metadata {
		switch list := v.(type) {
		case []any:
			for i, e := range list {
				list[i] = scalar(e)
			}
		case []string:
			out := make([]any, len(list))
			for i, s := range list {
				out[i] = s
			}
			metadata[key] = out
		default:
			metadata[key] = scalar(v)
		}
	}
}

func scalar(v any) any {
	switch v := v.(type) {
	case nil, string, bool, int64:
		return v
	case float64:
		return whole(v)
	case json.Number:
		if i, err := v.Int64(); err == nil {
			return i
		}
		f, _ := v.Float64() // validated before it was stored
		return whole(f)
	}
	switch r := reflect.ValueOf(v); {
	case r.CanInt():
		return r.Int()
	case r.CanUint() && r.Uint() <= math.MaxInt64:
		return int64(r.Uint())
	case r.CanUint():
		return float64(r.Uint())
	case r.CanFloat():
		return whole(r.Float())
	}
	return v
}

func whole(f float64) any {
	if f == math.Trunc(f) && math.Abs(f) < 1<<53 {
		return int64(f)
	}
	return f
}
