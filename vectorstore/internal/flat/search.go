package flat

import (
	"cmp"
	"context"
	"math"
	"slices"
	"sync"
)

// Hit is an item that was found.
type Hit[T any] struct {
	Item  T
	Score float64 // cosine similarity to the query, in [-1, 1]
}

// Where restricts a search: it removes from the mask the rows that are not
// wanted. It is called once for each block, by the goroutine that searches.
type Where[T any] func(rows Rows[T], mask *Mask)

// Rows are the items of a block.
type Rows[T any] struct {
	Items []T // by row
	memo  *sync.Map
}

// Remember returns what build makes of the items, which must depend on nothing
// else. A full block keeps it under the key if build says so, and returns it from
// then on; blocks leave the index, and forget, as items are removed.
func (r Rows[T]) Remember(key any, build func(items []T) (value any, keep bool)) any {
	if len(r.Items) < BlockRows {
		value, _ := build(r.Items)
		return value
	}
	if value, ok := r.memo.Load(key); ok {
		return value
	}
	value, keep := build(r.Items)
	if keep {
		r.memo.Store(key, value)
	}
	return value
}

// Search returns the k items whose vectors are most similar to the query among
// those that where leaves (nil leaves all), best first, equal ones in the order of
// the index's compare function. The query must have the index's dimension, be
// finite and not zero. The error is that of a cancelled context.
func (v *View[T]) Search(ctx context.Context, query []float32, k int, where Where[T]) ([]Hit[T], error) {
	if k = min(k, v.live); k <= 0 {
		return nil, ctx.Err()
	}
	s := &search[T]{View: v, ctx: ctx, where: where, query: newQuery(unit(query)), k: k}
	if err := v.scheme.codec.search(s); err != nil {
		return nil, err
	}
	return s.result(), nil
}

// scan is what a codec knows of a search: blocks without their items.
type scan interface {
	// each calls do for every block with the rows that are wanted; mask is nil if
	// that is all of them. It stops when the context is cancelled.
	each(do func(block, rows int, c *codes, mask *Mask)) error
	// rescore computes the exact similarity of a row and keeps it if it may be
	// among the best.
	rescore(block, row int)
	// threshold is the similarity of the k-th best row so far; below all
	// similarities while there are fewer.
	threshold() float64
	parameters() (query []float32, k, live int)
	err() error // of a cancelled context
}

// search is a search under way.
type search[T comparable] struct {
	*View[T]
	ctx   context.Context
	where Where[T]
	query query
	k     int
	found []Hit[T]
	best  kth
}

// query is what is searched for, of unit length.
type query struct {
	narrow []float32
	wide   []float64 // the same numbers
}

func newQuery(vector []float32) query {
	q := query{vector, make([]float64, len(vector))}
	for i, x := range vector {
		q.wide[i] = float64(x)
	}
	return q
}

func (s *search[T]) parameters() ([]float32, int, int) { return s.query.narrow, s.k, s.live }

func (s *search[T]) err() error { return s.ctx.Err() }

func (s *search[T]) each(do func(block, rows int, c *codes, mask *Mask)) error {
	for i, b := range s.blocks {
		if err := s.ctx.Err(); err != nil {
			return err
		}
		if b == nil || b.live == 0 {
			continue
		}
		if s.where == nil && b.live == len(b.items) {
			do(i, len(b.items), &b.codes, nil)
			continue
		}
		mask := b.alive
		if s.where != nil {
			s.where(Rows[T]{b.items, b.memo}, &mask)
		}
		if mask != (Mask{}) {
			do(i, len(b.items), &b.codes, &mask)
		}
	}
	return s.ctx.Err()
}

func (s *search[T]) threshold() float64 { return s.best.value(s.k) }

func (s *search[T]) rescore(block, row int) {
	b := s.blocks[block]
	score := min(1, max(-1, s.scheme.codec.dot(s.query.wide, s.scheme.vector(b.vectors, row))))
	if score >= s.threshold() {
		s.found = append(s.found, Hit[T]{b.items[row], score})
		s.best.add(s.k, score)
	}
}

// result puts what was kept in order and cuts it to k.
func (s *search[T]) result() []Hit[T] {
	least := s.threshold()
	s.found = slices.DeleteFunc(s.found, func(h Hit[T]) bool { return h.Score < least })
	slices.SortFunc(s.found, func(a, b Hit[T]) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), s.compare(a.Item, b.Item))
	})
	return s.found[:min(s.k, len(s.found))]
}

// kth knows the k-th largest of the numbers that it has seen: the root of a heap
// of the k largest.
type kth struct{ heap []float64 }

func (h *kth) value(k int) float64 {
	if len(h.heap) < k {
		return math.Inf(-1)
	}
	return h.heap[0]
}

func (h *kth) add(k int, value float64) {
	if len(h.heap) < k {
		h.heap = append(h.heap, value)
		h.up()
		return
	}
	if value <= h.heap[0] {
		return
	}
	i := 0
	for {
		child := 2*i + 1
		if child >= k {
			break
		}
		if child+1 < k && h.heap[child+1] < h.heap[child] {
			child++
		}
		if h.heap[child] >= value {
			break
		}
		h.heap[i] = h.heap[child]
		i = child
	}
	h.heap[i] = value
}

// up moves the last number to its place.
func (h *kth) up() {
	i := len(h.heap) - 1
	value := h.heap[i]
	for i > 0 && h.heap[(i-1)/2] > value {
		h.heap[i] = h.heap[(i-1)/2]
		i = (i - 1) / 2
	}
	h.heap[i] = value
}
