package bm25

import (
	"cmp"
	"slices"
)

// heap keeps the k best documents, the worst of them at the root.
type heap struct {
	k       int
	entries []scored
}

type scored struct {
	score int64
	id    string
}

// compare orders better documents after worse ones.
func (a scored) compare(b scored) int {
	return cmp.Or(cmp.Compare(a.score, b.score), cmp.Compare(b.id, a.id))
}

func (h *heap) reset(k int) { h.k, h.entries = k, h.entries[:0] }

func (h *heap) full() bool { return len(h.entries) == h.k }

// threshold is the score of the worst document of a full heap.
func (h *heap) threshold() int64 { return h.entries[0].score }

// admits reports whether a document would be kept.
func (h *heap) admits(score int64, id string) bool {
	return !h.full() || scored{score, id}.compare(h.entries[0]) > 0
}

// add keeps a document that is admitted.
func (h *heap) add(score int64, id string) {
	e := scored{score, id}
	if h.full() {
		h.down(e)
		return
	}
	h.entries = append(h.entries, e)
	i := len(h.entries) - 1
	for i > 0 {
		parent := (i - 1) / 2
		if h.entries[parent].compare(e) <= 0 {
			break
		}
		h.entries[i] = h.entries[parent]
		i = parent
	}
	h.entries[i] = e
}

// down replaces the root.
func (h *heap) down(e scored) {
	i := 0
	for {
		child := 2*i + 1
		if child >= len(h.entries) {
			break
		}
		if right := child + 1; right < len(h.entries) && h.entries[right].compare(h.entries[child]) < 0 {
			child = right
		}
		if h.entries[child].compare(e) >= 0 {
			break
		}
		h.entries[i] = h.entries[child]
		i = child
	}
	h.entries[i] = e
}

// take empties the heap into a list, best first.
func (h *heap) take(unit float64) []Hit {
	if len(h.entries) == 0 {
		return nil
	}
	slices.SortFunc(h.entries, func(a, b scored) int { return b.compare(a) })
	hits := make([]Hit, len(h.entries))
	for i, e := range h.entries {
		hits[i] = Hit{ID: e.id, Score: float64(e.score) / unit}
	}
	clear(h.entries)
	h.entries = h.entries[:0]
	return hits
}
