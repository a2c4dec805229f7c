package bm25

import "slices"

// Segments are merged by tiers: when mergeFactor segments at the end of the
// list are of one tier (or mixed with smaller ones), they become one of the next
// tier, so a document is copied once per tier. A segment cannot be larger than
// maxSegment: where that stops a run, what the run has is merged. So a search
// meets at most mergeFactor−1 segments per tier, and one for each half of
// maxSegment documents.
const (
	mergeBits   = 3
	mergeFactor = 1 << mergeBits
	tiers       = 16/mergeBits + 1
	// maxDead is the share of removed documents, 1/maxDead, from which on a
	// segment is rewritten without them.
	maxDead = 4
)

// merge does the merging that is due. The caller holds x.writing.
func (x *Index) merge() {
	before := x.snapshot.Load().views
	after := x.mergeTiers(slices.Clone(before))
	for i, v := range after {
		if v.deadDocs > 0 && v.deadDocs*maxDead >= len(v.ids) {
			after[i] = &view{segment: mergeViews(after[i:i+1], x.params)}
		}
	}
	if !slices.Equal(before, after) {
		x.snapshot.Store(newSnapshot(after))
	}
}

// mergeTiers merges in place and returns what is left of the list.
func (x *Index) mergeTiers(views []*view) []*view {
	for tier := range tiers {
		first, docs, ofTier, stopped := len(views), 0, 0, false
		for first > 0 && views[first-1].tier() <= tier {
			v := views[first-1]
			if stopped = docs+v.live() > maxSegment; stopped {
				break
			}
			if v.tier() == tier {
				ofTier++
			}
			docs += v.live()
			first--
		}
		if ofTier >= mergeFactor || stopped && ofTier > 1 && docs > maxSegment/2 {
			views[first] = &view{segment: mergeViews(views[first:], x.params)}
			views = views[:first+1]
		}
	}
	return views
}

// mergeViews makes one segment of the live documents of several.
func mergeViews(views []*view, p params) *segment {
	out := &segment{}
	locals := make([][]uint16, len(views)) // new local numbers of live documents
	postings := 0
	for i, v := range views {
		locals[i] = out.copyDocuments(v)
		postings += len(v.postings)
	}
	out.forwardAt = append(out.forwardAt, uint32(len(out.forward)))
	var (
		docs, tfs = make([]uint16, 0, postings), make([]uint32, 0, postings)
		slots     = make([]int, len(views))
		terms     []uint32
	)
	for {
		term, ok := leastTerm(views, slots)
		if !ok {
			break
		}
		start := len(docs)
		for i, v := range views {
			slot := slots[i]
			if slot == len(v.terms.numbers) || v.terms.numbers[slot] != term {
				continue
			}
			slots[i]++
			for at := int(v.starts[slot]); at < int(v.starts[slot+1]); at++ {
				if doc := v.postings[at].doc(); !v.isDead(doc) {
					docs, tfs = append(docs, locals[i][doc]), append(tfs, uint32(v.frequency(at)))
				}
			}
		}
		if len(docs) > start {
			terms = append(terms, term)
			out.starts = append(out.starts, uint32(start))
		}
	}
	out.starts = slices.Clip(append(out.starts, uint32(len(docs))))
	out.terms = newTermSet(terms)
	out.seal(p, docs, tfs)
	return out
}

// copyDocuments appends the live documents of a view, and returns their new
// local numbers by their old ones.
func (s *segment) copyDocuments(v *view) []uint16 {
	locals := make([]uint16, len(v.ids))
	for doc := range v.ids {
		if v.isDead(doc) {
			continue
		}
		locals[doc] = uint16(len(s.ids))
		s.ids = append(s.ids, v.ids[doc])
		s.lengths = append(s.lengths, v.lengths[doc])
		s.length += uint64(v.lengths[doc])
		s.forwardAt = append(s.forwardAt, uint32(len(s.forward)))
		s.forward = append(s.forward, v.forward[v.forwardAt[doc]:v.forwardAt[doc+1]]...)
	}
	return locals
}

// leastTerm is the least term that any view has next.
func leastTerm(views []*view, slots []int) (least uint32, ok bool) {
	for i, v := range views {
		if slots[i] < len(v.terms.numbers) && (!ok || v.terms.numbers[slots[i]] < least) {
			least, ok = v.terms.numbers[slots[i]], true
		}
	}
	return least, ok
}
