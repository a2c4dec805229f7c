package qdranttest_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"

	qc "github.com/qdrant/go-client/qdrant"
	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/vectorstore/qdrant/qdranttest"
)

var update = flag.Bool("update", false, "ask the server at QDRANT_URL and write its answers to testdata/golden.json; see testdata/engine.py")

// answer is what a server said to one request.
type answer struct {
	Name   string    `json:"name"`
	IDs    []string  `json:"ids,omitempty"`
	Scores []float32 `json:"scores,omitempty"`
	Count  uint64    `json:"count,omitempty"`
	Text   string    `json:"text,omitempty"` // of payloads or vectors
	Error  bool      `json:"error,omitempty"`
}

// TestGolden asks the double what the real engine was asked, and compares the
// answers. Scores may differ by rounding, and points of equal score may change
// places.
func TestGolden(t *testing.T) {
	if *update {
		answers := ask(t, client(t, os.Getenv("QDRANT_URL")))
		out := []byte("[\n")
		for i, a := range answers {
			line, err := json.Marshal(a)
			require.NoError(t, err)
			if out = append(out, line...); i < len(answers)-1 {
				out = append(out, ',')
			}
			out = append(out, '\n')
		}
		require.NoError(t, os.WriteFile("testdata/golden.json", append(out, ']', '\n'), 0o644))
	}
	raw, err := os.ReadFile("testdata/golden.json")
	require.NoError(t, err)
	var want []answer
	require.NoError(t, json.Unmarshal(raw, &want))
	server := start(t, qdranttest.Options{})
	got := ask(t, client(t, server.URL()))
	require.Equal(t, len(want), len(got), "the requests have changed: make the answers anew")
	for i := range want {
		t.Run(want[i].Name, func(t *testing.T) { compare(t, want[i], got[i]) })
	}
}

func compare(t *testing.T, want, got answer) {
	t.Helper()
	require.Equal(t, want.Name, got.Name)
	require.Equal(t, want.Error, got.Error, "%s: an error", want.Name)
	require.Equal(t, want.Count, got.Count, "%s: count", want.Name)
	require.Equal(t, want.Text, got.Text, want.Name)
	if want.Scores == nil {
		require.Equal(t, want.IDs, got.IDs, want.Name)
		return
	}
	require.Len(t, got.IDs, len(want.IDs), want.Name)
	require.InDeltaSlice(t, want.Scores, got.Scores, 1e-5, want.Name)
	// The order is free within a group of equal scores; which of the last group
	// is returned is so too.
	last := want.Scores[max(0, len(want.Scores)-1):]
	scores := make(map[string]float32)
	for i, id := range want.IDs {
		scores[id] = want.Scores[i]
	}
	for i, id := range got.IDs {
		score, ok := scores[id]
		if !ok {
			require.InDelta(t, last[0], got.Scores[i], 1e-5, "%s: %s was not expected", want.Name, id)
			continue
		}
		require.InDelta(t, score, got.Scores[i], 1e-5, "%s: score of %s", want.Name, id)
	}
}

// asker sends requests and collects the answers.
type asker struct {
	t       *testing.T
	client  *qc.GrpcClient
	answers []answer
}

func ask(t *testing.T, c *qc.GrpcClient) []answer {
	a := &asker{t: t, client: c}
	_, err := c.Collections().Delete(t.Context(), &qc.DeleteCollection{CollectionName: "golden"})
	require.NoError(t, err)
	_, err = c.Collections().Create(t.Context(), &qc.CreateCollection{CollectionName: "golden",
		VectorsConfig:       qc.NewVectorsConfigMap(map[string]*qc.VectorParams{"dense": {Size: 4, Distance: qc.Distance_Cosine}, "plain": {Size: 2, Distance: qc.Distance_Dot}}),
		SparseVectorsConfig: qc.NewSparseVectorsConfig(map[string]*qc.SparseVectorParams{"bm25": {Modifier: qc.Modifier_Idf.Enum()}, "raw": {}})})
	require.NoError(t, err)
	a.upsert("", nil, nil, goldenPoints()...)
	a.stored()
	a.filters()
	a.nearest()
	a.fusion()
	a.errors()
	a.conditional()
	return a.answers
}

func (a *asker) add(x answer, err error) {
	x.Error = err != nil
	a.answers = append(a.answers, x)
}

func (a *asker) upsert(name string, mode *qc.UpdateMode, f *qc.Filter, p ...*qc.PointStruct) {
	_, err := a.client.Points().Upsert(a.t.Context(), &qc.UpsertPoints{CollectionName: "golden", Wait: qc.PtrOf(true), Points: p, UpdateMode: mode, UpdateFilter: f})
	if name == "" {
		require.NoError(a.t, err)
		return
	}
	a.add(answer{Name: name}, err)
}

// scroll asks for all ids that a filter selects, and for their number.
func (a *asker) scroll(name string, f *qc.Filter) {
	r, err := a.client.Points().Scroll(a.t.Context(), &qc.ScrollPoints{CollectionName: "golden", Filter: f, Limit: qc.PtrOf(uint32(100))})
	x := answer{Name: name}
	for _, p := range r.GetResult() {
		x.IDs = append(x.IDs, idText(p.Id))
	}
	n, countErr := a.client.Points().Count(a.t.Context(), &qc.CountPoints{CollectionName: "golden", Filter: f, Exact: qc.PtrOf(true)})
	require.Equal(a.t, err == nil, countErr == nil, name)
	x.Count = n.GetResult().GetCount()
	a.add(x, err)
}

func (a *asker) query(name string, q *qc.QueryPoints) {
	q.CollectionName = "golden"
	r, err := a.client.Points().Query(a.t.Context(), q)
	x := answer{Name: name}
	for _, p := range r.GetResult() {
		x.IDs, x.Scores = append(x.IDs, idText(p.Id)), append(x.Scores, p.Score)
	}
	a.add(x, err)
}

// idText is a short form of an id.
func idText(id *qc.PointId) string {
	if u := id.GetUuid(); u != "" {
		return u[:8]
	}
	return fmt.Sprint(id.GetNum())
}

// random numbers that are the same in every run.
func random(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 7)) }

// goldenPoints are points of every form: ids of both kinds, with and without
// each vector, payloads of every type.
func goldenPoints() []*qc.PointStruct {
	rnd := random(1)
	payloads := goldenPayloads()
	var out []*qc.PointStruct
	for i := range 40 {
		vectors := make(map[string]*qc.Vector)
		if i%7 != 3 {
			v := make([]float32, 4)
			for j := range v {
				v[j] = rnd.Float32()*10 - 4
			}
			vectors["dense"] = qc.NewVectorDense(v)
		}
		if i%5 != 4 {
			indices, values := randomSparse(rnd, 6)
			vectors["bm25"] = qc.NewVectorSparse(indices, values)
			vectors["raw"] = qc.NewVectorSparse(indices, values)
		}
		if i%3 == 0 {
			vectors["plain"] = qc.NewVectorDense([]float32{rnd.Float32(), -rnd.Float32()})
		}
		id := qc.NewIDNum(uint64(i * 3))
		if i%2 == 1 {
			id = qc.NewIDUUID(fmt.Sprintf("%08x-9dad-51d1-80b4-00c04fd430c8", rnd.Uint32()))
		}
		out = append(out, &qc.PointStruct{Id: id, Payload: payloads[i%len(payloads)], Vectors: qc.NewVectorsMap(vectors)})
	}
	return out
}

// randomSparse has up to n of ten indices, some of which are frequent.
func randomSparse(rnd *rand.Rand, n int) (indices []uint32, values []float32) {
	for i := range uint32(10) {
		if len(indices) < n && rnd.IntN(12) >= int(i) {
			indices, values = append(indices, i*i*1000), append(values, float32(rnd.IntN(30)+1)/8)
		}
	}
	return indices, values
}

func goldenPayloads() []map[string]*qc.Value {
	var out []map[string]*qc.Value
	for _, p := range []map[string]any{
		{"s": "GET", "n": 1, "f": 0.5, "b": true, "nothing": nil, "l": []any{"a", "b"}, "o": map[string]any{"k": "v", "n": 3}},
		{"s": "POST", "n": 2, "f": 2.0, "b": false, "l": []any{"b", 2, true}, "o": map[string]any{"k": "w"}},
		{"s": "get", "n": -3, "l": []any{}, "os": []any{map[string]any{"k": "v", "n": 1}, map[string]any{"k": "w", "n": 2}}},
		{"s": []any{"GET", "POST"}, "n": []any{1, 5}, "f": []any{0.25, 7}, "nothing": []any{nil}, "l": []any{nil, "a"}},
		{"s": 1, "n": "1", "f": "0.5", "b": "true", "l": "a", "o": "v"},
		{"s": "", "n": 9007199254740993, "f": -1e300, "l": []any{[]any{"a"}}, "os": []any{map[string]any{"k": "v", "n": 2}}},
		{"größe": "weit, weiter", "a b": "quoted", "x.y": "dotted", "x": map[string]any{"y": "nested"}},
		{"terms": []any{`["method"]`, `["method","GET"]`, `["tags","x"]`}, "numbers": map[string]any{"a.b": []any{1, 2.5}, "n": []any{4}}},
		{},
	} {
		out = append(out, qc.NewValueMap(p))
	}
	return out
}

// stored asks what comes back of payloads and vectors.
func (a *asker) stored() {
	for _, p := range goldenPoints()[:9] {
		r, err := a.client.Points().Get(a.t.Context(), &qc.GetPoints{CollectionName: "golden", Ids: []*qc.PointId{p.Id},
			WithPayload: qc.NewWithPayloadInclude("s", "n", "f", "nothing"), WithVectors: qc.NewWithVectorsInclude("dense", "bm25")})
		require.NoError(a.t, err)
		require.Len(a.t, r.GetResult(), 1)
		got := r.GetResult()[0]
		text := ""
		for _, key := range []string{"s", "n", "f", "nothing"} {
			text += describe(got.Payload[key]) + " "
		}
		vectors := got.GetVectors().GetVectors().GetVectors()
		for _, x := range vectors["dense"].GetDense().GetData() {
			text += fmt.Sprintf("%.4f ", x)
		}
		text += fmt.Sprint(vectors["bm25"].GetSparse().GetIndices(), vectors["bm25"].GetSparse().GetValues())
		a.add(answer{Name: "stored " + idText(p.Id), Text: text}, nil)
	}
}

// describe writes a value with its type.
func describe(v *qc.Value) string {
	switch v := v.GetKind().(type) {
	case *qc.Value_ListValue:
		s := "["
		for _, e := range v.ListValue.GetValues() {
			s += describe(e) + " "
		}
		return s + "]"
	case *qc.Value_IntegerValue:
		return fmt.Sprintf("int %d", v.IntegerValue)
	case *qc.Value_DoubleValue:
		return fmt.Sprintf("double %g", v.DoubleValue)
	case *qc.Value_StringValue:
		return fmt.Sprintf("%q", v.StringValue)
	case *qc.Value_NullValue:
		return "null"
	}
	return "-"
}

// goldenConditions are all leaves, on fields of all types.
func goldenConditions() map[string]*qc.Condition {
	out := make(map[string]*qc.Condition)
	for _, key := range []string{"s", "n", "f", "b", "l", "nothing", "missing", "o", "o.k", "os[].k", "os[0].k", "os.k", "größe", `"a b"`, `"x.y"`, "x.y", "terms", `numbers."a.b"`, "numbers.n", "l[0]", "l[]"} {
		for _, word := range []string{"GET", "a", "v", "1", "", "quoted", "dotted", "nested", `["method"]`} {
			out[fmt.Sprintf("%s keyword %q", key, word)] = qc.NewMatchKeyword(key, word)
		}
		out[key+" integer"] = qc.NewMatchInt(key, 1)
		out[key+" large integer"] = qc.NewMatchInt(key, 9007199254740993)
		out[key+" keywords"] = qc.NewMatchKeywords(key, "POST", "b", "w", `["tags","x"]`)
		out[key+" integers"] = qc.NewMatchInts(key, 2, 5)
		out[key+" except keywords"] = qc.NewMatchExceptKeywords(key, "GET", "a", "v")
		out[key+" except integers"] = qc.NewMatchExceptInts(key, 1, 2)
		out[key+" gt"] = qc.NewRange(key, &qc.Range{Gt: qc.PtrOf(1.0)})
		out[key+" gte"] = qc.NewRange(key, &qc.Range{Gte: qc.PtrOf(2.0)})
		out[key+" lt"] = qc.NewRange(key, &qc.Range{Lt: qc.PtrOf(0.5)})
		out[key+" lte"] = qc.NewRange(key, &qc.Range{Lte: qc.PtrOf(0.5)})
		out[key+" between"] = qc.NewRange(key, &qc.Range{Gte: qc.PtrOf(0.25), Lt: qc.PtrOf(5.0)})
		out[key+" values"] = qc.NewValuesCount(key, &qc.ValuesCount{Gte: qc.PtrOf(uint64(2))})
		out[key+" few values"] = qc.NewValuesCount(key, &qc.ValuesCount{Lt: qc.PtrOf(uint64(2))})
		out[key+" is empty"] = qc.NewIsEmpty(key)
		out[key+" is null"] = qc.NewIsNull(key)
	}
	out["nested"] = qc.NewNestedFilter("os", &qc.Filter{Must: []*qc.Condition{qc.NewMatchKeyword("k", "v"), qc.NewMatchInt("n", 2)}})
	out["nested or"] = qc.NewNestedFilter("os[]", &qc.Filter{Should: []*qc.Condition{qc.NewMatchKeyword("k", "w"), qc.NewMatchInt("n", 7)}})
	out["nested not"] = qc.NewNestedFilter("os", &qc.Filter{MustNot: []*qc.Condition{qc.NewMatchKeyword("k", "v")}})
	out["has id"] = qc.NewHasID(qc.NewIDNum(6), qc.NewIDNum(12), qc.NewIDNum(999), goldenPoints()[5].Id)
	out["has no id"] = qc.NewHasID()
	for _, name := range []string{"dense", "bm25", "plain", "other"} {
		out["has vector "+name] = qc.NewHasVector(name)
	}
	return out
}

func (a *asker) filters() {
	conditions := goldenConditions()
	names := sortedKeys(conditions)
	for _, name := range names {
		a.scroll(name, &qc.Filter{Must: []*qc.Condition{conditions[name]}})
	}
	a.scroll("no filter", nil)
	a.scroll("empty filter", &qc.Filter{})
	rnd := random(2)
	for i := range 120 {
		a.scroll(fmt.Sprint("combined ", i), randomFilter(rnd, names, conditions, 3))
	}
	for _, limit := range []uint32{1, 7, 40} {
		x := answer{Name: fmt.Sprint("pages of ", limit)}
		for offset := (*qc.PointId)(nil); ; {
			r, err := a.client.Points().Scroll(a.t.Context(), &qc.ScrollPoints{CollectionName: "golden", Limit: &limit, Offset: offset,
				Filter: &qc.Filter{Must: []*qc.Condition{qc.NewHasVector("dense")}}})
			require.NoError(a.t, err)
			for _, p := range r.GetResult() {
				x.IDs = append(x.IDs, idText(p.Id))
			}
			if offset = r.GetNextPageOffset(); offset == nil {
				break
			}
			x.Text += idText(offset) + " "
		}
		a.add(x, nil)
	}
}

func randomFilter(rnd *rand.Rand, names []string, conditions map[string]*qc.Condition, depth int) *qc.Filter {
	some := func(n int) (out []*qc.Condition) {
		for range rnd.IntN(n + 1) {
			if depth > 0 && rnd.IntN(3) == 0 {
				out = append(out, qc.NewFilterAsCondition(randomFilter(rnd, names, conditions, depth-1)))
			} else {
				out = append(out, conditions[names[rnd.IntN(len(names))]])
			}
		}
		return out
	}
	f := &qc.Filter{Must: some(1), Should: some(3), MustNot: some(1)}
	if rnd.IntN(4) == 0 {
		f.MinShould = &qc.MinShould{Conditions: some(5), MinCount: uint64(rnd.IntN(3))}
	}
	return f
}

func (a *asker) nearest() {
	rnd := random(3)
	dense := func() *qc.Query {
		return qc.NewQueryDense([]float32{rnd.Float32() * 5, rnd.Float32(), -rnd.Float32(), rnd.Float32() * 9})
	}
	sparse := func() *qc.Query {
		indices, values := randomSparse(rnd, 4)
		return qc.NewQuerySparse(indices, values)
	}
	filter := &qc.Filter{MustNot: []*qc.Condition{qc.NewMatchKeyword("s", "GET")}}
	for i := range 5 {
		q := dense()
		a.query(fmt.Sprint("dense ", i), &qc.QueryPoints{Query: q, Using: qc.PtrOf("dense")})
		a.query(fmt.Sprint("dense all ", i), &qc.QueryPoints{Query: q, Using: qc.PtrOf("dense"), Limit: qc.PtrOf(uint64(99))})
		a.query(fmt.Sprint("dense page ", i), &qc.QueryPoints{Query: q, Using: qc.PtrOf("dense"), Limit: qc.PtrOf(uint64(5)), Offset: qc.PtrOf(uint64(7)), Params: &qc.SearchParams{Exact: qc.PtrOf(true)}})
		a.query(fmt.Sprint("dense filtered ", i), &qc.QueryPoints{Query: q, Using: qc.PtrOf("dense"), Filter: filter, Limit: qc.PtrOf(uint64(6))})
		a.query(fmt.Sprint("dense threshold ", i), &qc.QueryPoints{Query: q, Using: qc.PtrOf("dense"), ScoreThreshold: qc.PtrOf(float32(0.3)), Limit: qc.PtrOf(uint64(50))})
		a.query(fmt.Sprint("dot ", i), &qc.QueryPoints{Query: qc.NewQueryDense([]float32{rnd.Float32(), 2}), Using: qc.PtrOf("plain")})
		q = sparse()
		a.query(fmt.Sprint("idf ", i), &qc.QueryPoints{Query: q, Using: qc.PtrOf("bm25"), Limit: qc.PtrOf(uint64(99))})
		a.query(fmt.Sprint("idf filtered ", i), &qc.QueryPoints{Query: q, Using: qc.PtrOf("bm25"), Filter: filter, Limit: qc.PtrOf(uint64(99))})
		a.query(fmt.Sprint("sparse ", i), &qc.QueryPoints{Query: q, Using: qc.PtrOf("raw"), Limit: qc.PtrOf(uint64(99))})
	}
	a.query("unknown words", &qc.QueryPoints{Query: qc.NewQuerySparse([]uint32{5}, []float32{1}), Using: qc.PtrOf("bm25")})
	a.query("no words", &qc.QueryPoints{Query: qc.NewQuerySparse(nil, nil), Using: qc.PtrOf("bm25")})
}

func (a *asker) fusion() {
	rnd := random(4)
	filter := &qc.Filter{Should: []*qc.Condition{qc.NewMatchKeyword("s", "GET"), qc.NewRange("n", &qc.Range{Gt: qc.PtrOf(1.0)})}}
	for i := range 6 {
		indices, values := randomSparse(rnd, 4)
		arms := func(limit uint64, own *qc.Filter) []*qc.PrefetchQuery {
			return []*qc.PrefetchQuery{
				{Query: qc.NewQuerySparse(indices, values), Using: qc.PtrOf("bm25"), Limit: &limit, Filter: own},
				{Query: qc.NewQueryDense([]float32{1, float32(i), 2, -1}), Using: qc.PtrOf("dense"), Limit: &limit},
			}
		}
		kinds := map[string]*qc.Query{
			"rrf": qc.NewQueryFusion(qc.Fusion_RRF), "dbsf": qc.NewQueryFusion(qc.Fusion_DBSF), "rrf 60": qc.NewQueryRRF(&qc.Rrf{K: qc.PtrOf(uint32(60))}),
			"rrf weighted": qc.NewQueryRRF(&qc.Rrf{Weights: []float32{3, 0.5}}), "rrf one arm": qc.NewQueryRRF(&qc.Rrf{K: qc.PtrOf(uint32(10)), Weights: []float32{1, 0}}),
		}
		for _, name := range sortedKeys(kinds) {
			q := kinds[name]
			name = fmt.Sprint(name, " ", i)
			a.query(name, &qc.QueryPoints{Prefetch: arms(8, nil), Query: q, Limit: qc.PtrOf(uint64(50))})
			a.query(name+" filtered", &qc.QueryPoints{Prefetch: arms(5, nil), Query: q, Limit: qc.PtrOf(uint64(50)), Filter: filter})
			a.query(name+" both filters", &qc.QueryPoints{Prefetch: arms(5, &qc.Filter{MustNot: []*qc.Condition{qc.NewMatchKeyword("l", "b")}}), Query: q, Limit: qc.PtrOf(uint64(50)), Filter: filter})
		}
		a.query(fmt.Sprint("rescored ", i), &qc.QueryPoints{Prefetch: arms(6, nil)[:1], Query: qc.NewQueryDense([]float32{1, 2, 3, 4}), Using: qc.PtrOf("dense"), Limit: qc.PtrOf(uint64(50))})
		a.query(fmt.Sprint("nested ", i), &qc.QueryPoints{Prefetch: []*qc.PrefetchQuery{
			// Weights, so that there are no ties, whose order is free, in what is ranked again.
			{Prefetch: arms(7, nil), Query: qc.NewQueryRRF(&qc.Rrf{Weights: []float32{1, 0.7}}), Limit: qc.PtrOf(uint64(6))},
			{Query: qc.NewQueryDense([]float32{1, 1}), Using: qc.PtrOf("plain"), Limit: qc.PtrOf(uint64(4))},
		}, Query: qc.NewQueryRRF(&qc.Rrf{K: qc.PtrOf(uint32(4))}), Filter: filter, Limit: qc.PtrOf(uint64(50))})
	}
}

func (a *asker) errors() {
	a.query("wrong dimension", &qc.QueryPoints{Query: qc.NewQueryDense([]float32{1}), Using: qc.PtrOf("dense")})
	a.query("unknown vector", &qc.QueryPoints{Query: qc.NewQueryDense([]float32{1}), Using: qc.PtrOf("other")})
	a.query("fusion of nothing", &qc.QueryPoints{Query: qc.NewQueryFusion(qc.Fusion_RRF)})
	a.query("weights", &qc.QueryPoints{Prefetch: []*qc.PrefetchQuery{{Query: qc.NewQueryDense([]float32{1, 1}), Using: qc.PtrOf("plain")}},
		Query: qc.NewQueryRRF(&qc.Rrf{Weights: []float32{1, 2}})})
	a.scroll("bad path", &qc.Filter{Must: []*qc.Condition{qc.NewMatchKeyword(`a b`, "x")}})
	id := qc.NewIDNum(1000)
	a.upsert("upsert wrong dimension", nil, nil, &qc.PointStruct{Id: id, Vectors: qc.NewVectorsMap(map[string]*qc.Vector{"dense": qc.NewVectorDense([]float32{1})})})
	a.upsert("upsert unknown vector", nil, nil, &qc.PointStruct{Id: id, Vectors: qc.NewVectorsMap(map[string]*qc.Vector{"other": qc.NewVectorDense([]float32{1})})})
	a.scroll("nothing was stored", &qc.Filter{Must: []*qc.Condition{qc.NewHasID(id)}})
}

// conditional asks what upserts with a mode and a filter do, and deletions.
func (a *asker) conditional() {
	point := func(n uint64, word string) *qc.PointStruct {
		return &qc.PointStruct{Id: qc.NewIDNum(n), Payload: qc.NewValueMap(map[string]any{"batch": word}), Vectors: qc.NewVectorsMap(map[string]*qc.Vector{"plain": qc.NewVectorDense([]float32{1, 1})})}
	}
	words := func(name string) {
		for _, word := range []string{"old", "new", "mine"} {
			a.scroll(name+" "+word, &qc.Filter{Must: []*qc.Condition{qc.NewMatchKeyword("batch", word)}})
		}
	}
	mine := &qc.Filter{Must: []*qc.Condition{qc.NewMatchKeyword("batch", "mine")}}
	a.upsert("", nil, nil, point(2000, "mine"), point(2001, "other"))
	a.upsert("update only", qc.UpdateMode_UpdateOnly.Enum(), nil, point(2001, "old"), point(2002, "old"))
	words("update only")
	a.upsert("insert only", qc.UpdateMode_InsertOnly.Enum(), nil, point(2001, "new"), point(2003, "new"))
	words("insert only")
	a.upsert("filtered", nil, mine, point(2000, "new"), point(2001, "new"), point(2004, "new"))
	words("filtered")
	a.upsert("", nil, nil, point(2000, "mine"), point(2001, "other"))
	a.upsert("filtered update only", qc.UpdateMode_UpdateOnly.Enum(), mine, point(2000, "old"), point(2001, "old"), point(2005, "old"))
	words("filtered update only")
	a.upsert("", nil, nil, point(2000, "mine"), point(2001, "other"))
	_, err := a.client.Points().Delete(a.t.Context(), &qc.DeletePoints{CollectionName: "golden", Wait: qc.PtrOf(true),
		Points: qc.NewPointsSelectorFilter(&qc.Filter{Must: []*qc.Condition{qc.NewHasID(qc.NewIDNum(2000), qc.NewIDNum(2001)), mine.Must[0]}})})
	a.add(answer{Name: "delete by filter"}, err)
	a.scroll("after deletion by filter", nil)
	_, err = a.client.Points().Delete(a.t.Context(), &qc.DeletePoints{CollectionName: "golden", Wait: qc.PtrOf(true), Points: qc.NewPointsSelector(qc.NewIDNum(2001), qc.NewIDNum(4711))})
	a.add(answer{Name: "delete unknown"}, err)
	a.scroll("after deletion", nil)
	indices, values := []uint32{1000, 4000}, []float32{1, 1}
	a.query("idf after deletion", &qc.QueryPoints{Query: qc.NewQuerySparse(indices, values), Using: qc.PtrOf("bm25"), Limit: qc.PtrOf(uint64(99))})
}
