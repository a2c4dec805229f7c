package bm25

import (
	"cmp"
	"math/bits"
	"slices"
)

// view is a segment and which of its documents were removed. It is immutable.
type view struct {
	*segment
	dead       []uint64 // bit set by local number; nil: none
	deadDocs   int
	deadLength uint64
	// How many removed documents contain each term: by slot, and those that were
	// removed lately in a short list, since the long one is copied to be changed.
	deadTerms []uint32
	lately    []slotCount // by slot
}

// slotCount is how many documents contain the term of a slot.
type slotCount struct{ slot, docs uint32 }

// maxLately is the greatest length of view.lately.
const maxLately = 1 << 11

func (v *view) isDead(doc int) bool {
	return v.dead != nil && v.dead[doc>>6]&(1<<(doc&63)) != 0
}

func (v *view) live() int { return len(v.ids) - v.deadDocs }

// documents is how many live documents contain the term of a slot.
func (v *view) documents(slot int) int {
	n := v.starts[slot+1] - v.starts[slot]
	if v.deadTerms != nil {
		n -= v.deadTerms[slot]
	}
	if at, ok := slices.BinarySearchFunc(v.lately, uint32(slot), compareSlot); ok {
		n -= v.lately[at].docs
	}
	return int(n)
}

func compareSlot(c slotCount, slot uint32) int { return cmp.Compare(c.slot, slot) }

// without returns a view in which more documents, given by local number, are
// removed.
func (v *view) without(docs []int) *view {
	out := *v
	out.dead = make([]uint64, (len(v.ids)+63)/64)
	copy(out.dead, v.dead)
	var counts []slotCount
	for _, doc := range docs {
		if out.isDead(doc) {
			continue
		}
		out.dead[doc>>6] |= 1 << (doc & 63)
		out.deadDocs++
		out.deadLength += uint64(v.lengths[doc])
		v.eachTerm(doc, func(term uint32) {
			slot, _ := v.terms.slot(term)
			counts = append(counts, slotCount{uint32(slot), 1})
		})
	}
	out.lately = merged(v.lately, sum(counts))
	if len(out.lately) > maxLately {
		out.deadTerms = make([]uint32, len(v.terms.numbers))
		copy(out.deadTerms, v.deadTerms)
		for _, c := range out.lately {
			out.deadTerms[c.slot] += c.docs
		}
		out.lately = nil
	}
	return &out
}

// sum sorts counts and adds up those of the same slot, in place.
func sum(counts []slotCount) []slotCount {
	slices.SortFunc(counts, func(a, b slotCount) int { return cmp.Compare(a.slot, b.slot) })
	kept := counts[:0]
	for _, c := range counts {
		if last := len(kept) - 1; last >= 0 && kept[last].slot == c.slot {
			kept[last].docs += c.docs
		} else {
			kept = append(kept, c)
		}
	}
	return kept
}

// merged adds up two lists of counts that are in the order of slots.
func merged(a, b []slotCount) []slotCount {
	out := make([]slotCount, 0, len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		switch cmp.Compare(a[0].slot, b[0].slot) {
		case -1:
			out, a = append(out, a[0]), a[1:]
		case 1:
			out, b = append(out, b[0]), b[1:]
		default:
			out, a, b = append(out, slotCount{a[0].slot, a[0].docs + b[0].docs}), a[1:], b[1:]
		}
	}
	return append(append(out, a...), b...)
}

// tier is the size class of a view, by powers of mergeFactor.
func (v *view) tier() int { return (bits.Len(uint(max(v.live(), 1))) - 1) / mergeBits }
