package qdranttest_test

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"testing"

	qc "github.com/qdrant/go-client/qdrant"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/api-assistant/api-assistant/vectorstore/qdrant/qdranttest"
)

func start(t *testing.T, o qdranttest.Options) *qdranttest.Server {
	t.Helper()
	s, err := qdranttest.Start(o)
	require.NoError(t, err)
	t.Cleanup(s.Close)
	return s
}

// client connects to a server, with the client that everybody uses.
func client(t *testing.T, address string) *qc.GrpcClient {
	t.Helper()
	u, err := url.Parse(address)
	require.NoError(t, err)
	port, err := strconv.Atoi(u.Port())
	require.NoError(t, err)
	c, err := qc.NewGrpcClient(&qc.Config{Host: u.Hostname(), Port: port, SkipCompatibilityCheck: true})
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	return c
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// Example shows the server answering the ordinary client.
func Example() {
	server, err := qdranttest.Start(qdranttest.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer server.Close()
	u, err := url.Parse(server.URL())
	if err != nil {
		fmt.Println(err)
		return
	}
	port, err := strconv.Atoi(u.Port())
	if err != nil {
		fmt.Println(err)
		return
	}
	c, err := qc.NewClient(&qc.Config{Host: u.Hostname(), Port: port})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
	ctx := context.Background()
	err = c.CreateCollection(ctx, &qc.CreateCollection{CollectionName: "colours", VectorsConfig: qc.NewVectorsConfig(&qc.VectorParams{Size: 2, Distance: qc.Distance_Cosine})})
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = c.Upsert(ctx, &qc.UpsertPoints{CollectionName: "colours", Wait: qc.PtrOf(true), Points: []*qc.PointStruct{
		{Id: qc.NewIDNum(1), Vectors: qc.NewVectors(1, 0)}, {Id: qc.NewIDNum(2), Vectors: qc.NewVectors(0, 1)}}})
	if err != nil {
		fmt.Println(err)
		return
	}
	found, err := c.Query(ctx, &qc.QueryPoints{CollectionName: "colours", Query: qc.NewQuery(3, 4)})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, p := range found {
		fmt.Printf("%d %.1f\n", p.Id.GetNum(), p.Score)
	}
	// Output:
	// 2 0.8
	// 1 0.6
}

// create makes a collection with one dense and one sparse vector.
func create(t *testing.T, c *qc.GrpcClient, name string) error {
	t.Helper()
	_, err := c.Collections().Create(t.Context(), &qc.CreateCollection{CollectionName: name,
		VectorsConfig:       qc.NewVectorsConfigMap(map[string]*qc.VectorParams{"dense": {Size: 2, Distance: qc.Distance_Cosine}}),
		SparseVectorsConfig: qc.NewSparseVectorsConfig(map[string]*qc.SparseVectorParams{"words": {}})})
	return err
}

func number(t *testing.T, c *qc.GrpcClient, collection string) uint64 {
	t.Helper()
	n, err := c.Points().Count(t.Context(), &qc.CountPoints{CollectionName: collection, Exact: qc.PtrOf(true)})
	require.NoError(t, err)
	return n.Result.Count
}

func TestWithoutWaiting(t *testing.T) {
	s := start(t, qdranttest.Options{})
	c := client(t, s.URL())
	require.NoError(t, create(t, c, "x"))
	put := func(n uint64, wait *bool) qc.UpdateStatus {
		r, err := c.Points().Upsert(t.Context(), &qc.UpsertPoints{CollectionName: "x", Wait: wait, Points: []*qc.PointStruct{{Id: qc.NewIDNum(n)}}})
		require.NoError(t, err)
		return r.Result.Status
	}
	require.Equal(t, qc.UpdateStatus_Acknowledged, put(1, nil))
	require.Equal(t, qc.UpdateStatus_Acknowledged, put(2, qc.PtrOf(false)))
	require.Zero(t, number(t, c, "x"), "acknowledged is not visible yet")
	s.Settle()
	require.EqualValues(t, 2, number(t, c, "x"))
	put(3, nil)
	require.Equal(t, qc.UpdateStatus_Completed, put(4, qc.PtrOf(true)))
	require.EqualValues(t, 4, number(t, c, "x"), "in the order in which they came")
	_, err := c.Points().Delete(t.Context(), &qc.DeletePoints{CollectionName: "x", Wait: qc.PtrOf(true), Points: qc.NewPointsSelectorFilter(&qc.Filter{})})
	require.NoError(t, err)
	require.Zero(t, number(t, c, "x"), "an empty filter selects everything")
}

func TestErrors(t *testing.T) {
	c := client(t, start(t, qdranttest.Options{}).URL())
	require.NoError(t, create(t, c, "x"))
	vectors := func(v ...float32) *qc.Vectors {
		return qc.NewVectorsMap(map[string]*qc.Vector{"dense": qc.NewVectorDense(v)})
	}
	upsert := func(p *qc.PointStruct) error {
		_, err := c.Points().Upsert(t.Context(), &qc.UpsertPoints{CollectionName: "x", Wait: qc.PtrOf(true), Points: []*qc.PointStruct{{Id: qc.NewIDNum(7)}, p}})
		return err
	}
	query := func(q *qc.QueryPoints) error {
		q.CollectionName = "x"
		_, err := c.Points().Query(t.Context(), q)
		return err
	}
	deep := &qc.Filter{}
	for range 60 {
		deep = &qc.Filter{Must: []*qc.Condition{qc.NewFilterAsCondition(deep)}}
	}
	_, missing := c.Points().Count(t.Context(), &qc.CountPoints{CollectionName: "y"})
	_, order := c.Points().Scroll(t.Context(), &qc.ScrollPoints{CollectionName: "x", OrderBy: &qc.OrderBy{Key: "k"}})
	_, index := c.Points().CreateFieldIndex(t.Context(), &qc.CreateFieldIndexCollection{CollectionName: "x", FieldName: "k", FieldType: qc.FieldType_FieldTypeText.Enum()})
	_, facet := c.Points().Facet(t.Context(), &qc.FacetCounts{CollectionName: "x", Key: "k"})
	one := []*qc.PrefetchQuery{{Query: qc.NewQueryDense([]float32{1, 1}), Using: qc.PtrOf("dense")}}
	for _, test := range []struct {
		err     error
		code    codes.Code
		message string
	}{
		{missing, codes.NotFound, "Collection `y` doesn't exist!"},
		{create(t, c, "x"), codes.AlreadyExists, "already exists"},
		{upsert(&qc.PointStruct{Id: qc.NewIDNum(1), Vectors: vectors(1)}), codes.InvalidArgument, "Vector dimension error: expected dim: 2, got 1"},
		{upsert(&qc.PointStruct{Id: qc.NewID("no-uuid")}), codes.InvalidArgument, "Unable to parse UUID"},
		{upsert(&qc.PointStruct{}), codes.InvalidArgument, "No ID options"},
		{upsert(&qc.PointStruct{Id: qc.NewIDNum(1), Vectors: qc.NewVectorsMap(map[string]*qc.Vector{"words": qc.NewVectorSparse([]uint32{1, 1}, []float32{1, 1})})}), codes.InvalidArgument, "unique"},
		{upsert(&qc.PointStruct{Id: qc.NewIDNum(1), Vectors: qc.NewVectorsMap(map[string]*qc.Vector{"words": qc.NewVectorSparse([]uint32{1}, nil)})}), codes.InvalidArgument, "same length"},
		{query(&qc.QueryPoints{Query: qc.NewQueryDense([]float32{1, 1}), Using: qc.PtrOf("no")}), codes.InvalidArgument, "Not existing vector name error: no"},
		{query(&qc.QueryPoints{Query: qc.NewQueryFusion(qc.Fusion_RRF)}), codes.InvalidArgument, "cannot apply Fusion without prefetches"},
		{query(&qc.QueryPoints{Query: qc.NewQueryFusion(qc.Fusion_RRF), Prefetch: one, Using: qc.PtrOf("dense")}), codes.InvalidArgument, "cannot be combined with the 'using' field"},
		{query(&qc.QueryPoints{Query: qc.NewQueryRRF(&qc.Rrf{Weights: []float32{1, 1}}), Prefetch: one}), codes.InvalidArgument, "weights"},
		{query(&qc.QueryPoints{ScoreThreshold: qc.PtrOf(float32(1))}), codes.InvalidArgument, "score_threshold"},
		{query(&qc.QueryPoints{Filter: deep}), codes.Internal, "recursion limit"},
		{order, codes.Unimplemented, "qdranttest does not implement"},
		{index, codes.Unimplemented, "qdranttest does not implement"},
		{facet, codes.Unimplemented, "not implemented"},
		{query(&qc.QueryPoints{Filter: &qc.Filter{Must: []*qc.Condition{qc.NewMatchText("k", "t")}}}), codes.Unimplemented, "qdranttest does not implement"},
	} {
		require.Equal(t, test.code, status.Code(test.err), "%v", test.err)
		require.ErrorContains(t, test.err, test.message)
	}
	require.Zero(t, number(t, c, "x"), "a bad point stores none of its request")
}

func TestAliases(t *testing.T) {
	c := client(t, start(t, qdranttest.Options{}).URL())
	require.NoError(t, create(t, c, "x"))
	change := func(actions ...*qc.AliasOperations) error {
		_, err := c.Collections().UpdateAliases(t.Context(), &qc.ChangeAliases{Actions: actions})
		return err
	}
	require.Equal(t, codes.NotFound, status.Code(change(qc.NewAliasCreate("a", "x"), qc.NewAliasCreate("b", "missing"))))
	_, err := c.Points().Count(t.Context(), &qc.CountPoints{CollectionName: "a"})
	require.Equal(t, codes.NotFound, status.Code(err), "all changes or none")
	require.Equal(t, codes.AlreadyExists, status.Code(change(qc.NewAliasCreate("x", "x"))), "not the name of a collection")
	require.NoError(t, change(qc.NewAliasCreate("a", "x"), qc.NewAliasRename("a", "b")))
	require.Zero(t, number(t, c, "b"))
	require.Equal(t, codes.InvalidArgument, status.Code(create(t, c, "b")))
	all, err := c.Collections().ListAliases(t.Context(), &qc.ListAliasesRequest{})
	require.NoError(t, err)
	require.Len(t, all.Aliases, 1)
	_, err = c.Collections().Delete(t.Context(), &qc.DeleteCollection{CollectionName: "x"})
	require.NoError(t, err)
	exists, err := c.Collections().CollectionExists(t.Context(), &qc.CollectionExistsRequest{CollectionName: "b"})
	require.NoError(t, err)
	require.False(t, exists.Result.Exists, "the alias goes with it")
}

func TestBooleans(t *testing.T) {
	c := client(t, start(t, qdranttest.Options{}).URL())
	require.NoError(t, create(t, c, "x"))
	_, err := c.Points().Upsert(t.Context(), &qc.UpsertPoints{CollectionName: "x", Wait: qc.PtrOf(true), Points: []*qc.PointStruct{
		{Id: qc.NewIDNum(1), Payload: qc.NewValueMap(map[string]any{"b": true})}, {Id: qc.NewIDNum(2), Payload: qc.NewValueMap(map[string]any{"b": 1})}}})
	require.NoError(t, err)
	r, err := c.Points().Scroll(t.Context(), &qc.ScrollPoints{CollectionName: "x", Filter: &qc.Filter{Must: []*qc.Condition{qc.NewMatchBool("b", true)}}})
	require.NoError(t, err)
	require.Len(t, r.Result, 1)
}
