package bm25_test

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/bm25"
	"github.com/api-assistant/api-assistant/bm25/internal/corpus"
)

// reference ranks by the formula of the package comment, the slow way.
type reference struct {
	analyzer bm25.Analyzer
	docs     map[string]counted
	df       map[string]int
	average  float64
}

// counted is a document: its weighted term frequencies and length.
type counted struct {
	tf     map[string]float64
	length float64
}

func newReference(a bm25.Analyzer, weights map[string]float64, docs map[string]bm25.Document) *reference {
	r := &reference{analyzer: a, docs: make(map[string]counted), df: make(map[string]int)}
	for id, d := range docs {
		c := counted{tf: make(map[string]float64)}
		add := func(field, text string) {
			w, ok := weights[field]
			if !ok {
				w = 1
			}
			a.Tokens(text, func(token []byte) {
				if w > 0 {
					c.tf[string(token)] += w
					c.length += w
				}
			})
		}
		add("", d.Text)
		for field, text := range d.Fields {
			add(field, text)
		}
		for t := range c.tf {
			r.df[t]++
		}
		r.docs[id] = c
		r.average += c.length / float64(len(docs))
	}
	return r
}

func (r *reference) search(query string, k int, keep func(string) bool) []bm25.Hit {
	var terms []bm25.Term
	r.analyzer.Tokens(query, func(token []byte) { terms = append(terms, bm25.Term{Text: string(token), Weight: 1}) })
	return r.searchTerms(terms, k, keep)
}

func (r *reference) searchTerms(terms []bm25.Term, k int, keep func(string) bool) []bm25.Hit {
	var (
		hits []bm25.Hit
		n    = float64(len(r.docs))
	)
	for id, c := range r.docs {
		var score float64
		for _, t := range terms {
			if tf := c.tf[t.Text]; tf > 0 {
				df := float64(r.df[t.Text])
				score += t.Weight * math.Log(1+(n-df+0.5)/(df+0.5)) * tf * 2.5 / (tf + 1.5*(0.25+0.75*c.length/r.average))
			}
		}
		if score > 0 && (keep == nil || keep(id)) {
			hits = append(hits, bm25.Hit{ID: id, Score: score})
		}
	}
	slices.SortFunc(hits, func(a, b bm25.Hit) int {
		if math.Abs(a.Score-b.Score) > 1e-12*a.Score {
			return cmp.Compare(b.Score, a.Score)
		}
		return cmp.Compare(a.ID, b.ID)
	})
	return hits[:min(k, len(hits))]
}

// TestEveryEvaluation compares searches of all shapes with the reference: few and
// many terms, short and long lists, few and many results, terms with weights,
// frequencies without a code, with and without a filter, sorted IDs and others.
func TestEveryEvaluation(t *testing.T) {
	for _, shape := range []struct {
		name      string
		words     int // vocabulary
		length    int // of a document, about
		ids       string
		weights   map[string]float64
		documents int
	}{
		{"short lists", 20_000, 20, "d%05d", nil, 2000},
		{"long lists", 60, 20, "d%05d", nil, 6000},
		{"equal lengths, many ties", 30, 0, "d%05d", nil, 3000},
		{"unsorted IDs", 200, 30, "%x", nil, 3000},
		{"wide frequencies", 40, 200, "d%05d", map[string]float64{"": 1000, "title": 0.3}, 1500},
	} {
		t.Run(shape.name, func(t *testing.T) {
			w := corpus.NewWords(5, shape.words)
			x := bm25.New(bm25.WithAnalyzer(bm25.Standard()), bm25.WithFieldWeights(shape.weights))
			docs := make(map[string]bm25.Document)
			for i := range shape.documents {
				length := 12
				if shape.length > 0 {
					length = 1 + w.IntN(2*shape.length)
				}
				id := fmt.Sprintf(shape.ids, i)
				if shape.ids == "%x" {
					id = fmt.Sprintf("%x", w.Uint64())
				}
				d := bm25.Document{ID: id, Text: w.Text(length), Fields: map[string]string{"title": w.Text(w.IntN(3))}}
				if i == shape.documents/3 {
					x.Flush() // a second segment
				}
				if i%9 == 0 {
					x.Add(bm25.Document{ID: id, Text: w.Text(5)}) // to be replaced
					x.Flush()
				}
				x.Add(d)
				docs[id] = d
			}
			weights := map[string]float64{"title": 1}
			for field, weight := range shape.weights {
				weights[field] = math.Round(weight*64) / 64
			}
			r := newReference(bm25.Standard(), weights, docs)
			for i := range 120 {
				terms := make([]bm25.Term, 1+w.IntN([]int{3, 8, 30}[i%3]))
				for j := range terms {
					terms[j] = bm25.Term{Text: strings.TrimSpace(w.Text(1)), Weight: 1}
					if i%2 == 0 {
						terms[j].Weight = 0.1 + float64(w.IntN(30))/10
					}
				}
				var (
					k    = []int{1, 10, 100, math.MaxInt}[i%4]
					keep func(string) bool
					opts []bm25.SearchOption
				)
				if i%5 == 0 {
					keep = func(id string) bool { return id[len(id)-1]%4 == 1 }
					opts = append(opts, bm25.Where(keep))
				}
				requireSameHits(t, r.searchTerms(terms, k, keep), x.SearchTerms(terms, k, opts...), fmt.Sprintf("search %d: %v", i, terms))
			}
			require.Equal(t, len(docs), x.Len())
		})
	}
}
