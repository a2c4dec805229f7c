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
	view  *view // that the document is in
	doc   int32 // its local number
	rank  int32 // of its ID among those of the view
}

func (a *scored) id() string { return a.view.ids[a.doc] }

// compare orders better documents after worse ones.
func (a *scored) compare(b *scored) int {
	switch {
	case a.score != b.score:
		return cmp.Compare(a.score, b.score)
	case a.view == b.view:
		return int(b.rank) - int(a.rank)
	}
	return cmp.Compare(b.id(), a.id())
}

func (h *heap) reset(k int) { h.k, h.entries = k, h.entries[:0] }

func (h *heap) full() bool { return len(h.entries) == h.k }

// threshold is what a document must score at least to be kept.
func (h *heap) threshold() int64 {
	if !h.full() {
		return 0
	}
	return h.entries[0].score
}

// add keeps a document that is better than the worst one of a full heap.
func (h *heap) add(e scored) {
	if h.full() {
		h.down(e)
		return
	}
	h.entries = append(h.entries, e)
	i := len(h.entries) - 1
	for i > 0 {
		parent := (i - 1) / 2
		if h.entries[parent].compare(&e) <= 0 {
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
		if right := child + 1; right < len(h.entries) && h.entries[right].compare(&h.entries[child]) < 0 {
			child = right
		}
		if h.entries[child].compare(&e) >= 0 {
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
	slices.SortFunc(h.entries, func(a, b scored) int { return b.compare(&a) })
	hits := make([]Hit, len(h.entries))
	for i, e := range h.entries {
		hits[i] = Hit{ID: e.id(), Score: float64(e.score) / unit}
	}
	clear(h.entries)
	h.entries = h.entries[:0]
	return hits
}
