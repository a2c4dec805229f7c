package flat

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

func Example() {
	x := New(2, strings.Compare)
	x.Put("east", []float32{1, 0})
	x.Put("north", []float32{0, 3})
	x.Publish()
	view := x.View()
	x.Remove("east") // the view does not change
	x.Publish()
	hits, err := view.Search(context.Background(), []float32{2, 1}, 2, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, h := range hits {
		fmt.Printf("%s %.2f\n", h.Item, h.Score)
	}
	fmt.Println(x.View().Len())
	// Output:
	// east 0.89
	// north 0.45
	// 1
}

// variants are all ways to search; each must pass each test on every machine.
var variants = map[string]func(dimensions int) *Index[int]{
	"Native":   func(d int) *Index[int] { return New(d, cmp.Compare[int]) },
	"Bytes":    func(d int) *Index[int] { return newIndex(d, cmp.Compare[int], newBytes(d, goKernels)) },
	"Portable": func(d int) *Index[int] { return NewPortable(d, cmp.Compare[int]) },
}

// clustered makes vectors as embeddings are: groups of close ones, of few latent
// dimensions, with a common direction and noise.
type clustered struct {
	random             *rand.Rand
	dimensions, latent int
	basis, centres     [][]float32
	tight              float32
}

func newClustered(seed uint64, dimensions, clusters int, tight float32) *clustered {
	c := &clustered{random: rand.New(rand.NewPCG(seed, 1)), dimensions: dimensions, latent: min(48, dimensions), tight: tight}
	for range c.latent + 1 {
		c.basis = append(c.basis, c.gauss(dimensions))
	}
	for range clusters {
		c.centres = append(c.centres, c.gauss(c.latent))
	}
	return c
}

func (c *clustered) gauss(n int) []float32 {
	out := make([]float32, n)
	for i := range out {
		out[i] = float32(c.random.NormFloat64())
	}
	return out
}

func (c *clustered) vector() []float32 {
	centre := c.centres[c.random.IntN(len(c.centres))]
	out := c.gauss(c.dimensions)
	for i := range out {
		out[i] = out[i]*0.5 + 2*c.basis[c.latent][i] // noise, and what all have in common
	}
	for l, x := range centre {
		x += c.tight * float32(c.random.NormFloat64())
		for i, b := range c.basis[l] {
			out[i] += x * b
		}
	}
	return out
}

// brute is the search that all others are compared with.
func brute(vectors map[int][]float32, query []float32, k int) []Hit[int] {
	q := newQuery(unit(query))
	hits := []Hit[int]{}
	for item, v := range vectors {
		hits = append(hits, Hit[int]{item, min(1, max(-1, floatDotGo(q.wide, unit(v))))})
	}
	slices.SortFunc(hits, func(a, b Hit[int]) int { return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.Item, b.Item)) })
	return hits[:min(k, len(hits))]
}

// TestAgainstBruteForce changes an index at random and compares every answer, to
// the bit, with that of a search without codes.
func TestAgainstBruteForce(t *testing.T) {
	for name, build := range variants {
		for _, dimensions := range []int{1, 2, 7, 31, 32, 33, 64, 100, 384} {
			t.Run(fmt.Sprint(name, dimensions), func(t *testing.T) {
				t.Parallel()
				data := newClustered(uint64(dimensions), dimensions, 20, 0.3)
				x, model := build(dimensions), map[int][]float32{}
				missed, wanted := 0, 0
				for round := range 12 {
					for range data.random.IntN(600) {
						item, v := data.random.IntN(3000), data.vector()
						x.Put(item, v)
						model[item] = v
					}
					for range data.random.IntN(400) * (round % 3) {
						item := data.random.IntN(3000)
						_, there := model[item]
						require.Equal(t, there, x.Remove(item))
						delete(model, item)
					}
					x.Publish()
					require.Equal(t, len(model), x.View().Len())
					require.Equal(t, len(model), x.Len())
					for _, k := range []int{1, 10, 5000} {
						q := data.vector()
						want := brute(model, q, k)
						got, err := x.View().Search(t.Context(), q, k, nil)
						require.NoError(t, err)
						if name != "Portable" {
							require.Equal(t, want, append([]Hit[int]{}, got...))
							continue
						}
						require.Len(t, got, len(want))
						wanted += len(want)
						missed += len(want) - overlap(want, got)
					}
				}
				require.LessOrEqual(t, float64(missed), 0.001*float64(wanted), "%d of %d missed", missed, wanted)
			})
		}
	}
}

func overlap(a, b []Hit[int]) int {
	n := 0
	for _, h := range a {
		if slices.Contains(b, h) {
			n++
		}
	}
	return n
}

// TestRecall is the promise of the package on embeddings-like data: exact with
// bytes, and at least 0.999 with signs.
func TestRecall(t *testing.T) {
	for _, tight := range []float32{0.05, 0.3, 1} {
		data := newClustered(7, 384, 100, tight)
		model := map[int][]float32{}
		for i := range 8000 {
			model[i] = data.vector()
		}
		var queries [][]float32
		var truth [][]Hit[int]
		for range 40 {
			queries = append(queries, data.vector())
			truth = append(truth, brute(model, queries[len(queries)-1], 10))
		}
		for name, build := range variants {
			x := build(384)
			for i := range len(model) {
				x.Put(i, model[i])
			}
			x.Publish()
			found := 0
			for i, q := range queries {
				got, err := x.View().Search(t.Context(), q, 10, nil)
				require.NoError(t, err)
				found += overlap(truth[i], got)
			}
			recall := float64(found) / float64(10*len(queries))
			t.Logf("%s, spread %v: recall@10 %.4f", name, tight, recall)
			require.GreaterOrEqual(t, recall, map[bool]float64{true: 0.999, false: 1}[name == "Portable"], name)
		}
	}
}

func TestTies(t *testing.T) {
	for name, build := range variants {
		x := build(100)
		v := newClustered(1, 100, 1, 1).vector()
		for _, i := range rand.Perm(3000) {
			x.Put(i, v)
		}
		x.Publish()
		hits, err := x.View().Search(t.Context(), v, 20, nil)
		require.NoError(t, err)
		for i, h := range hits {
			require.Equal(t, i, h.Item, name)
		}
	}
}

func TestWhere(t *testing.T) {
	for name, build := range variants {
		data := newClustered(3, 70, 10, 0.3)
		x, model := build(70), map[int][]float32{}
		for i := range 5000 {
			v := data.vector()
			x.Put(i, v)
			if i%3 == 0 {
				x.Remove(i)
			} else {
				model[i] = v
			}
		}
		x.Publish()
		for _, divisor := range []int{1, 2, 50, 2000, 100_000} {
			wanted := map[int][]float32{}
			for i, v := range model {
				if i%divisor == divisor-1 {
					wanted[i] = v
				}
			}
			where := func(rows Rows[int], mask *Mask) {
				for row := range mask.Rows() {
					if rows.Items[row]%divisor != divisor-1 {
						mask.Clear(row)
					}
				}
			}
			q := data.vector()
			got, err := x.View().Search(t.Context(), q, 10, where)
			require.NoError(t, err)
			require.Equal(t, brute(wanted, q, 10), append([]Hit[int]{}, got...), "%s, 1/%d", name, divisor)
		}
	}
}

func TestRemember(t *testing.T) {
	x := New(2, cmp.Compare[int])
	built := 0
	count := func() {
		_, err := x.View().Search(t.Context(), []float32{1, 0}, 1, func(rows Rows[int], _ *Mask) {
			n := rows.Remember("n", func(items []int) (any, bool) { built++; return len(items), true })
			require.Equal(t, len(rows.Items), n)
		})
		require.NoError(t, err)
	}
	for i := range BlockRows + 1 {
		x.Put(i, []float32{1, float32(i)})
	}
	x.Publish()
	count()
	require.Equal(t, 2, built)
	x.Remove(5)
	x.Put(BlockRows+7, []float32{1, 1})
	x.Publish()
	count()
	require.Equal(t, 3, built, "the full block remembers, the growing one does not")
	for i := range BlockRows {
		x.Remove(i)
	}
	x.Publish()
	count()
	require.Equal(t, 4, built, "a block that has gone is not asked")
}

// TestCompact replaces the same few items for a long time: memory must not grow.
func TestCompact(t *testing.T) {
	x := New(4, cmp.Compare[int])
	for i := range 100_000 {
		x.Put(i%300, []float32{1, float32(i), 0, 0})
		if i%50 == 0 {
			x.Publish()
		}
	}
	x.Publish()
	require.Equal(t, 300, x.View().Len())
	require.LessOrEqual(t, len(x.View().blocks), 3)
	hits, err := x.View().Search(t.Context(), []float32{1, 0, 0, 0}, 1000, nil)
	require.NoError(t, err)
	require.Len(t, hits, 300)
}

func TestEmptyAndCancelled(t *testing.T) {
	for name, build := range variants {
		x := build(3)
		hits, err := x.View().Search(t.Context(), []float32{1, 0, 0}, 5, nil)
		require.NoError(t, err)
		require.Empty(t, hits)
		x.Put(1, []float32{1, 0, 0})
		require.Zero(t, x.View().Len(), "not published yet")
		x.Publish()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		for _, k := range []int{0, 1} {
			_, err = x.View().Search(ctx, []float32{1, 0, 0}, k, nil)
			require.ErrorIs(t, err, context.Canceled, name)
		}
	}
}

// TestConcurrent searches while a writer replaces whole generations: a search sees
// one of them.
func TestConcurrent(t *testing.T) {
	for _, build := range variants {
		x := build(64)
		data := newClustered(9, 64, 5, 0.3)
		const size = 700
		write := func(generation int) {
			for i := range size {
				x.Remove((generation-1)*size + i)
				x.Put(generation*size+i, data.vector())
			}
			x.Publish()
		}
		write(0)
		queries := [][]float32{data.vector(), data.vector()}
		done := make(chan struct{})
		var readers sync.WaitGroup
		for _, q := range queries {
			readers.Go(func() {
				for {
					select {
					case <-done:
						return
					default:
					}
					hits, err := x.View().Search(t.Context(), q, size*2, nil)
					if err != nil || len(hits) != size {
						t.Errorf("%v, %d hits", err, len(hits))
						return
					}
					for _, h := range hits {
						if h.Item/size != hits[0].Item/size {
							t.Error("half a generation")
							return
						}
					}
				}
			})
		}
		for g := range 12 {
			write(g + 1)
		}
		close(done)
		readers.Wait()
	}
}

func TestKth(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		k, h := 1+random.IntN(20), kth{}
		var all []float64
		for range random.IntN(100) {
			v := float64(random.IntN(30))
			h.add(k, v)
			all = append(all, v)
			slices.SortFunc(all, func(a, b float64) int { return cmp.Compare(b, a) })
			want := math.Inf(-1)
			if len(all) >= k {
				want = all[k-1]
			}
			require.Equal(t, want, h.value(k))
		}
	}
}
