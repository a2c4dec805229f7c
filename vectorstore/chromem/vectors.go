package chromem

import (
	"cmp"
	"context"
	"math"
	"slices"

	"github.com/api-assistant/api-assistant/vectorstore"
)

// vectors are the embeddings, one after the other, of unit length.
type vectors struct {
	dimensions int
	flat       []float32
	entries    []*entry // by row
}

func (v *vectors) len() int { return len(v.entries) }

func (v *vectors) row(i int) []float32 {
	return v.flat[i*v.dimensions : (i+1)*v.dimensions]
}

// add appends a vector and returns its row.
func (v *vectors) add(e *entry, vector []float32) int {
	v.dimensions = len(vector)
	v.flat = append(v.flat, unit(vector)...)
	v.entries = append(v.entries, e)
	return len(v.entries) - 1
}

// remove puts the last row in the place of the given one.
func (v *vectors) remove(i int) {
	last := len(v.entries) - 1
	copy(v.row(i), v.row(last))
	v.entries[i] = v.entries[last]
	v.entries[i].row = i
	v.entries[last] = nil
	v.entries, v.flat = v.entries[:last], v.flat[:last*v.dimensions]
}

// unit returns a copy of the vector with length 1.
func unit(vector []float32) []float32 {
	var norm float64
	for _, x := range vector {
		norm += float64(x) * float64(x)
	}
	norm = math.Sqrt(norm)
	out := make([]float32, len(vector))
	for i, x := range vector {
		out[i] = float32(float64(x) / norm)
	}
	return out
}

// found is an entry with its similarity.
type found struct {
	entry *entry
	score float32
}

// better orders by score, then by ID.
func better(a, b found) int {
	return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(a.entry.doc.ID, b.entry.doc.ID))
}

// cancelEvery is how many rows are scanned between looks at the context.
const cancelEvery = 4096

// search scans all rows for the k best that the filter matches.
func (v *vectors) search(ctx context.Context, vector []float32, k int, f vectorstore.Filter) ([]found, error) {
	query := unit(vector)
	k = min(k, v.len())
	// Twice k are collected before the worse half is thrown away, so that
	// keeping the best costs a constant time for each row.
	best := make([]found, 0, 2*k)
	worst := float32(math.Inf(-1))
	for i, e := range v.entries {
		if i%cancelEvery == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		score := min(1, max(-1, dot(query, v.row(i))))
		if score < worst || f != nil && !f.Match(e.doc) {
			continue
		}
		if best = append(best, found{e, score}); len(best) == cap(best) {
			slices.SortFunc(best, better)
			best = best[:k]
			worst = best[k-1].score
		}
	}
	slices.SortFunc(best, better)
	return best[:min(k, len(best))], nil
}

// dot is the scalar product; eight sums let the processor overlap them.
func dot(a, b []float32) float32 {
	var s0, s1, s2, s3, s4, s5, s6, s7 float32
	b = b[:len(a)]
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
