// Package flat finds the nearest of many vectors by looking at all of them,
// cheaply: a scan over small codes leaves a few candidates, and only their
// float32 vectors are read.
//
//	x := flat.New(384, strings.Compare)
//	x.Put("a", vector)
//	x.Publish()
//	hits, err := x.View().Search(ctx, query, 10, nil)
//
// On processors with AVX2 a code is the vector in 8-bit integers together with a
// bound on its rounding error, so that the candidates certainly contain the
// nearest: the result is exact. Elsewhere a code is one bit for each direction of
// a random rotation; the share of bits in which two codes differ estimates the
// angle between the vectors, and the candidates are those whose estimate is
// within four standard deviations of the k-th best. See docs/vectorstore.md.
//
// One goroutine writes at a time. Any number search, each in a View that does not
// change, and none waits for another.
package flat

import (
	"math"
	"math/bits"
	"slices"
	"sync"
	"sync/atomic"
)

// BlockRows is how many vectors lie together in a block.
const BlockRows = 1024

// Index is a growing set of items with a vector each. New makes one. View may be
// called at any time; the other methods belong to one writer.
type Index[T comparable] struct {
	scheme  scheme
	compare func(a, b T) int
	view    atomic.Pointer[View[T]]

	// What Publish will show. A block that readers may have seen is copied before
	// it changes (see own); its arrays are shared and only ever appended to.
	blocks []*block[T] // nil where a block has gone
	fresh  map[int]bool
	rows   map[T]position
	tail   int // the block that grows; -1 if there is none
}

// View is the state of an Index at a moment. It does not change.
type View[T comparable] struct {
	scheme  scheme
	compare func(a, b T) int
	blocks  []*block[T]
	live    int
}

// scheme is what all vectors of an index have in common.
type scheme struct {
	dimensions int
	codec      codec
}

// codec makes the codes of vectors and searches with them.
type codec interface {
	// encode adds the codes of the vectors that have none yet.
	encode(c *codes, vectors []float32, rows int)
	// search offers to s.rescore every row that may be among the best.
	search(s scan) error
	// dot is the scalar product of a query and a vector, to the last bit the same
	// on every machine.
	dot(query []float64, vector []float32) float64
}

// codes are the codes of the first rows of a block.
type codes struct {
	rows  int
	bytes []int8    // see byteCodec
	scale []float32 // "
	slack []float32 // "
	signs []uint64  // see signCodec
}

type position struct{ block, row int }

// block is up to BlockRows vectors.
type block[T comparable] struct {
	items   []T
	vectors []float32 // of unit length, one after the other
	codes   codes
	alive   Mask
	live    int
	memo    *sync.Map // see Rows.Remember
}

// New makes an empty index for vectors of the given length. compare orders items
// of equal similarity.
func New[T comparable](dimensions int, compare func(a, b T) int) *Index[T] {
	if hasKernels {
		return newIndex(dimensions, compare, newBytes(dimensions, kernels))
	}
	return NewPortable(dimensions, compare)
}

// NewPortable is New without the instructions of this processor, for comparison.
func NewPortable[T comparable](dimensions int, compare func(a, b T) int) *Index[T] {
	return newIndex(dimensions, compare, newSigns(dimensions))
}

func newIndex[T comparable](dimensions int, compare func(a, b T) int, c codec) *Index[T] {
	x := &Index[T]{scheme: scheme{dimensions, c}, compare: compare, fresh: make(map[int]bool), rows: make(map[T]position), tail: -1}
	x.Publish()
	return x
}

// View returns what the last Publish showed.
func (x *Index[T]) View() *View[T] { return x.view.Load() }

// Dimensions returns the length of the vectors.
func (x *Index[T]) Dimensions() int { return x.scheme.dimensions }

// Len returns how many items there are, including changes not yet published.
func (x *Index[T]) Len() int { return len(x.rows) }

// Has reports whether the item is there, including changes not yet published.
func (x *Index[T]) Has(item T) bool {
	_, ok := x.rows[item]
	return ok
}

// Put adds an item, or replaces its vector. The vector must have Dimensions
// finite elements that are not all zero; its length does not matter. It is copied.
func (x *Index[T]) Put(item T, vector []float32) {
	x.Remove(item)
	b := x.append(item)
	b.vectors = appendUnit(b.vectors, vector[:x.scheme.dimensions])
}

// append adds an item that is not there. The caller adds its vector.
func (x *Index[T]) append(item T) *block[T] {
	if x.tail < 0 || len(x.blocks[x.tail].items) == BlockRows {
		x.grow()
	}
	b := x.own(x.tail)
	row := len(b.items)
	b.items = append(b.items, item)
	b.alive.Set(row)
	b.live++
	x.rows[item] = position{x.tail, row}
	return b
}

// grow starts a new block. The first one grows from nothing, so that a small
// index is small; the others begin at their full size.
func (x *Index[T]) grow() {
	b := &block[T]{memo: new(sync.Map)}
	if len(x.blocks) > 0 {
		b.items = make([]T, 0, BlockRows)
		b.vectors = make([]float32, 0, BlockRows*x.scheme.dimensions)
	}
	if x.tail = slices.Index(x.blocks, nil); x.tail < 0 {
		x.tail = len(x.blocks)
		x.blocks = append(x.blocks, nil)
	}
	x.blocks[x.tail] = b
	x.fresh[x.tail] = true
}

// own returns a block that may be changed.
func (x *Index[T]) own(i int) *block[T] {
	if !x.fresh[i] {
		copied := *x.blocks[i]
		x.blocks[i] = &copied
		x.fresh[i] = true
	}
	return x.blocks[i]
}

// Remove removes an item, and reports whether it was there.
func (x *Index[T]) Remove(item T) bool {
	at, ok := x.rows[item]
	if !ok {
		return false
	}
	b := x.own(at.block)
	b.alive.Clear(at.row)
	b.live--
	delete(x.rows, item)
	return true
}

// Publish shows all changes since the last Publish at once.
func (x *Index[T]) Publish() {
	x.compact()
	var work sync.WaitGroup
	for i := range x.fresh {
		if b := x.blocks[i]; b != nil && len(b.items) > b.codes.rows {
			work.Go(func() { x.scheme.codec.encode(&b.codes, b.vectors, len(b.items)) })
		}
	}
	work.Wait()
	clear(x.fresh)
	x.view.Store(&View[T]{x.scheme, x.compare, slices.Clone(x.blocks), len(x.rows)})
}

// compact moves the rest of each full block that is at least half empty to the
// end, so that removed rows never outnumber the others by much.
func (x *Index[T]) compact() {
	for i, b := range x.blocks {
		if !x.fresh[i] || b == nil || len(b.items) < BlockRows || b.live > BlockRows/2 {
			continue
		}
		if i == x.tail {
			x.tail = -1
		}
		for row := range b.alive.Rows() {
			to := x.append(b.items[row])
			to.vectors = append(to.vectors, x.scheme.vector(b.vectors, row)...)
		}
		x.blocks[i] = nil
	}
}

// vector is one of the vectors that lie one after the other.
func (s *scheme) vector(vectors []float32, row int) []float32 {
	return vectors[row*s.dimensions : (row+1)*s.dimensions]
}

// appendUnit appends the vector, brought to length 1.
func appendUnit(to, vector []float32) []float32 {
	length := norm(vector)
	for _, x := range vector {
		to = append(to, float32(float64(x)/length))
	}
	return to
}

func unit(vector []float32) []float32 { return appendUnit(make([]float32, 0, len(vector)), vector) }

func norm(vector []float32) float64 {
	var sum float64
	for _, x := range vector {
		sum += float64(x) * float64(x)
	}
	return math.Sqrt(sum)
}

// Len returns how many items the view has.
func (v *View[T]) Len() int { return v.live }

// Mask is a set of rows of a block.
type Mask [BlockRows / 64]uint64

// Set adds a row.
func (m *Mask) Set(row int) { m[row/64] |= 1 << (row % 64) }

// Has reports whether a row is in the set.
func (m *Mask) Has(row int) bool { return m[row/64]>>(row%64)&1 != 0 }

// Clear removes a row.
func (m *Mask) Clear(row int) { m[row/64] &^= 1 << (row % 64) }

// Add adds the rows of another set.
func (m *Mask) Add(other *Mask) {
	for i, word := range other {
		m[i] |= word
	}
}

// Subtract removes the rows of another set.
func (m *Mask) Subtract(other *Mask) {
	for i, word := range other {
		m[i] &^= word
	}
}

// Intersect removes the rows that are not in another set.
func (m *Mask) Intersect(other *Mask) {
	for i, word := range other {
		m[i] &= word
	}
}

// Count returns how many rows are in the set.
func (m *Mask) Count() int {
	n := 0
	for _, word := range m {
		n += bits.OnesCount64(word)
	}
	return n
}

// Rows iterates over the rows in the set, in order.
func (m *Mask) Rows() func(yield func(row int) bool) {
	return func(yield func(row int) bool) {
		for i, word := range m {
			for ; word != 0; word &= word - 1 {
				if !yield(i*64 + bits.TrailingZeros64(word)) {
					return
				}
			}
		}
	}
}
