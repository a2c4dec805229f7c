// Package storetest is the conformance suite of document stores. Every store of
// this module passes it; run it on your own:
//
//	func TestStore(t *testing.T) {
//		storetest.Run(t, func(t *testing.T, dimensions int) vectorstore.VectorStore {
//			return mystore.Open(t.TempDir(), dimensions)
//		})
//	}
//
// With -short it leaves out what stores 100,000 records. It is one file, because it
// is read as one list: what a store must do.
package storetest

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/vectorstore"
)

// Open makes an empty store for vectors of the given length. The suite closes
// it.
type Open func(t *testing.T, dimensions int) vectorstore.VectorStore

// Run checks that a store keeps the contract of vectorstore.VectorStore, and of
// the optional interfaces that it implements.
func Run(t *testing.T, open Open) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, vectorstore.VectorStore)
	}{
		{"RoundTrip", roundTrip}, {"UpsertIsAtomic", upsertIsAtomic}, {"Replace", replace}, {"Delete", remove},
		{"GetOrder", getOrder}, {"SearchOrder", searchOrder}, {"Filters", filters}, {"OddIDs", oddIDs},
		{"Aliasing", aliasing}, {"Refusals", refusals}, {"Cancelled", cancelled}, {"All", all},
		{"Pending", pending}, {"Apply", apply}, {"Concurrent", concurrent}, {"Closed", closed},
		{"FiltersOfMany", filtersOfMany}, {"Large", large},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := open(t, dimensions)
			defer func() { require.NoError(t, s.Close()) }()
			test.run(t, s)
		})
	}
}

const dimensions = 4

// vector is a direction that depends on the angle: cosines of close angles are
// close.
func vector(angle float64) []float32 {
	return []float32{float32(math.Cos(angle)), float32(math.Sin(angle)), 0, 0}
}

func record(id string, angle float64) vectorstore.Record {
	return vectorstore.Record{Vector: vector(angle), Document: vectorstore.Document{ID: id, Content: "content of " + id}}
}

func ids[D any](docs []D, id func(D) string) []string {
	out := make([]string, len(docs))
	for i, d := range docs {
		out[i] = id(d)
	}
	return out
}

func matchIDs(m []vectorstore.Match) []string {
	return ids(m, func(m vectorstore.Match) string { return m.ID })
}

func docIDs(d []vectorstore.Document) []string {
	return ids(d, func(d vectorstore.Document) string { return d.ID })
}

func collect(t *testing.T, s vectorstore.VectorStore, f vectorstore.Filter) []vectorstore.Document {
	var out []vectorstore.Document
	for d, err := range s.All(t.Context(), f) {
		require.NoError(t, err)
		out = append(out, d)
	}
	return out
}

func count(t *testing.T, s vectorstore.VectorStore, f vectorstore.Filter) int {
	n, err := s.Count(t.Context(), f)
	require.NoError(t, err)
	return n
}

func roundTrip(t *testing.T, s vectorstore.VectorStore) {
	in := vectorstore.Record{Vector: vector(1), Document: vectorstore.Document{
		ID: "a", Source: "api.yaml", Pointer: "/paths/~1a", Content: "GET /größe\n注文 \"quoted\" <tag>",
		Data: json.RawMessage(`{"method":"GET","n":[1,2]}`),
		Metadata: map[string]any{"text": "x", "whole": 7, "big": int64(9007199254740993), "real": 0.25, "yes": true, "none": nil,
			"list": []any{"a", 2, false}, "strings": []string{"p", "q"}, "empty": ""},
	}}
	require.NoError(t, s.Upsert(t.Context(), in))
	docs, err := s.Get(t.Context(), "a")
	require.NoError(t, err)
	require.Len(t, docs, 1)
	out := docs[0]
	require.Equal(t, in.Source, out.Source)
	require.Equal(t, in.Pointer, out.Pointer)
	require.Equal(t, in.Content, out.Content)
	require.JSONEq(t, string(in.Data), string(out.Data))
	want, err := json.Marshal(in.Metadata)
	require.NoError(t, err)
	got, err := json.Marshal(out.Metadata)
	require.NoError(t, err)
	require.Equal(t, string(want), string(got), "metadata, to the digit")
	found, err := s.Search(t.Context(), vector(1), 1, nil)
	require.NoError(t, err)
	require.Equal(t, []string{"a"}, matchIDs(found))
	require.InDelta(t, 1, found[0].Score, 1e-5)
	require.Nil(t, found[0].Data, "search results have no data")
	require.Equal(t, in.Content, found[0].Content)
}

func upsertIsAtomic(t *testing.T, s vectorstore.VectorStore) {
	require.NoError(t, s.Upsert(t.Context()), "no records is no error")
	bad := record("b", 1)
	bad.Vector = []float32{1}
	require.ErrorIs(t, s.Upsert(t.Context(), record("a", 0), bad), vectorstore.ErrInvalid)
	require.ErrorIs(t, s.Upsert(t.Context(), record("a", 0), record("a", 1)), vectorstore.ErrInvalid)
	require.Zero(t, count(t, s, nil))
}

func replace(t *testing.T, s vectorstore.VectorStore) {
	require.NoError(t, s.Upsert(t.Context(), record("a", 0), record("b", 1)))
	changed := record("a", 2)
	changed.Content, changed.Metadata = "new", map[string]any{"k": "v"}
	require.NoError(t, s.Upsert(t.Context(), changed))
	require.Equal(t, 2, count(t, s, nil))
	found, err := s.Search(t.Context(), vector(2), 1, nil)
	require.NoError(t, err)
	require.Equal(t, "new", found[0].Content)
	require.Equal(t, 1, count(t, s, vectorstore.Eq{Field: "k", Value: "v"}))
	require.NoError(t, s.Upsert(t.Context(), record("a", 2)))
	require.Zero(t, count(t, s, vectorstore.Eq{Field: "k", Value: "v"}), "metadata is replaced as a whole")
}

func remove(t *testing.T, s vectorstore.VectorStore) {
	require.NoError(t, s.Upsert(t.Context(), record("a", 0), record("b", 1), record("c", 2)))
	n, err := s.Delete(t.Context())
	require.NoError(t, err)
	require.Zero(t, n, "no ids is a no-op")
	n, err = s.Delete(t.Context(), "b", "nope", "b", "")
	require.NoError(t, err)
	require.Equal(t, 1, n)
	n, err = s.Delete(t.Context(), "b")
	require.NoError(t, err)
	require.Zero(t, n)
	found, err := s.Search(t.Context(), vector(1), 5, nil)
	require.NoError(t, err)
	require.ElementsMatch(t, []string{"a", "c"}, matchIDs(found))
}

func getOrder(t *testing.T, s vectorstore.VectorStore) {
	require.NoError(t, s.Upsert(t.Context(), record("a", 0), record("b", 1), record("c", 2)))
	docs, err := s.Get(t.Context(), "c", "nope", "a")
	require.NoError(t, err)
	require.Equal(t, []string{"c", "a"}, docIDs(docs))
	docs, err = s.Get(t.Context())
	require.NoError(t, err)
	require.Empty(t, docs)
}

func searchOrder(t *testing.T, s vectorstore.VectorStore) {
	found, err := s.Search(t.Context(), vector(0), 3, nil)
	require.NoError(t, err)
	require.Empty(t, found, "an empty store")
	var records []vectorstore.Record
	for i := range 40 {
		records = append(records, record(fmt.Sprintf("far%02d", 39-i), 1+float64(i)/100), record(fmt.Sprintf("tie%02d", 39-i), 0.5))
	}
	require.NoError(t, s.Upsert(t.Context(), records...))
	found, err = s.Search(t.Context(), vector(0.5), 30, nil)
	require.NoError(t, err)
	require.Len(t, found, 30)
	for i, m := range found {
		require.Equal(t, fmt.Sprintf("tie%02d", i), m.ID, "ties are in the order of their ids")
	}
	found, err = s.Search(t.Context(), vector(0.5), 1000, nil)
	require.NoError(t, err)
	require.Len(t, found, 80, "k may be larger than the store")
	require.True(t, slices.IsSortedFunc(found, func(a, b vectorstore.Match) int {
		return int(math.Copysign(1, b.Score-a.Score)) * boolInt(a.Score != b.Score)
	}))
	for _, k := range []int{0, -1} {
		found, err = s.Search(t.Context(), vector(0.5), k, nil)
		require.NoError(t, err)
		require.Empty(t, found)
	}
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// filters compares every operator, in generated combinations, with Filter.Match.
func filters(t *testing.T, s vectorstore.VectorStore) {
	rnd := rand.New(rand.NewPCG(3, 4))
	var records []vectorstore.Record
	for i := range 60 {
		records = append(records, varied(i))
		require.NoError(t, s.Upsert(t.Context(), records[i]))
	}
	for i := range 300 {
		compareFilter(t, s, records, generate(t, rnd, 1+i%5))
	}
}

// filtersOfMany does so in a store that is large enough for shortcuts, after
// records were replaced and deleted.
func filtersOfMany(t *testing.T, s vectorstore.VectorStore) {
	rnd := rand.New(rand.NewPCG(5, 6))
	const size, deleted = 4000, 700
	var records []vectorstore.Record
	for i := range size {
		records = append(records, varied(i))
	}
	require.NoError(t, s.Upsert(t.Context(), records...))
	for i := range size / 10 {
		r := varied(rnd.IntN(1000))
		records[i].Metadata, records[i].Content, records[i].Source = r.Metadata, r.Content, r.Source
	}
	require.NoError(t, s.Upsert(t.Context(), records[:size/10]...))
	n, err := s.Delete(t.Context(), docIDs(documents(records[size-deleted:]))...)
	require.NoError(t, err)
	require.Equal(t, deleted, n)
	for range 60 {
		compareFilter(t, s, records[:size-deleted], generate(t, rnd, 3))
	}
}

func documents(records []vectorstore.Record) []vectorstore.Document {
	out := make([]vectorstore.Document, len(records))
	for i, r := range records {
		out[i] = r.Document
	}
	return out
}

// varied makes a record whose metadata differ in kind, and lack some fields.
func varied(i int) vectorstore.Record {
	r := record(fmt.Sprintf("d%04d", i), float64(i)/5000)
	r.Source = fmt.Sprint("file", i%3)
	r.Content = []string{"GET /orders", "POST /orders", "prose about größe"}[i%3]
	r.Metadata = map[string]any{"n": i % 7, "method": []string{"GET", "POST", "get"}[i%3], "id": fmt.Sprint("number ", i)}
	if i%2 == 0 {
		r.Metadata["tags"] = []any{"a", fmt.Sprint("t", i%5), i % 4}
	}
	if i%5 == 0 {
		r.Metadata["f"], r.Metadata["b"], r.Metadata["null"] = float64(i)/10, i%10 == 0, nil
	}
	if i%11 == 0 {
		r.Metadata["größe"], r.Metadata["n"] = "注文", fmt.Sprint(i%7) // a number as text
	}
	return r
}

// compareFilter compares what a store says of a filter with Filter.Match.
func compareFilter(t *testing.T, s vectorstore.VectorStore, records []vectorstore.Record, f vectorstore.Filter) {
	var want []string
	for _, r := range records {
		if f.Match(r.Document) {
			want = append(want, r.ID)
		}
	}
	msg := fmt.Sprintf("%#v", f)
	slices.Sort(want)
	require.Equal(t, len(want), count(t, s, f), msg)
	require.True(t, slices.Equal(want, docIDs(collect(t, s, f))), msg)
	query := vector(-0.1) // all are at different distances
	found, err := s.Search(t.Context(), query, len(records)+1, f)
	require.NoError(t, err, msg)
	got := matchIDs(found)
	slices.Sort(got)
	require.True(t, slices.Equal(want, got), msg)
	few, err := s.Search(t.Context(), query, 2, f)
	require.NoError(t, err, msg)
	require.Equal(t, matchIDs(found)[:min(2, len(want))], matchIDs(few), "the filter applies before the cut: "+msg)
}

// large stores 100,000 records, and finds each where it should be.
func large(t *testing.T, s vectorstore.VectorStore) {
	if testing.Short() {
		t.Skip("stores 100,000 records")
	}
	const size, batch, wanted = 100_000, 5000, 77_777
	for from := 0; from < size; from += batch {
		var records []vectorstore.Record
		for i := from; i < from+batch; i++ {
			r := record(fmt.Sprintf("document %d", i), 2+float64(i)/size) // far from the wanted one
			r.Metadata = map[string]any{"group": i % 50}
			if i == wanted {
				r.Vector = vector(1)
			}
			records = append(records, r)
		}
		require.NoError(t, s.Upsert(t.Context(), records...))
	}
	require.Equal(t, size, count(t, s, nil))
	require.Equal(t, size/50, count(t, s, vectorstore.Eq{Field: "group", Value: 27}))
	for _, f := range []vectorstore.Filter{nil, vectorstore.Eq{Field: "group", Value: wanted % 50}} {
		found, err := s.Search(t.Context(), vector(1), 3, f)
		require.NoError(t, err)
		require.Len(t, found, 3)
		require.Equal(t, fmt.Sprint("document ", wanted), found[0].ID)
	}
	n := 0
	for d, err := range s.All(t.Context(), nil) {
		require.NoError(t, err)
		require.Equal(t, "content of "+d.ID, d.Content)
		n++
	}
	require.Equal(t, size, n, "none has taken the place of another")
}

// generate makes a random filter.
func generate(t *testing.T, rnd *rand.Rand, depth int) vectorstore.Filter {
	if depth > 0 && rnd.IntN(2) == 0 {
		var parts []vectorstore.Filter
		for range 1 + rnd.IntN(3) {
			parts = append(parts, generate(t, rnd, depth-1))
		}
		switch rnd.IntN(3) {
		case 0:
			return vectorstore.And(parts)
		case 1:
			return vectorstore.Or(parts)
		}
		return vectorstore.Not{Filter: parts[0]}
	}
	field := []string{"n", "method", "tags", "f", "b", "null", "missing", "größe", "id"}[rnd.IntN(9)]
	value := []any{"GET", "a", "t1", "2", 2, 3.5, 0, true, nil, "注文", "number 5"}[rnd.IntN(11)]
	text := []string{"", "G", "E", "t", "1", "et"}[rnd.IntN(6)]
	switch rnd.IntN(16) {
	case 0:
		return vectorstore.Eq{Field: field, Value: value}
	case 1:
		return vectorstore.Ne{Field: field, Value: value}
	case 2:
		return vectorstore.Gt{Field: field, Value: value}
	case 3:
		return vectorstore.Gte{Field: field, Value: value}
	case 4:
		return vectorstore.Lt{Field: field, Value: value}
	case 5:
		return vectorstore.Lte{Field: field, Value: value}
	case 6:
		return vectorstore.Contains{Field: field, Value: text}
	case 7:
		return vectorstore.NotContains{Field: field, Value: text}
	case 8:
		return vectorstore.StartsWith{Field: field, Value: text}
	case 9:
		return vectorstore.EndsWith{Field: field, Value: text}
	case 10:
		f, err := vectorstore.NewRegex(field, []string{"^G", "[0-9]+", "(?i)get", "^$"}[rnd.IntN(4)])
		require.NoError(t, err)
		return f
	case 11:
		return vectorstore.In{Field: field, Values: []any{value, "POST", 1}}
	case 12:
		return vectorstore.NotIn{Field: field, Values: []any{value, "POST", 1}}
	case 13:
		return vectorstore.ContentContains{Value: []string{"orders", "größe", "x"}[rnd.IntN(3)]}
	case 14:
		return vectorstore.ContentNotContains{Value: "GET"}
	}
	return vectorstore.InSource{Name: fmt.Sprint("file", rnd.IntN(4))}
}

func oddIDs(t *testing.T, s vectorstore.VectorStore) {
	odd := []string{"a/b", "../x", "ü 注", "a\nb", "a\x00b", " ", "%2F", strings.Repeat("x", vectorstore.MaxIDLength),
		"doc-0000042#chunk-3", "doc-0007656#chunk-2"} // the last two collide in chromem-go's file names
	for i, id := range odd {
		require.NoError(t, s.Upsert(t.Context(), record(id, float64(i))), "%q", id)
	}
	require.Equal(t, len(odd), count(t, s, nil))
	docs, err := s.Get(t.Context(), odd...)
	require.NoError(t, err)
	require.Equal(t, odd, docIDs(docs))
	n, err := s.Delete(t.Context(), odd...)
	require.NoError(t, err)
	require.Equal(t, len(odd), n)
}

func aliasing(t *testing.T, s vectorstore.VectorStore) {
	r := record("a", 1)
	r.Metadata = map[string]any{"k": "v", "list": []any{"x"}}
	r.Data = json.RawMessage(`{"k":"v"}`)
	require.NoError(t, s.Upsert(t.Context(), r))
	spoil := func(d vectorstore.Document) {
		d.Metadata["k"] = "spoiled"
		d.Metadata["list"].([]any)[0] = "spoiled"
		for i := range d.Data {
			d.Data[i] = 'X'
		}
	}
	spoil(r.Document)
	r.Vector[0] = 99
	get := func() vectorstore.Document {
		docs, err := s.Get(t.Context(), "a")
		require.NoError(t, err)
		return docs[0]
	}
	spoil(get())
	found, err := s.Search(t.Context(), vector(1), 1, nil)
	require.NoError(t, err)
	require.InDelta(t, 1, found[0].Score, 1e-5)
	spoil(found[0].Document)
	d := get()
	require.Equal(t, "v", d.Metadata["k"])
	require.Equal(t, []any{"x"}, d.Metadata["list"])
	require.JSONEq(t, `{"k":"v"}`, string(d.Data))
}

func refusals(t *testing.T, s vectorstore.VectorStore) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for name, v := range map[string][]float32{"zero": {0, 0, 0, 0}, "short": {1}, "long": {1, 0, 0, 0, 0}, "NaN": {nan, 0, 0, 0}, "infinite": {inf, 0, 0, 0}, "empty": {}} {
		r := record("a", 0)
		r.Vector = v
		require.ErrorIs(t, s.Upsert(t.Context(), r), vectorstore.ErrInvalid, name)
	}
	require.NoError(t, s.Upsert(t.Context(), record("a", 0)))
	for name, v := range map[string][]float32{"zero": {0, 0, 0, 0}, "short": {1}, "NaN": {nan, 0, 0, 0}, "nil": nil} {
		_, err := s.Search(t.Context(), v, 1, nil)
		require.ErrorIs(t, err, vectorstore.ErrInvalid, name)
	}
	for name, r := range map[string]vectorstore.Record{
		"no id": record("", 0), "long id": record(strings.Repeat("x", vectorstore.MaxIDLength+1), 0), "bad UTF-8": record("\xff", 0),
		"nested": {Document: vectorstore.Document{ID: "x", Content: "x", Metadata: map[string]any{"m": map[string]any{}}}},
	} {
		require.ErrorIs(t, s.Upsert(t.Context(), r), vectorstore.ErrInvalid, name)
	}
	require.Equal(t, 1, count(t, s, nil))
}

func cancelled(t *testing.T, s vectorstore.VectorStore) {
	require.NoError(t, s.Upsert(t.Context(), record("a", 0)))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := s.Search(ctx, vector(0), 1, nil)
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorIs(t, s.Upsert(ctx, record("b", 0)), context.Canceled)
	_, err = s.Delete(ctx, "a")
	require.ErrorIs(t, err, context.Canceled)
	_, err = s.Get(ctx, "a")
	require.ErrorIs(t, err, context.Canceled)
	var last error
	for _, err := range s.All(ctx, nil) {
		last = err
	}
	require.ErrorIs(t, last, context.Canceled)
	require.Equal(t, 1, count(t, s, nil))
}

func all(t *testing.T, s vectorstore.VectorStore) {
	require.NoError(t, s.Upsert(t.Context(), record("c", 0), record("a", 1), record("b", 2)))
	require.Equal(t, []string{"a", "b", "c"}, docIDs(collect(t, s, nil)))
	// Writing while iterating neither blocks nor changes what the iteration sees.
	var seen []string
	for d, err := range s.All(t.Context(), nil) {
		require.NoError(t, err)
		seen = append(seen, d.ID)
		require.NoError(t, s.Upsert(t.Context(), record("d"+d.ID, 3)))
	}
	require.Equal(t, []string{"a", "b", "c"}, seen)
	for range s.All(t.Context(), nil) {
		break
	}
	require.Equal(t, 6, count(t, s, nil))
}

func pending(t *testing.T, s vectorstore.VectorStore) {
	p, ok := s.(vectorstore.Pender)
	if !ok {
		t.Skip("the store is no Pender")
	}
	waiting := func() []string {
		n, err := p.PendingCount(t.Context())
		require.NoError(t, err)
		var out []string
		for d, err := range p.Pending(t.Context()) {
			require.NoError(t, err)
			out = append(out, d.ID)
		}
		require.Len(t, out, n)
		return out
	}
	bare := record("b", 0)
	bare.Vector = nil
	require.NoError(t, s.Upsert(t.Context(), record("a", 0), bare))
	require.Equal(t, []string{"b"}, waiting())
	found, err := s.Search(t.Context(), vector(0), 5, nil)
	require.NoError(t, err)
	require.Equal(t, []string{"a"}, matchIDs(found))
	require.NoError(t, s.Upsert(t.Context(), record("b", 0)))
	require.Empty(t, waiting())
}

func apply(t *testing.T, s vectorstore.VectorStore) {
	a, ok := s.(vectorstore.Applier)
	if !ok {
		t.Skip("the store is no Applier")
	}
	require.NoError(t, s.Upsert(t.Context(), record("a", 0), record("b", 1)))
	bad := record("x", 0)
	bad.Vector = []float32{1}
	for name, b := range map[string]vectorstore.Batch{
		"bad record":           {Upsert: []vectorstore.Record{bad}, Delete: []string{"a"}},
		"upserted and deleted": {Upsert: []vectorstore.Record{record("a", 2)}, Delete: []string{"a"}},
	} {
		require.ErrorIs(t, a.Apply(t.Context(), b), vectorstore.ErrInvalid, name)
		require.Equal(t, []string{"a", "b"}, docIDs(collect(t, s, nil)), name)
	}
	require.NoError(t, a.Apply(t.Context(), vectorstore.Batch{Upsert: []vectorstore.Record{record("c", 2)}, Delete: []string{"a", "nope"}}))
	require.Equal(t, []string{"b", "c"}, docIDs(collect(t, s, nil)))
	require.NoError(t, a.Apply(t.Context(), vectorstore.Batch{}))
}

func concurrent(t *testing.T, s vectorstore.VectorStore) {
	var workers sync.WaitGroup
	for g := range 4 {
		workers.Go(func() {
			for i := range 30 {
				id := fmt.Sprintf("g%d-%d", g, i%10)
				var err error
				switch i % 3 {
				case 0:
					err = s.Upsert(context.Background(), record(id, float64(i)))
				case 1:
					_, err = s.Search(context.Background(), vector(float64(i)), 5, vectorstore.Ne{Field: "x", Value: 1})
				default:
					_, err = s.Delete(context.Background(), id)
				}
				if err != nil {
					t.Error(err)
				}
				for d, err := range s.All(context.Background(), nil) {
					if err != nil || d.Content != "content of "+d.ID {
						t.Errorf("%v: %q", err, d.Content)
					}
				}
			}
		})
	}
	workers.Wait()
	require.Len(t, collect(t, s, nil), count(t, s, nil))
}

func closed(t *testing.T, s vectorstore.VectorStore) {
	require.NoError(t, s.Close())
	require.NoError(t, s.Close(), "closing twice is allowed")
	require.ErrorIs(t, s.Upsert(t.Context(), record("a", 0)), vectorstore.ErrClosed)
	_, err := s.Search(t.Context(), vector(0), 1, nil)
	require.ErrorIs(t, err, vectorstore.ErrClosed)
	_, err = s.Get(t.Context(), "a")
	require.ErrorIs(t, err, vectorstore.ErrClosed)
	_, err = s.Count(t.Context(), nil)
	require.ErrorIs(t, err, vectorstore.ErrClosed)
}
