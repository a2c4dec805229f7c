package qdrant_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/vectorstore"
	"github.com/api-assistant/api-assistant/vectorstore/qdrant"
	"github.com/api-assistant/api-assistant/vectorstore/qdrant/qdranttest"
)

// servers runs a test against the double and, if there is one, the server at
// QDRANT_URL.
func servers(t *testing.T, test func(t *testing.T, cfg qdrant.Config)) {
	t.Run("Double", func(t *testing.T) {
		test(t, qdrant.Config{URL: start(t, qdranttest.Options{}).URL()})
	})
	t.Run("Real", func(t *testing.T) {
		url := os.Getenv("QDRANT_URL")
		if url == "" {
			t.Skip("QDRANT_URL is not set: there is no Qdrant server to test against")
		}
		cfg := qdrant.Config{URL: url, APIKey: os.Getenv("QDRANT_API_KEY"), Collection: fmt.Sprintf("test_%d_%s", os.Getpid(), strings.ReplaceAll(t.Name(), "/", "_"))}
		t.Cleanup(func() { require.NoError(t, qdrant.Drop(context.Background(), cfg)) })
		test(t, cfg)
	})
}

// values are those on which equality, order and text could differ between a
// server and vectorstore.Filter.
func values() []any {
	return []any{
		"", "GET", "null", "true", "2", "2.5", "-0", "1e+21", "9007199254740993", `["n"]`, `a"b\`, "größe", "\x00", strings.Repeat("long", 200),
		nil, true, false, 0, 2, -3, 2.0, 2.5, float32(0.1), 0.1, math.Copysign(0, -1), uint8(2), json.Number("2"), json.Number("2.50"),
		int64(1 << 53), int64(1<<53 + 1), -int64(1<<53 + 1), float64(1 << 53), math.MaxInt64, math.MinInt64, float64(1 << 63), uint64(math.MaxUint64), 1e21, 1e300, 5e-324,
	}
}

var fields = []string{"n", "a.b", "a b", `q"uote`, `back\slash`, "größe", "[0]", "s[]", ""}

func leaves(field string, v any) []vectorstore.Filter {
	return []vectorstore.Filter{
		vectorstore.Eq{Field: field, Value: v}, vectorstore.Ne{Field: field, Value: v}, vectorstore.Gt{Field: field, Value: v},
		vectorstore.Gte{Field: field, Value: v}, vectorstore.Lt{Field: field, Value: v}, vectorstore.Lte{Field: field, Value: v},
		vectorstore.In{Field: field, Values: []any{v, "x"}}, vectorstore.NotIn{Field: field, Values: []any{v, 7}},
		vectorstore.Not{Filter: vectorstore.Eq{Field: field, Value: v}},
	}
}

// TestFiltersOnOddValues compares every leaf on every pair of values, alone and
// in a list, with vectorstore.Filter.Match.
func TestFiltersOnOddValues(t *testing.T) {
	servers(t, func(t *testing.T, cfg qdrant.Config) {
		cfg.Dimensions = 2
		s := open(t, cfg)
		var docs []vectorstore.Record
		for i, v := range values() {
			field := fields[i%len(fields)]
			for j, metadata := range []map[string]any{{"n": v}, {"n": []any{v, "other"}}, {field: v, "x": 1}} {
				docs = append(docs, vectorstore.Record{Document: vectorstore.Document{ID: fmt.Sprintf("%02d-%d", i, j), Metadata: metadata}})
			}
		}
		docs = append(docs, vectorstore.Record{Document: vectorstore.Document{ID: "empty list", Metadata: map[string]any{"n": []any{}}}},
			vectorstore.Record{Document: vectorstore.Document{ID: "none", Source: "s"}})
		require.NoError(t, s.Upsert(t.Context(), docs...))
		stored := make(map[string]vectorstore.Document)
		for d, err := range s.All(t.Context(), nil) {
			require.NoError(t, err)
			stored[d.ID] = d
		}
		var filters []vectorstore.Filter
		for i, v := range values() {
			filters = append(filters, leaves("n", v)...)
			filters = append(filters, leaves(fields[i%len(fields)], v)...)
		}
		filters = append(filters, leaves("n", math.NaN())...)
		filters = append(filters, leaves("n", math.Inf(1))...)
		filters = append(filters, leaves("n", struct{}{})...)
		filters = append(filters, leaves("n", "\xff")...)
		filters = append(filters, leaves("\xff", 1)...)
		filters = append(filters, vectorstore.In{Field: "n"}, vectorstore.NotIn{Field: "n"}, vectorstore.And{}, vectorstore.Or{}, vectorstore.Not{},
			vectorstore.Or{nil, vectorstore.Eq{Field: "n", Value: 1}}, vectorstore.InSource{}, vectorstore.InSource{Name: "s"}, vectorstore.InSource{Name: "\xff"},
			vectorstore.Not{Filter: vectorstore.And{}}, vectorstore.Not{Filter: vectorstore.Contains{Field: "n", Value: "2"}})
		for _, f := range filters {
			var want, asStored []string
			for _, d := range docs {
				if f.Match(d.Document) {
					want = append(want, d.ID)
				}
				if f.Match(stored[d.ID]) {
					asStored = append(asStored, d.ID)
				}
			}
			name := fmt.Sprintf("%#v", f)
			require.ElementsMatch(t, want, asStored, "%s: what is stored is what was given", name)
			var got []string
			for d, err := range s.All(t.Context(), f) {
				require.NoError(t, err, name)
				got = append(got, d.ID)
			}
			require.ElementsMatch(t, want, got, name)
		}
	})
}

// TestWhatIsPushed makes sure that the server decides what it can.
func TestWhatIsPushed(t *testing.T) {
	re, err := vectorstore.NewRegex("n", "x")
	require.NoError(t, err)
	eq := vectorstore.Eq{Field: "n", Value: 2}
	part := vectorstore.Contains{Field: "n", Value: "x"}
	for _, f := range []vectorstore.Filter{
		nil, eq, vectorstore.Eq{Field: `q"uote`, Value: nil}, vectorstore.Ne{Field: "n", Value: "x"}, vectorstore.In{Field: "n", Values: []any{1, "x", nil, true}},
		vectorstore.NotIn{Field: "n", Values: []any{1}}, vectorstore.Gt{Field: "a b", Value: 1.5}, vectorstore.Lte{Field: "n", Value: -1}, vectorstore.Gt{Field: "n", Value: true},
		vectorstore.InSource{Name: "s"}, vectorstore.And{eq, vectorstore.Or{eq, vectorstore.Not{Filter: eq}}},
	} {
		require.False(t, qdrant.EvaluatesHere(f), "%#v", f)
	}
	for _, f := range []vectorstore.Filter{
		part, re, vectorstore.StartsWith{Field: "n", Value: "x"}, vectorstore.EndsWith{Field: "n", Value: "x"}, vectorstore.NotContains{Field: "n", Value: "x"},
		vectorstore.ContentContains{Value: "x"}, vectorstore.ContentNotContains{Value: "x"}, vectorstore.Gt{Field: "n", Value: "2026-01-01"},
		vectorstore.Eq{Field: "n", Value: int64(math.MaxInt64)}, vectorstore.Gt{Field: `q"uote`, Value: 1}, vectorstore.And{eq, part}, vectorstore.Not{Filter: part},
	} {
		require.True(t, qdrant.EvaluatesHere(f), "%#v", f)
	}
}

// TestDeepFilters nests filters deeper than a server's decoder follows.
func TestDeepFilters(t *testing.T) {
	servers(t, func(t *testing.T, cfg qdrant.Config) {
		cfg.Dimensions = 2
		s := open(t, cfg)
		require.NoError(t, s.Upsert(t.Context(), record("a"), record("b")))
		rnd := rand.New(rand.NewPCG(1, 2))
		for depth := range vectorstore.MaxFilterDepth {
			var f vectorstore.Filter = vectorstore.Eq{Field: "n", Value: 1}
			for range depth {
				switch rnd.IntN(3) {
				case 0:
					f = vectorstore.Not{Filter: f}
				case 1:
					f = vectorstore.And{f}
				default:
					f = vectorstore.Or{f}
				}
			}
			want := 0
			if f.Match(record("a").Document) {
				want = 2
			}
			n, err := s.Count(t.Context(), f)
			require.NoError(t, err, depth)
			require.Equal(t, want, n, depth)
		}
	})
}

// TestMetadataComeBack compares metadata with what they were, type by type.
func TestMetadataComeBack(t *testing.T) {
	servers(t, func(t *testing.T, cfg qdrant.Config) {
		cfg.Dimensions = 2
		s := open(t, cfg)
		in := record("a")
		in.Data = json.RawMessage(`{ "kept": "as it is", "n": 1.50 }`)
		in.Metadata = map[string]any{"i": int64(1<<53 + 1), "max": int64(math.MaxInt64), "f": 0.1, "tiny": 5e-324, "huge": 1e300, "odd": 0.30000000000000004,
			"s": "<&>\u2028", "b": false, "null": nil, "l": []any{int64(1), 2.5, "x", nil, true}, "empty": []any{}, "": "no name"}
		bare := vectorstore.Record{Document: vectorstore.Document{ID: "b"}}
		none := vectorstore.Record{Document: vectorstore.Document{ID: "c", Metadata: map[string]any{}}}
		require.NoError(t, s.Upsert(t.Context(), in, bare, none))
		out, err := s.Get(t.Context(), "a", "b", "c", "a")
		require.NoError(t, err)
		require.Equal(t, []vectorstore.Document{in.Document, bare.Document, none.Document, in.Document}, out)
		out[0].Metadata["l"].([]any)[0] = "changed"
		require.Equal(t, int64(1), out[3].Metadata["l"].([]any)[0], "the same document twice shares nothing")
		in.Data = json.RawMessage("{")
		require.ErrorIs(t, s.Upsert(t.Context(), in), vectorstore.ErrInvalid)
		in.Data, in.Metadata = nil, map[string]any{"\xff": 1}
		require.ErrorIs(t, s.Upsert(t.Context(), in), vectorstore.ErrInvalid)
	})
}

// FuzzMetadata stores metadata in a payload and reads them back.
func FuzzMetadata(f *testing.F) {
	for _, seed := range []string{`{"a":1}`, `{"a":[1,"x",null,2.5e300]}`, `{"":-0.0}`, `{"n":9007199254740993}`, `{"<":"\u0000"}`, `null`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var metadata map[string]any
		d := json.NewDecoder(strings.NewReader(text))
		d.UseNumber()
		if d.Decode(&metadata) != nil {
			return
		}
		r := vectorstore.Record{Document: vectorstore.Document{ID: "x", Metadata: metadata}}
		if r.Validate(0) != nil {
			return
		}
		out, err := qdrant.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		for key, v := range metadata {
			if list, ok := v.([]any); ok && len(list) > 0 {
				v = list[0]
			} else if ok {
				continue
			}
			if !(vectorstore.Eq{Field: key, Value: v}).Match(out) {
				t.Fatalf("%q: %v became %v", key, v, out.Metadata[key])
			}
		}
		if keys := len(metadata); len(out.Metadata) != keys || (metadata == nil) != (out.Metadata == nil) {
			t.Fatalf("%v became %v", metadata, out.Metadata)
		}
	})
}

// FuzzPayload reads payloads that something else wrote.
func FuzzPayload(f *testing.F) {
	f.Add("id", `{"a":{"b":1}}`, "{")
	f.Add("", "", "")
	f.Add("x", `[1]`, "null")
	f.Fuzz(func(t *testing.T, id, metadata, data string) {
		d, err := qdrant.ReadPayload(id, metadata, data)
		if err == nil && d.ID == "" {
			t.Fatal("a document without id")
		}
	})
}
