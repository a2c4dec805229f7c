// Command compare measures the embedded store beside chromem-go: the same vectors,
// the same queries, the ten nearest, in one run. It is a module of its own so that
// the library does not depend on it.
//
//	cd vectorstore/compare && go run .      # 100,000 clustered vectors of 384 dimensions
//	go run . -persist                       # also how long chromem-go's own files take to load
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/api-assistant/api-assistant/vectorstore"
	"github.com/api-assistant/api-assistant/vectorstore/chromem"
	"github.com/api-assistant/api-assistant/vectorstore/internal/flat"
	chromemgo "github.com/philippgille/chromem-go"
)

const (
	top    = 10
	groups = 50 // a filter on one of them matches 2 %
)

func main() {
	log.SetFlags(0)
	n := flag.Int("n", 100_000, "vectors")
	dimensions := flag.Int("dimensions", 384, "their length")
	spread := flag.Float64("spread", 0.3, "how wide a cluster is, beside the distance of clusters")
	queries := flag.Int("queries", 200, "distinct queries")
	seconds := flag.Float64("seconds", 3, "how long each measurement takes")
	persist := flag.Bool("persist", false, "load chromem-go's files, too (writes as many files as there are vectors)")
	only := flag.Bool("only", false, "without chromem-go")
	flag.Parse()

	d := generate(*n, *dimensions, *queries, *spread)
	fmt.Printf("%d clustered vectors of %d dimensions, %d queries, %d cores, %s %s\n\n",
		*n, *dimensions, *queries, runtime.GOMAXPROCS(0), runtime.Version(), runtime.GOARCH)

	dir, err := os.MkdirTemp("", "compare")
	check(err)
	defer os.RemoveAll(dir)
	engines := []engine{openStore(d, dir+"/store"), portable(d), scan(d)}
	if !*only {
		engines = append([]engine{chromemGo(d)}, engines...)
	}

	truth, truthFiltered := d.nearest(false), d.nearest(true)
	fmt.Println("| engine | p50 | p99 | queries/s | two callers | p50, 2 % filter | recall@10 | with filter |\n|---|---|---|---|---|---|---|---|")
	limit := time.Duration(*seconds * float64(time.Second))
	for _, e := range engines {
		one, two := measure(d.queries, limit, 1, e.search), measure(d.queries, limit, 2, e.search)
		filtered := measure(d.queries, limit, 1, e.filtered)
		fmt.Printf("| %s | %s | %s | %.0f | ×%.2f | %s | %.4f | %.4f |\n", e.name, ms(one.p50), ms(one.p99), one.perSecond, two.perSecond/one.perSecond,
			ms(filtered.p50), recall(d.queries, truth, e.search), recall(d.queries, truthFiltered, e.filtered))
	}
	reload(d, dir+"/store", *persist && !*only, dir+"/chromem-go")
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func ms(d time.Duration) string { return fmt.Sprintf("%.2f ms", float64(d.Microseconds())/1000) }

// engine is something that searches and returns the numbers of vectors.
type engine struct {
	name     string
	search   func(query []float32) []int
	filtered func(query []float32) []int
}

func document(i int) vectorstore.Document {
	return vectorstore.Document{ID: strconv.Itoa(i), Content: fmt.Sprintf("GET /resources/%d returns one resource. ", i) + strings.Repeat("It has fields. ", 10),
		Metadata: map[string]any{"group": "g" + strconv.Itoa(i%groups), "method": "GET", "path": fmt.Sprintf("/resources/%d", i), "page": i % 7}}
}

func numbers[M any](matches []M, id func(M) string) []int {
	out := make([]int, len(matches))
	for i, m := range matches {
		n, err := strconv.Atoi(id(m))
		check(err)
		out[i] = n
	}
	return out
}

func openStore(d *data, dir string) engine {
	s, err := chromem.Open(chromem.Config{Dir: dir, Dimensions: d.dimensions})
	check(err)
	const batch = 10_000
	start := time.Now()
	for from := 0; from < len(d.vectors); from += batch {
		var records []vectorstore.Record
		for i := from; i < min(from+batch, len(d.vectors)); i++ {
			records = append(records, vectorstore.Record{Document: document(i), Vector: d.vectors[i]})
		}
		check(s.Upsert(context.Background(), records...))
	}
	fmt.Printf("vectorstore/chromem stored them durably in %.1f s\n\n", time.Since(start).Seconds())
	check(s.Close())
	s, err = chromem.Open(chromem.Config{Dir: dir, Dimensions: d.dimensions})
	check(err)
	search := func(q []float32, f vectorstore.Filter) []int {
		found, err := s.Search(context.Background(), q, top, f)
		check(err)
		return numbers(found, func(m vectorstore.Match) string { return m.ID })
	}
	closers = append(closers, func() { check(s.Close()) })
	return engine{"vectorstore/chromem", func(q []float32) []int { return search(q, nil) },
		func(q []float32) []int { return search(q, vectorstore.Eq{Field: "group", Value: "g7"}) }}
}

// closers close what must be closed before it can be opened again.
var closers []func()

// portable is the search for processors without kernels, without documents.
func portable(d *data) engine {
	x := flat.NewPortable(d.dimensions, func(a, b int) int { return a - b })
	for i, v := range d.vectors {
		x.Put(i, v)
	}
	x.Publish()
	search := func(q []float32, where flat.Where[int]) []int {
		hits, err := x.View().Search(context.Background(), q, top, where)
		check(err)
		out := make([]int, len(hits))
		for i, h := range hits {
			out[i] = h.Item
		}
		return out
	}
	return engine{"the same scan, portable", func(q []float32) []int { return search(q, nil) }, func(q []float32) []int {
		return search(q, func(rows flat.Rows[int], mask *flat.Mask) {
			for row := range mask.Rows() {
				if rows.Items[row]%groups != 7 {
					mask.Clear(row)
				}
			}
		})
	}}
}

// scan is the plain float32 scan, in Go, as a measure.
func scan(d *data) engine {
	search := func(q []float32, filter bool) []int {
		return d.best(q, filter, func(a, b []float32) float64 { return float64(dot32(a, b)) })
	}
	return engine{"float32 scan in Go", func(q []float32) []int { return search(q, false) }, func(q []float32) []int { return search(q, true) }}
}

func dot32(a, b []float32) float32 {
	var s0, s1, s2, s3, s4, s5, s6, s7 float32
	for len(a) >= 8 && len(b) >= 8 {
		s0 += a[0] * b[0]
		s1 += a[1] * b[1]
		s2 += a[2] * b[2]
		s3 += a[3] * b[3]
		s4 += a[4] * b[4]
		s5 += a[5] * b[5]
		s6 += a[6] * b[6]
		s7 += a[7] * b[7]
		a, b = a[8:], b[8:]
	}
	for i := range a {
		s0 += a[i] * b[i]
	}
	return s0 + s1 + s2 + s3 + (s4 + s5 + s6 + s7)
}

func noEmbedding(context.Context, string) ([]float32, error) {
	return nil, fmt.Errorf("vectors are given")
}

func fill(c *chromemgo.Collection, d *data) {
	docs := make([]chromemgo.Document, len(d.vectors))
	for i, v := range d.vectors {
		doc := document(i)
		docs[i] = chromemgo.Document{ID: doc.ID, Content: doc.Content, Embedding: slices.Clone(v),
			Metadata: map[string]string{"group": doc.Metadata["group"].(string), "method": "GET", "path": doc.Metadata["path"].(string)}}
	}
	check(c.AddDocuments(context.Background(), docs, runtime.GOMAXPROCS(0)))
}

func chromemGo(d *data) engine {
	c, err := chromemgo.NewDB().CreateCollection("compare", nil, noEmbedding)
	check(err)
	fill(c, d)
	search := func(q []float32, where map[string]string) []int {
		found, err := c.QueryEmbedding(context.Background(), q, top, where, nil)
		check(err)
		return numbers(found, func(r chromemgo.Result) string { return r.ID })
	}
	return engine{"chromem-go", func(q []float32) []int { return search(q, nil) },
		func(q []float32) []int { return search(q, map[string]string{"group": "g7"}) }}
}

// reload measures opening a filled store.
func reload(d *data, dir string, persist bool, other string) {
	for _, c := range closers {
		c()
	}
	for range 3 {
		runtime.GC()
		start := time.Now()
		s, err := chromem.Open(chromem.Config{Dir: dir, Dimensions: d.dimensions})
		check(err)
		fmt.Printf("\nvectorstore/chromem opens in %.2f s", time.Since(start).Seconds())
		check(s.Close())
	}
	fmt.Println()
	if !persist {
		return
	}
	db, err := chromemgo.NewPersistentDB(other, false)
	check(err)
	c, err := db.CreateCollection("compare", nil, noEmbedding)
	check(err)
	fill(c, d)
	runtime.GC()
	start := time.Now()
	db, err = chromemgo.NewPersistentDB(other, false)
	check(err)
	fmt.Printf("chromem-go opens in %.2f s, with %d documents\n", time.Since(start).Seconds(), db.GetCollection("compare", noEmbedding).Count())
}

type figures struct {
	p50, p99  time.Duration
	perSecond float64
}

// measure searches for the queries in turn until the time is up.
func measure(queries [][]float32, limit time.Duration, callers int, search func([]float32) []int) figures {
	runtime.GC()
	for _, q := range queries[:min(len(queries), 20)] {
		search(q)
	}
	var (
		next  atomic.Int64
		mu    sync.Mutex
		all   []time.Duration
		work  sync.WaitGroup
		start = time.Now()
	)
	for range callers {
		work.Go(func() {
			var own []time.Duration
			for time.Since(start) < limit {
				q := queries[int(next.Add(1))%len(queries)]
				begin := time.Now()
				search(q)
				own = append(own, time.Since(begin))
			}
			mu.Lock()
			all = append(all, own...)
			mu.Unlock()
		})
	}
	work.Wait()
	took := time.Since(start)
	slices.Sort(all)
	return figures{all[len(all)/2], all[len(all)*99/100], float64(len(all)) / took.Seconds()}
}

// recall is the share of the true nearest that a search finds.
func recall(queries [][]float32, truth [][]int, search func([]float32) []int) float64 {
	found, wanted := 0, 0
	for i, q := range queries {
		got := search(q)
		for _, want := range truth[i] {
			if wanted++; slices.Contains(got, want) {
				found++
			}
		}
	}
	return float64(found) / float64(wanted)
}
