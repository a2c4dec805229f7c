package retriever_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/retriever"
	"github.com/api-assistant/api-assistant/retriever/eval"
	"github.com/api-assistant/api-assistant/vectorstore"
)

// benchCorpus holds n operations: those of the evaluation sets, under several
// names, or made-up ones where the data is missing; and questions about them.
func benchCorpus(b *testing.B, n int) (*retriever.Corpus, []string) {
	corpus := newCorpus(b, b.TempDir(), nil)
	b.Cleanup(func() { require.NoError(b, corpus.Close()) })
	var (
		base      []vectorstore.Document
		questions []string
	)
	for _, name := range []string{"restbench-tmdb", "socbench-pooled-1", "toolalpaca", "wapiibench-slack"} {
		if dir := filepath.Join(dataDir(), "eval", name); eval.Exists(dir) {
			set, c := loadSet(b, name, nil)
			for d, err := range c.All(b.Context(), nil) {
				require.NoError(b, err)
				base = append(base, d)
			}
			for _, q := range set.Questions {
				questions = append(questions, q.Text)
			}
		}
	}
	for i := len(base); i < 500; i++ {
		noun := fmt.Sprintf("thing%d", i%97)
		base = append(base, operation(fmt.Sprint("made", i), fmt.Sprintf("GET /%ss/part%d", noun, i), "List part "+fmt.Sprint(i)+" of every "+noun))
		questions = append(questions, "list the parts of thing"+fmt.Sprint(i))
	}
	var docs []vectorstore.Document
	for i := range n {
		d := base[i%len(base)]
		d.ID = fmt.Sprint(d.ID, "-", i/len(base))
		d.Source = fmt.Sprint(i/len(base), "-", d.Source)
		docs = append(docs, d)
	}
	for some := range slices.Chunk(docs, 1000) {
		_, err := corpus.Add(b.Context(), some...)
		require.NoError(b, err)
	}
	require.NoError(b, corpus.Warm(b.Context()))
	return corpus, questions
}

// BenchmarkSearch is the whole default configuration over 10,000 documents in
// an embedded store on disk, top 10, no query twice out of the cache. p50 and p99
// are over all questions, in milliseconds.
func BenchmarkSearch(b *testing.B) {
	corpus, questions := benchCorpus(b, 10_000)
	short := slices.DeleteFunc(slices.Clone(questions), func(q string) bool { return strings.Count(q, " ") > 25 })
	for _, bench := range []struct {
		name      string
		questions []string
		write     bool
	}{{"all questions", questions, false}, {"up to 25 words", short, false}, {"after a write", short, true}} {
		b.Run(bench.name, func(b *testing.B) {
			r := retriever.New(corpus, retriever.Options{CacheSize: -1})
			var took []time.Duration
			for i := 0; b.Loop(); i++ {
				if bench.write {
					b.StopTimer()
					_, err := corpus.Add(b.Context(), operation(fmt.Sprint("new", i), fmt.Sprintf("GET /new/%d", i), "List what is new"))
					require.NoError(b, err)
					b.StartTimer()
				}
				start := time.Now()
				_, err := r.Retrieve(b.Context(), retriever.Query{Text: bench.questions[i%len(bench.questions)], K: 10})
				took = append(took, time.Since(start))
				require.NoError(b, err)
			}
			slices.Sort(took)
			b.ReportMetric(took[len(took)/2].Seconds()*1e3, "p50-ms")
			b.ReportMetric(took[len(took)*99/100].Seconds()*1e3, "p99-ms")
		})
	}
}
