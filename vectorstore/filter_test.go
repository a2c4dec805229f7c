package vectorstore_test

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/vectorstore"
)

func ExampleParseFilter() {
	f, err := vectorstore.ParseFilter([]byte(`{"operator": "and", "filters": [
		{"field": "method", "operator": "in", "value": ["GET", "HEAD"]},
		{"operator": "not_contains", "value": "deprecated"}]}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(f.Match(vectorstore.Document{Content: "GET /orders", Metadata: map[string]any{"method": "GET"}}))
	_, err = vectorstore.ParseFilter([]byte(`{"field": "method", "operator": "like", "value": "G"}`))
	fmt.Println(err != nil)
	// Output:
	// true
	// true
}

var document = vectorstore.Document{
	ID: "d", Source: "api.yaml", Content: "GET /orders lists Orders",
	Metadata: map[string]any{
		"method": "GET", "page": 2, "ratio": 0.5, "big": int64(9007199254740993), "flag": true,
		"none": nil, "tags": []any{"orders", "Billing", 7.0}, "words": []string{"x", "y"}, "digits": "2",
		"at": "2026-01-04T10:00:00Z",
	},
}

// TestMeaning is the written meaning of filters, case by case.
func TestMeaning(t *testing.T) {
	tests := []struct {
		filter string // field operator value
		want   bool
	}{
		{`method eq "GET"`, true}, {`method eq "get"`, false}, {`page eq 2`, true}, {`page eq 2.0`, true},
		{`page eq "2"`, true}, {`digits eq 2`, true}, {`ratio eq 0.5`, true}, {`flag eq true`, true},
		{`flag eq "true"`, true}, {`flag eq 1`, false}, {`none eq null`, true}, {`none eq "null"`, false},
		{`method eq null`, false}, {`missing eq null`, false}, {`big eq 9007199254740993`, true},
		{`big eq 9007199254740992`, false}, {`tags eq "orders"`, true}, {`tags eq 7`, true}, {`tags eq "Orders"`, false},
		{`method ne "POST"`, true}, {`method ne "GET"`, false}, {`missing ne "GET"`, false},
		{`tags ne "orders"`, false}, {`tags ne "x"`, true},
		{`page gt 1`, true}, {`page gt 2`, false}, {`page gte 2`, true}, {`page lt 3`, true}, {`page lte 1.5`, false},
		{`page gt "1"`, false}, {`at gt "2026-01-01T00:00:00Z"`, true}, {`method lt 5`, false}, {`tags gt 6`, true},
		{`method contains "E"`, true}, {`method contains "e"`, false}, {`page contains "2"`, true},
		{`tags contains "ill"`, true}, {`method not_contains "X"`, true}, {`missing not_contains "X"`, false},
		{`tags not_contains "ord"`, false}, {`method starts_with "G"`, true}, {`method ends_with "T"`, true},
		{`words starts_with "y"`, true}, {`method regex "^G.T$"`, true}, {`method regex "^g"`, false},
		{`tags regex "^[A-Z]"`, true}, {`method in ["POST", "GET"]`, true}, {`method in []`, false},
		{`page in ["2"]`, true}, {`method not_in ["POST"]`, true}, {`method nin ["GET"]`, false},
		{`missing not_in ["GET"]`, false}, {`tags not_in ["z", 7]`, false},
	}
	for _, tt := range tests {
		parts := strings.SplitN(tt.filter, " ", 3)
		f, err := vectorstore.ParseFilter(fmt.Appendf(nil, `{"field":%q,"operator":%q,"value":%s}`, parts[0], parts[1], parts[2]))
		require.NoError(t, err, tt.filter)
		require.Equal(t, tt.want, f.Match(document), tt.filter)
		negated := vectorstore.Not{Filter: f}
		require.Equal(t, !tt.want, negated.Match(document), "not "+tt.filter)
	}
	require.True(t, vectorstore.Matches(nil, document))
	require.True(t, vectorstore.And{}.Match(document))
	require.False(t, vectorstore.Or{}.Match(document))
	require.True(t, vectorstore.InSource{Name: "api.yaml"}.Match(document))
}

func TestParseFilterRefuses(t *testing.T) {
	tests := []struct{ filter, path, reason string }{
		{`[]`, "", "object"}, {`"x"`, "", "object"}, {`{`, "", "JSON"}, {`{}`, "/operator", "missing"},
		{`{"field":"a","operator":"like","value":"x"}`, "/operator", "unknown"},
		{`{"field":"","operator":"eq","value":"x"}`, "/field", "empty"},
		{`{"field":"a","operator":"eq"}`, "/value", "missing"},
		{`{"field":"a","operator":"eq","value":[1]}`, "/value", "string, a number"},
		{`{"field":"a","operator":"eq","value":{"b":1}}`, "/value", "string, a number"},
		{`{"field":"a","operator":"eq","value":1e999}`, "/value", "range"},
		{`{"field":"a","operator":"gt","value":true}`, "/value", "number or a string"},
		{`{"field":"a","operator":"contains","value":5}`, "/value", "string"},
		{`{"field":"a","operator":"in","value":"x"}`, "/value", "list"},
		{`{"field":"a","operator":"in","value":[[1]]}`, "/value/0", "string, a number"},
		{`{"field":"a","operator":"regex","value":"("}`, "/value", "RE2"},
		{`{"field":"a","operator":"regex","value":"` + strings.Repeat("a", 1001) + `"}`, "/value", "1000"},
		{`{"operator":"eq","value":"x"}`, "/operator", "without field"},
		{`{"operator":"and","filters":[]}`, "/filters", "at least one"},
		{`{"operator":"not","filters":[]}`, "/filters", "exactly one"},
		{`{"operator":"or","filters":[{"field":"a","operator":"eq","value":1},{"operator":"not"}]}`, "/filters/1/filters", "exactly one"},
	}
	for _, tt := range tests {
		_, err := vectorstore.ParseFilter(json.RawMessage(tt.filter))
		var wrong *vectorstore.FilterError
		require.ErrorAs(t, err, &wrong, tt.filter)
		require.Equal(t, tt.path, wrong.Path, tt.filter)
		require.Contains(t, wrong.Reason, tt.reason, tt.filter)
	}
	for _, none := range []string{"", "null", " null "} {
		f, err := vectorstore.ParseFilter(json.RawMessage(none))
		require.NoError(t, err)
		require.Nil(t, f)
	}
}

// nested wraps a leaf n levels deep.
func nested(n int) string {
	return strings.Repeat(`{"operator":"not","filters":[`, n) + `{"operator":"contains","value":"x"}` + strings.Repeat(`]}`, n)
}

func TestFilterLimits(t *testing.T) {
	_, err := vectorstore.ParseFilter(json.RawMessage(nested(vectorstore.MaxFilterDepth - 1)))
	require.NoError(t, err)
	for _, n := range []int{vectorstore.MaxFilterDepth, 50_000} {
		_, err := vectorstore.ParseFilter(json.RawMessage(nested(n)))
		require.ErrorContains(t, err, "deeper", n)
	}
	wide := func(n int) json.RawMessage {
		leaf := `{"operator":"contains","value":"x"},`
		return json.RawMessage(`{"operator":"or","filters":[` + strings.TrimSuffix(strings.Repeat(leaf, n), ",") + `]}`)
	}
	_, err = vectorstore.ParseFilter(wide(vectorstore.MaxFilterNodes - 1))
	require.NoError(t, err)
	_, err = vectorstore.ParseFilter(wide(vectorstore.MaxFilterNodes))
	require.ErrorContains(t, err, "nodes")
}

func TestListLimit(t *testing.T) {
	list := func(n int) string {
		return `{"field":"a","operator":"in","value":[` + strings.TrimSuffix(strings.Repeat("1,", n), ",") + `]}`
	}
	_, err := vectorstore.ParseFilter(json.RawMessage(list(10_000)))
	require.NoError(t, err)
	for _, raw := range []string{list(10_001), `{"operator":"or","filters":[` + list(6000) + `,` + list(6000) + `]}`} {
		_, err = vectorstore.ParseFilter(json.RawMessage(raw))
		require.ErrorContains(t, err, "10000")
	}
}

// TestNumbers compares numbers at the ends of their types.
func TestNumbers(t *testing.T) {
	const largest = int64(math.MaxInt64)
	values := []any{-math.MaxFloat64, math.Ldexp(-1, 64), int64(math.MinInt64), -0.5, 0, 0.5, 1<<53 + 1, largest, uint64(1 << 63), math.MaxFloat64}
	for i, a := range values {
		d := vectorstore.Document{Metadata: map[string]any{"n": a}}
		for j, b := range values {
			require.Equal(t, i == j, vectorstore.Eq{Field: "n", Value: b}.Match(d), "%v = %v", a, b)
			require.Equal(t, i < j, vectorstore.Lt{Field: "n", Value: b}.Match(d), "%v < %v", a, b)
			require.Equal(t, i >= j, vectorstore.Gte{Field: "n", Value: b}.Match(d), "%v >= %v", a, b)
		}
	}
	minus := vectorstore.Document{Metadata: map[string]any{"n": math.Ldexp(-1, 63)}}
	require.True(t, vectorstore.Eq{Field: "n", Value: int64(math.MinInt64)}.Match(minus))
	require.False(t, vectorstore.Regex{Field: "n"}.Match(minus), "without an expression")
}

func FuzzParseFilter(f *testing.F) {
	f.Add([]byte(nested(3)))
	f.Add([]byte(`{"field":"tags","operator":"in","value":["a",1,null,true]}`))
	f.Add([]byte(`{"field":"method","operator":"regex","value":"^(GET|POST)$"}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		filter, err := vectorstore.ParseFilter(raw)
		if err != nil {
			var wrong *vectorstore.FilterError
			require.ErrorAs(t, err, &wrong)
			return
		}
		if filter != nil {
			require.NotEqual(t, filter.Match(document), vectorstore.Not{Filter: filter}.Match(document))
		}
	})
}

func TestValidateBatch(t *testing.T) {
	ok := vectorstore.Record{Document: vectorstore.Document{ID: "a", Content: "x", Metadata: map[string]any{"n": 1, "l": []any{"a", nil}}}, Vector: []float32{1, 0}}
	require.NoError(t, vectorstore.ValidateBatch([]vectorstore.Record{ok}, 2))
	for name, spoil := range map[string]func(*vectorstore.Record){
		"no id":         func(r *vectorstore.Record) { r.ID = "" },
		"long id":       func(r *vectorstore.Record) { r.ID = strings.Repeat("x", vectorstore.MaxIDLength+1) },
		"bad UTF-8":     func(r *vectorstore.Record) { r.Content = "\xff" },
		"nested":        func(r *vectorstore.Record) { r.Metadata = map[string]any{"m": map[string]any{}} },
		"nested list":   func(r *vectorstore.Record) { r.Metadata = map[string]any{"m": []any{[]any{}}} },
		"dimension":     func(r *vectorstore.Record) { r.Vector = []float32{1} },
		"zero vector":   func(r *vectorstore.Record) { r.Vector = []float32{0, 0} },
		"empty, no nil": func(r *vectorstore.Record) { r.Vector = []float32{} },
	} {
		bad := ok
		spoil(&bad)
		require.ErrorIs(t, vectorstore.ValidateBatch([]vectorstore.Record{bad}, 2), vectorstore.ErrInvalid, name)
	}
	require.ErrorIs(t, vectorstore.ValidateBatch([]vectorstore.Record{ok, ok}, 2), vectorstore.ErrInvalid, "the same id twice")
}
