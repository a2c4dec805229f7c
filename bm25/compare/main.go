// Command compare measures package bm25 beside bleve and, where Python has them,
// beside bm25s with numba: the same documents, the same queries, the same words,
// one thread, the ten best, in one run. It is a module of its own so that the
// library does not depend on what it is compared with.
//
//	cd bm25/compare && go run .                       # 100,000 synthetic documents
//	go run . -api ../../../shared/data                # operations of real APIs
//	go run . -python /path/to/venv/bin/python         # with: pip install bm25s numba
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/blevesearch/bleve/v2"
	_ "github.com/blevesearch/bleve/v2/analysis/analyzer/custom"
	_ "github.com/blevesearch/bleve/v2/analysis/token/lowercase"
	_ "github.com/blevesearch/bleve/v2/analysis/tokenizer/unicode"
	"github.com/blevesearch/bleve/v2/index/scorch"
	"github.com/blevesearch/bleve/v2/mapping"

	"github.com/api-assistant/api-assistant/assistant/ingest"
	"github.com/api-assistant/api-assistant/bm25"
	"github.com/api-assistant/api-assistant/bm25/internal/corpus"
)

const top = 10

func main() {
	log.SetFlags(0)
	n := flag.Int("docs", 100_000, "synthetic documents")
	length := flag.Int("length", 100, "words of a synthetic document")
	api := flag.String("api", "", "folder of development data: measure with the operations of its API descriptions instead")
	python := flag.String("python", "", "Python with bm25s and numba installed; empty leaves them out")
	seconds := flag.Float64("seconds", 3, "how long to measure each engine on each set of queries")
	only := flag.Bool("only", false, "measure package bm25 alone")
	flag.Parse()

	docs, sets := synthetic(*n, *length)
	if *api != "" {
		docs, sets = real(*api)
	}
	words := 0
	for _, d := range docs {
		words += len(strings.Fields(d.Text))
	}
	fmt.Printf("%d documents of %d words, %d cores, %s\n\n", len(docs), words/max(len(docs), 1), runtime.GOMAXPROCS(0), runtime.Version())

	engines := []engine{ours(docs)}
	if !*only {
		engines = append(engines, newBleve(docs))
	}
	limit := time.Duration(*seconds * float64(time.Second))
	for _, set := range sets {
		fmt.Printf("\n## %s (%d queries)\n\n| engine | queries/s | p50 | p99 | two readers | same as ours |\n|---|---|---|---|---|---|\n", set.name, len(set.queries))
		var base float64
		for i, e := range engines {
			r := measure(e, set.queries, limit)
			if i == 0 {
				base = r.perSecond
			}
			fmt.Printf("| %s | %.0f (ours is %.1f×) | %v | %v | ×%.2f | %.0f %% |\n", e.name, r.perSecond, base/r.perSecond, r.p50, r.p99,
				r.parallel/r.perSecond, 100*agreement(engines[0], e, set.queries))
		}
		if *python != "" {
			perSecond, agree, err := bm25s(*python, docs, set.queries, engines[0])
			if err != nil {
				log.Fatal(err)
			}
			fmt.Printf("| bm25s + numba | %.0f (ours is %.1f×) | | | | %.0f %% |\n", perSecond, base/perSecond, 100*agree)
		}
	}
	fmt.Print("\n## Writing\n\n| engine | build | first search after 1 document, above a warm one | after 100 |\n|---|---|---|---|\n")
	for _, e := range engines {
		fmt.Printf("| %s | %.0f documents/s | %v | %v |\n", e.name, float64(len(docs))/e.built.Seconds(),
			firstSearch(e, 1, docs, sets[0].queries), firstSearch(e, 100, docs, sets[0].queries))
	}
}

// engine is an index that is measured.
type engine struct {
	name   string
	built  time.Duration
	search func(query string) []string
	add    func(docs []corpus.Document)
}

type querySet struct {
	name    string
	queries []string
}

func synthetic(n, length int) ([]corpus.Document, []querySet) {
	return corpus.Documents(n, length), []querySet{{"synthetic queries of 1 to 5 words", corpus.Queries(2000)}}
}

// real reads every API description of the development data, and the questions
// of its evaluation sets. The keywords are those words of a question that are
// not among the most frequent ones.
func real(data string) ([]corpus.Document, []querySet) {
	var docs []corpus.Document
	for _, pattern := range []string{"specs/openapi/*", "eval/*/corpus/*"} {
		files, err := filepath.Glob(filepath.Join(data, pattern))
		if err != nil {
			log.Fatal(err)
		}
		for _, path := range files {
			f, err := os.Open(path)
			if err != nil {
				log.Fatal(err)
			}
			source, err := ingest.Parse(context.Background(), path, f, ingest.Options{})
			f.Close()
			if err != nil {
				continue // not an API description
			}
			for _, d := range source.Documents {
				if d.Metadata["content_type"] == "endpoint" {
					docs = append(docs, corpus.Document{ID: d.ID, Text: d.Content})
				}
			}
		}
	}
	var questions, keywords []string
	sets, err := filepath.Glob(filepath.Join(data, "eval/*/queries.jsonl"))
	if err != nil {
		log.Fatal(err)
	}
	for _, path := range sets {
		if strings.Contains(path, "cranfield") {
			continue
		}
		b, err := os.ReadFile(path)
		if err != nil {
			log.Fatal(err)
		}
		for line := range bytes.Lines(b) {
			var q struct{ Query string }
			if err := json.Unmarshal(line, &q); err != nil {
				log.Fatal(err)
			}
			questions = append(questions, q.Query)
		}
	}
	count := make(map[string]int)
	for _, q := range questions {
		for w := range strings.FieldsSeq(strings.ToLower(q)) {
			count[w]++
		}
	}
	for _, q := range questions {
		words := slices.DeleteFunc(strings.Fields(strings.ToLower(q)), func(w string) bool { return count[w] > len(questions)/20 || len(w) < 3 })
		keywords = append(keywords, strings.Join(words[:min(4, len(words))], " "))
	}
	return docs, []querySet{{"keywords", keywords}, {"questions in natural language", questions}}
}

func ours(docs []corpus.Document) engine {
	x := bm25.New(bm25.WithAnalyzer(bm25.Standard()))
	add := func(docs []corpus.Document) {
		for _, d := range docs {
			x.Add(bm25.Document{ID: d.ID, Text: d.Text})
		}
	}
	start := time.Now()
	add(docs)
	x.Flush()
	return engine{name: "bm25", built: time.Since(start), add: add, search: func(query string) []string {
		hits := x.Search(query, top)
		ids := make([]string, len(hits))
		for i, h := range hits {
			ids[i] = h.ID
		}
		return ids
	}}
}

// newBleve makes a bleve index in memory that ranks by BM25 and sees the words
// that bm25.Standard sees.
func newBleve(docs []corpus.Document) engine {
	m := bleve.NewIndexMapping()
	m.ScoringModel = "bm25"
	must(m.AddCustomAnalyzer("words", map[string]any{"type": "custom", "tokenizer": "unicode", "token_filters": []string{"to_lower"}}))
	text := mapping.NewTextFieldMapping()
	text.Analyzer, text.Store, text.IncludeTermVectors, text.DocValues, text.IncludeInAll = "words", false, false, false, false
	m.DefaultMapping.Dynamic = false
	m.DefaultMapping.AddFieldMappingsAt("Text", text)
	x, err := bleve.NewUsing("", m, scorch.Name, scorch.Name, nil)
	must(err)
	add := func(docs []corpus.Document) {
		for chunk := range slices.Chunk(docs, 1000) {
			b := x.NewBatch()
			for _, d := range chunk {
				must(b.Index(d.ID, struct{ Text string }{d.Text}))
			}
			must(x.Batch(b))
		}
	}
	start := time.Now()
	add(docs)
	return engine{name: "bleve (scorch, in memory)", built: time.Since(start), add: add, search: func(query string) []string {
		q := bleve.NewMatchQuery(query)
		q.SetField("Text")
		r, err := x.Search(bleve.NewSearchRequestOptions(q, top, 0, false))
		must(err)
		ids := make([]string, len(r.Hits))
		for i, h := range r.Hits {
			ids[i] = h.ID
		}
		return ids
	}}
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

type result struct {
	perSecond, parallel float64
	p50, p99            time.Duration
}

// measure asks the queries round and round for about the given time, with one
// reader and then with two.
func measure(e engine, queries []string, limit time.Duration) result {
	for _, q := range queries[:min(100, len(queries))] {
		e.search(q)
	}
	var took []time.Duration
	start := time.Now()
	for i := 0; time.Since(start) < limit; i++ {
		before := time.Now()
		e.search(queries[i%len(queries)])
		took = append(took, time.Since(before))
	}
	r := result{perSecond: float64(len(took)) / time.Since(start).Seconds()}
	slices.Sort(took)
	r.p50, r.p99 = took[len(took)/2], took[len(took)*99/100]

	var (
		readers sync.WaitGroup
		mu      sync.Mutex
		done    int
	)
	start = time.Now()
	for reader := range 2 {
		readers.Go(func() {
			n := 0
			for i := reader * len(queries) / 2; time.Since(start) < limit; i++ {
				e.search(queries[i%len(queries)])
				n++
			}
			mu.Lock()
			done += n
			mu.Unlock()
		})
	}
	readers.Wait()
	r.parallel = float64(done) / time.Since(start).Seconds()
	return r
}

// agreement is the share of a's ten best that b has among its ten best.
func agreement(a, b engine, queries []string) float64 {
	var common, all int
	for _, q := range queries[:min(100, len(queries))] {
		want, got := a.search(q), b.search(q)
		all += len(want)
		for _, id := range want {
			if slices.Contains(got, id) {
				common++
			}
		}
	}
	return float64(common) / float64(max(all, 1))
}

// firstSearch is the median time of a search right after documents were added,
// less that of the same search repeated; the writing itself is not counted for
// us, whose Add only queues, but it is for engines that index when they write.
func firstSearch(e engine, added int, docs []corpus.Document, queries []string) time.Duration {
	var above []time.Duration
	for round := range 15 {
		fresh := make([]corpus.Document, added)
		for i := range fresh {
			fresh[i] = corpus.Document{ID: fmt.Sprintf("new-%d-%d-%d", added, round, i), Text: docs[(round*added+i)%len(docs)].Text}
		}
		q := queries[round%len(queries)]
		e.search(q)
		start := time.Now()
		e.add(fresh)
		e.search(q)
		first := time.Since(start)
		start = time.Now()
		e.search(q)
		above = append(above, first-time.Since(start))
	}
	slices.Sort(above)
	return above[len(above)/2]
}

// bm25s runs the script beside this program on the same documents and queries.
func bm25s(python string, docs []corpus.Document, queries []string, ours engine) (perSecond, agree float64, err error) {
	dir, err := os.MkdirTemp("", "compare")
	if err != nil {
		return 0, 0, err
	}
	defer os.RemoveAll(dir)
	in := struct {
		Texts, Queries []string
		Top            int
	}{Queries: queries, Top: top}
	for _, d := range docs {
		in.Texts = append(in.Texts, d.Text)
	}
	encoded, err := json.Marshal(in)
	if err != nil {
		return 0, 0, err
	}
	path := filepath.Join(dir, "in.json")
	if err := os.WriteFile(path, encoded, 0o600); err != nil {
		return 0, 0, err
	}
	cmd := exec.Command(python, "bm25s_numba.py", path)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return 0, 0, fmt.Errorf("bm25s_numba.py: %w", err)
	}
	var got struct {
		PerSecond float64 `json:"per_second"`
		Best      [][]int `json:"best"` // of the first queries
	}
	if err := json.Unmarshal(out, &got); err != nil {
		return 0, 0, fmt.Errorf("bm25s_numba.py printed %.200q: %w", out, err)
	}
	var common, all int
	for i, best := range got.Best {
		want := ours.search(queries[i])
		all += len(want)
		for _, doc := range best {
			if slices.Contains(want, docs[doc].ID) {
				common++
			}
		}
	}
	return got.PerSecond, float64(common) / float64(max(all, 1)), nil
}
