package main

import (
	"cmp"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
)

// data is vectors and queries as embeddings are: groups of close ones, of few
// latent dimensions, with a common direction and noise; all of unit length.
type data struct {
	dimensions       int
	vectors, queries [][]float32
}

const latent = 48

func generate(n, dimensions, queries int, spread float64) *data {
	random := rand.New(rand.NewPCG(1, 2))
	gauss := func(n int) []float32 {
		out := make([]float32, n)
		for i := range out {
			out[i] = float32(random.NormFloat64())
		}
		return out
	}
	basis, centres := make([][]float32, latent+1), make([][]float32, max(1, n/200))
	for i := range basis {
		basis[i] = gauss(dimensions)
	}
	for i := range centres {
		centres[i] = gauss(latent)
	}
	vector := func() []float32 {
		out := gauss(dimensions)
		for i, common := range basis[latent] {
			out[i] = out[i]/2 + 2*common
		}
		for l, x := range centres[random.IntN(len(centres))] {
			x += float32(spread * random.NormFloat64())
			for i, b := range basis[l] {
				out[i] += x * b
			}
		}
		return unit(out)
	}
	d := &data{dimensions: dimensions}
	for range n {
		d.vectors = append(d.vectors, vector())
	}
	for range queries {
		d.queries = append(d.queries, vector())
	}
	return d
}

func unit(v []float32) []float32 {
	length := float32(math.Sqrt(dot64(v, v)))
	for i := range v {
		v[i] /= length
	}
	return v
}

func dot64(a, b []float32) float64 {
	var sum float64
	for i, x := range a {
		sum += float64(x) * float64(b[i])
	}
	return sum
}

// nearest returns, for each query, the true nearest vectors.
func (d *data) nearest(filter bool) [][]int {
	out := make([][]int, len(d.queries))
	var work sync.WaitGroup
	for worker := range runtime.GOMAXPROCS(0) {
		work.Go(func() {
			for i := worker; i < len(out); i += runtime.GOMAXPROCS(0) {
				out[i] = d.best(d.queries[i], filter, dot64)
			}
		})
	}
	work.Wait()
	return out
}

// best scans all vectors, or those that the filter matches.
func (d *data) best(query []float32, filter bool, dot func(a, b []float32) float64) []int {
	type hit struct {
		number int
		score  float64
	}
	best := make([]hit, 0, top+1)
	for i, v := range d.vectors {
		if filter && i%groups != 7 {
			continue
		}
		h := hit{i, dot(query, v)}
		if len(best) == top && h.score <= best[top-1].score {
			continue
		}
		at, _ := slices.BinarySearchFunc(best, h, func(a, b hit) int { return cmp.Compare(b.score, a.score) })
		best = slices.Insert(best, at, h)[:min(top, len(best)+1)]
	}
	out := make([]int, len(best))
	for i, h := range best {
		out[i] = h.number
	}
	return out
}
