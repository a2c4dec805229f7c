package bm25_test

import (
	"bytes"
	"flag"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/api-assistant/api-assistant/bm25"
	"github.com/api-assistant/api-assistant/bm25/internal/corpus"
)

// synthetic makes n documents of the given length.
func synthetic(n, length int) []bm25.Document {
	docs := make([]bm25.Document, n)
	for i, d := range corpus.Documents(n, length) {
		docs[i] = bm25.Document{ID: d.ID, Text: d.Text}
	}
	return docs
}

// large adds a million documents to the measurements, which takes minutes and
// 3 GB of memory.
var large = flag.Bool("large", false, "also measure 1,000,000 documents")

func sizes() []int {
	if *large {
		return []int{10_000, 100_000, 1_000_000}
	}
	return []int{10_000, 100_000}
}

func BenchmarkSearch(b *testing.B) {
	for _, n := range sizes() {
		x := bm25.New(bm25.WithAnalyzer(bm25.Standard()))
		x.Add(synthetic(n, 100)...)
		x.Flush()
		queries := corpus.Queries(1000)
		b.Run(fmt.Sprintf("docs=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				x.Search(queries[i%len(queries)], 10)
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "queries/s")
		})
		b.Run(fmt.Sprintf("docs=%d/parallel", n), func(b *testing.B) {
			b.RunParallel(func(pb *testing.PB) {
				for i := 0; pb.Next(); i++ {
					x.Search(queries[i%len(queries)], 10)
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "queries/s")
		})
	}
}

// BenchmarkFirstSearch measures the search after a write, the tokenising of the
// written documents included, and the same search again. Half of the documents
// are new, half replace others.
func BenchmarkFirstSearch(b *testing.B) {
	for _, n := range sizes() {
		x := bm25.New(bm25.WithAnalyzer(bm25.Standard()))
		x.Add(synthetic(n, 100)...)
		x.Flush()
		more := synthetic(1000, 100)
		queries := corpus.Queries(1000)
		written := 0
		for _, added := range []int{1, 100} {
			b.Run(fmt.Sprintf("docs=%d/added=%d", n, added), func(b *testing.B) {
				var first, warm time.Duration
				for i := 0; b.Loop(); i++ {
					for range added {
						d := more[written%len(more)]
						if d.ID = fmt.Sprintf("doc-%07d", written*37%n); written%2 == 0 {
							d.ID = fmt.Sprintf("new-%d", written)
						}
						x.Add(d)
						written++
					}
					start := time.Now()
					x.Search(queries[i%len(queries)], 10)
					middle := time.Now()
					x.Search(queries[i%len(queries)], 10)
					first, warm = first+middle.Sub(start), warm+time.Since(middle)
				}
				b.ReportMetric(float64(first.Nanoseconds())/float64(b.N), "ns/first")
				b.ReportMetric(float64(warm.Nanoseconds())/float64(b.N), "ns/warm")
			})
		}
	}
}

func BenchmarkBuild(b *testing.B) {
	docs := synthetic(100_000, 200)
	for _, a := range []bm25.Analyzer{bm25.Standard(), bm25.API()} {
		b.Run(a.Name(), func(b *testing.B) {
			for b.Loop() {
				x := bm25.New(bm25.WithAnalyzer(a))
				x.Add(docs...)
				x.Flush()
			}
			b.ReportMetric(float64(b.N*len(docs))/b.Elapsed().Seconds(), "docs/s")
		})
	}
}

func BenchmarkMemory(b *testing.B) {
	for _, length := range []int{100, 200} {
		b.Run(fmt.Sprintf("tokens=%d", length), func(b *testing.B) {
			const n = 100_000
			var before, after runtime.MemStats
			for b.Loop() {
				docs := synthetic(n, length)
				for i := range docs {
					docs[i].ID = docs[i].ID + "" // counted as the caller's
				}
				runtime.GC()
				runtime.ReadMemStats(&before)
				x := bm25.New(bm25.WithAnalyzer(bm25.Standard()))
				x.Add(docs...)
				x.Flush()
				runtime.GC()
				runtime.ReadMemStats(&after)
				runtime.KeepAlive(x)
				runtime.KeepAlive(docs)
			}
			b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/n, "B/doc")
		})
	}
}

func BenchmarkRead(b *testing.B) {
	x := bm25.New(bm25.WithAnalyzer(bm25.Standard()))
	x.Add(synthetic(100_000, 100)...)
	var file bytes.Buffer
	if _, err := x.WriteTo(&file); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := bm25.Read(bytes.NewReader(file.Bytes()), bm25.WithAnalyzer(bm25.Standard())); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(file.Len())/100_000, "B/doc")
}
