package eval_test

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/retriever/eval"
)

func question(relevant ...string) eval.Question {
	q := eval.Question{ID: "q", Text: "?", Relevant: map[string]bool{}}
	for _, r := range relevant {
		q.Relevant[r] = true
	}
	return q
}

func TestScore(t *testing.T) {
	ideal := 1 + 1/math.Log2(3)
	tests := []struct {
		name   string
		q      eval.Question
		ranked []string
		want   eval.Metrics
	}{
		{"all first", question("GET /a", "GET /b"), []string{"GET /b", "get /a/"},
			eval.Metrics{Recall5: 1, Recall10: 1, Recall20: 1, MRR10: 1, NDCG10: 1, Hit1: 1, Complete10: 1}},
		{"one of two, third", question("GET /a", "GET /b"), []string{"", "x", "GET /a", "GET /a"},
			eval.Metrics{Recall5: .5, Recall10: .5, Recall20: .5, MRR10: 1. / 3, NDCG10: .5 / ideal}},
		{"a repetition takes a rank", question("GET /a", "GET /b"), []string{"GET /a", "GET /a", "GET /b"},
			eval.Metrics{Recall5: 1, Recall10: 1, Recall20: 1, MRR10: 1, NDCG10: 1.5 / ideal, Hit1: 1, Complete10: 1}},
		{"beyond ten", question("GET /a"), append(make([]string, 11), "GET /a"), eval.Metrics{Recall20: 1}},
		{"nothing", question("GET /a"), nil, eval.Metrics{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := eval.Score(tt.q, tt.ranked)
			require.InDelta(t, tt.want.NDCG10, got.NDCG10, 1e-12)
			require.InDelta(t, tt.want.MRR10, got.MRR10, 1e-12)
			got.NDCG10, got.MRR10 = tt.want.NDCG10, tt.want.MRR10
			require.Equal(t, tt.want, got)
		})
	}
}

func TestSignificance(t *testing.T) {
	var a, b []float64
	for i := range 50 {
		a = append(a, float64(i%2))
		b = append(b, float64(i%2))
	}
	require.Equal(t, 1.0, eval.Significance(a, b), "equal runs do not differ")
	for i := range a {
		a[i]++
	}
	require.Less(t, eval.Significance(a, b), 0.001, "a run that is always better differs")
	require.Equal(t, eval.Significance(a, b), eval.Significance(b, a), "the test is two-sided")
}

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600))
	}
	require.NoError(t, os.Mkdir(filepath.Join(dir, "corpus"), 0o700))
	require.False(t, eval.Exists(dir))
	write("queries.jsonl", `{"id":"1","query":"one"}`+"\n\n"+`{"id":"2","query":"two"}`)
	write("qrels.jsonl", `{"query_id":"1","relevant":["get /x/"]}`)
	s, err := eval.Load(dir)
	require.NoError(t, err)
	require.Empty(t, s.Corpus)
	write("corpus/api.json", "{}")
	s, err = eval.Load(dir)
	require.NoError(t, err)
	require.True(t, eval.Exists(dir))
	require.Equal(t, []eval.Question{{ID: "1", Text: "one", Relevant: map[string]bool{"GET /x": true}}}, s.Questions)
	write("qrels.jsonl", "{}\n{oops")
	_, err = eval.Load(dir)
	require.ErrorContains(t, err, "qrels.jsonl:2")
}

func Example() {
	set := eval.Set{Questions: []eval.Question{
		{ID: "1", Text: "list orders", Relevant: map[string]bool{"GET /orders": true}},
		{ID: "2", Text: "cancel an order", Relevant: map[string]bool{"DELETE /orders/{id}": true}},
	}}
	find := func(_ context.Context, query string) ([]string, error) {
		if strings.Contains(query, "list") {
			return []string{"GET /orders"}, nil
		}
		return []string{"GET /orders", "DELETE /orders/{id}"}, nil
	}
	ranking, _ := eval.Run(context.Background(), set.Questions, find)
	m := eval.Mean(ranking.Scores(set))
	fmt.Printf("recall@10 %.2f, MRR %.2f, hit@1 %.2f\n", m.Recall10, m.MRR10, m.Hit1)
	// Output: recall@10 1.00, MRR 0.75, hit@1 0.50
}
