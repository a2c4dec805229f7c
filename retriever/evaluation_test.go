package retriever_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/assistant/ingest"
	"github.com/api-assistant/api-assistant/llm"
	"github.com/api-assistant/api-assistant/retriever"
	"github.com/api-assistant/api-assistant/retriever/eval"
	"github.com/api-assistant/api-assistant/vectorstore/chromem"
)

// dataDir is where the evaluation data is; see the README of retriever/eval.
func dataDir() string {
	if dir := os.Getenv("API_ASSISTANT_DATA"); dir != "" {
		return dir
	}
	return filepath.Join("..", "..", "shared", "data")
}

// loadSet loads an evaluation set and a corpus of its files.
func loadSet(t testing.TB, name string, e llm.Embedder) (eval.Set, *retriever.Corpus) {
	t.Helper()
	dir := filepath.Join(dataDir(), "eval", name)
	if !eval.Exists(dir) {
		t.Skipf("no evaluation set in %s; API_ASSISTANT_DATA says where the data is", dir)
	}
	set, err := eval.Load(dir)
	require.NoError(t, err)
	cfg := chromem.Config{}
	if e != nil {
		cfg.Embedder, cfg.Dimensions = e.Name(), e.Dimensions()
	}
	store, err := chromem.Open(cfg)
	require.NoError(t, err)
	corpus, err := retriever.NewCorpus(retriever.CorpusConfig{Store: store, Embedder: e})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, corpus.Close()) })
	var uploads []retriever.Upload
	for _, path := range set.Corpus {
		f, err := os.Open(path)
		require.NoError(t, err)
		source, err := ingest.Parse(t.Context(), filepath.Base(path), f, ingest.Options{})
		require.NoError(t, err)
		require.NoError(t, f.Close())
		uploads = append(uploads, retriever.Upload{Source: source.Name, Documents: source.Documents})
	}
	_, err = corpus.Replace(t.Context(), uploads...)
	require.NoError(t, err)
	return set, corpus
}

// finder asks a retriever for the 20 best and returns what the sets call them.
func finder(r retriever.Retriever, mode retriever.Mode) func(context.Context, string) ([]string, error) {
	return func(ctx context.Context, text string) ([]string, error) {
		found, err := r.Retrieve(ctx, retriever.Query{Text: text, K: 20, Mode: mode})
		if err != nil {
			return nil, err
		}
		keys := make([]string, len(found.Hits))
		for i, h := range found.Hits {
			method, _ := h.Metadata["method"].(string)
			path, _ := h.Metadata["path"].(string)
			if keys[i] = eval.Key(method + " " + path); method == "" {
				keys[i] = h.Source
			}
		}
		return keys, nil
	}
}

var developmentSets = []string{"restbench-tmdb", "socbench-pooled-1", "toolalpaca", "wapiibench-slack", "cranfield"}

func TestEvaluation(t *testing.T) {
	var rows []eval.Row
	for _, name := range developmentSets {
		set, corpus := loadSet(t, name, nil)
		run, err := eval.Run(t.Context(), set.Questions, finder(retriever.New(corpus, retriever.Options{}), ""))
		require.NoError(t, err)
		rows = append(rows, eval.Row{Name: name, N: len(set.Questions), Metrics: eval.Mean(run.Scores(set))})
	}
	eval.Table(os.Stdout, rows)
}
