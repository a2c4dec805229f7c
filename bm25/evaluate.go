package bm25

import (
	"math"
	"slices"
)

// scratch is the working memory of a search. It is pooled, so that a warm
// search allocates its result only.
type scratch struct {
	index  *Index
	emit   func(token []byte)
	filter filter
	terms  []queryTerm
	slots  []int // of term i in view v at [i*views+v]; -1: not there
	unit   float64
	best   heap

	// The rest is about the segment that is evaluated.
	view       *view
	norm       normalizer
	cursors    []cursor
	rest       []int64 // rest[i]: what cursors[i:] add at most together
	candidates []candidate
	batch      int             // how many candidates are completed at a time
	spent      int             // how many look-ups were planned
	tied       int             // documents from it on lose ties with the worst that is kept
	kept       [1 << 10]uint64 // bit set: documents that were among the best
	anyKept    bool

	acc     []int64                 // by document of a window, all zero between windows
	touched [windowSize / 64]uint64 // bit set: those with something in acc
}

// queryTerm is a term of the query that documents contain.
type queryTerm struct {
	number uint32
	weight float64 // in the query
	factor float64 // weight·idf·(k1+1), then times unit
}

// cursor is a term in the segment.
type cursor struct {
	list
	factor float64
	step   int64 // what a posting adds at most for each 255th of impact
	ceil   uint8 // the greatest impact in documents that are not evaluated yet
	at, to int   // postings before at are done; those before to are next
}

// most is what the term adds at most to a document that is not evaluated yet.
func (c *cursor) most() int64 { return c.step * int64(c.ceil) }

// mayContain reports whether a long list may contain a document.
func (c *cursor) mayContain(doc int) bool {
	bit := doc >> c.coarse
	return c.present[bit/64]>>(bit%64)&1 != 0
}

// impactFor is the least impact with which a posting may add some score.
func (c *cursor) impactFor(score int64) int {
	return int(min(max(0, (score+c.step-1)/c.step), maxImpact+1))
}

// candidate is a document that may be one of the best, with the greatest score
// that it may have. When all terms have been looked up, that is its score.
type candidate struct {
	score int64
	doc   int32
	found posting // by which it was found
}

func newScratch(x *Index) *scratch {
	s := &scratch{index: x, acc: make([]int64, windowSize)}
	s.emit = func(token []byte) {
		if number, ok := x.dict.find(token); ok {
			s.want(number, 1)
		}
	}
	return s
}

// start prepares for a search.
func (s *scratch) start(k int, opts []SearchOption) {
	s.terms, s.filter, s.batch = s.terms[:0], filter{}, firstBatch
	s.best.reset(k)
	for _, o := range opts {
		o(&s.filter)
	}
}

// want adds a term to the query.
func (s *scratch) want(number uint32, weight float64) {
	for i := range s.terms {
		if s.terms[i].number == number {
			s.terms[i].weight = min(s.terms[i].weight+weight, maxTermWeight)
			return
		}
	}
	if len(s.terms) < maxTerms {
		s.terms = append(s.terms, queryTerm{number: number, weight: weight})
	}
}

// search evaluates the query on all segments.
func (s *scratch) search(snap *snapshot) []Hit {
	s.prepare(snap)
	if len(s.terms) == 0 {
		return nil
	}
	average := snap.average()
	s.norm = s.index.params.normalizer(average)
	for i, v := range snap.views {
		loosen := 1 + 1e-9 // for the rounding of the products
		if average > v.average && v.average > 0 {
			loosen *= average / v.average
		}
		s.view, s.cursors = v, s.cursors[:0]
		for t := range s.terms {
			if slot := s.slots[t*len(snap.views)+i]; slot >= 0 {
				c := cursor{list: v.list(slot), factor: s.terms[t].factor}
				c.step, c.ceil = int64(c.factor*loosen/maxImpact)+1, c.bound
				s.cursors = append(s.cursors, c)
			}
		}
		s.segment()
		if s.anyKept {
			clear(s.kept[:(len(v.ids)+63)/64])
			s.anyKept = false
		}
	}
	hits := s.best.take(s.unit)
	s.filter, s.view = filter{}, nil // keep nothing alive
	clear(s.cursors[:cap(s.cursors)])
	return hits
}

// prepare finds the terms in the segments, and with their live document
// frequencies their factors. Terms that no document contains are dropped.
//
// Scores are added up as integers, so that the sum does not depend on the order
// in which terms are evaluated. The unit is 2^-44, or larger if the scores would
// not fit.
func (s *scratch) prepare(snap *snapshot) {
	views := len(snap.views)
	s.slots = slices.Grow(s.slots[:0], views*len(s.terms))
	kept, sum := s.terms[:0], 0.0
	for _, t := range s.terms {
		df := 0
		for _, v := range snap.views {
			slot, ok := v.terms.slot(t.number)
			if !ok {
				slot = -1
			} else {
				df += v.documents(slot)
			}
			s.slots = append(s.slots, slot)
		}
		if df == 0 {
			s.slots = s.slots[:len(kept)*views]
			continue
		}
		t.factor = t.weight * idf(snap.docs, df) * (s.index.params.k1 + 1)
		sum += t.factor
		kept = append(kept, t)
	}
	s.terms = kept
	s.unit = math.Ldexp(1, min(44, 61-int(math.Ceil(math.Log2(max(sum, 1))))))
	for i := range s.terms {
		s.terms[i].factor *= s.unit
	}
}

// segment evaluates the cursors, one after the other and each for the documents
// that contain none of those before it, until the remaining terms together cannot
// lift a document over the worst one that is kept. (As MaxScore does: Turtle and
// Flood, "Query Evaluation: Strategies and Optimizations", 1995.) What a term finds
// is looked up in the lists of the terms after it.
//
// Short lists come first. Then the tops of the long lists are evaluated, which are
// few and likely to be among the best: after that the long lists promise less, so
// that mostly little or nothing remains to be done. Where much remains, or looking
// up has become dear because there are many terms, the lists are added up.
func (s *scratch) segment() {
	s.spent = 0
	s.settleTies()
	s.order(0)
	i := 0
	for ; i < len(s.cursors) && !s.cursors[i].long() && s.rest[i] >= s.least(0); i++ {
		if !s.affords(i, len(s.cursors[i].postings)) {
			s.accumulate(i)
			return
		}
		s.walk(i)
	}
	tops := 0
	for _, c := range s.cursors[i:] {
		tops += len(c.tops)
	}
	if s.affords(i, tops) {
		for j := i; j < len(s.cursors) && s.rest[i] >= s.least(0); j++ {
			s.walkTops(i, j)
		}
	}
	s.order(i)
	for ; i < len(s.cursors) && s.rest[i] >= s.least(0); i++ {
		if !s.affords(i, len(s.cursors[i].postings)) {
			s.accumulate(i)
			return
		}
		s.walk(i)
	}
}

// least is what documents from one on must be able to score to be kept.
func (s *scratch) least(doc int) int64 {
	if doc >= s.tied {
		return s.best.threshold() + 1
	}
	return s.best.threshold()
}

// settleTies finds out which documents lose ties with the worst that is kept.
func (s *scratch) settleTies() {
	s.tied = maxSegment + 1
	if !s.best.full() {
		return
	}
	switch root := &s.best.entries[0]; {
	case root.view == s.view && s.view.order == nil:
		s.tied = int(root.rank)
	case root.id() < s.view.firstID():
		s.tied = 0
	}
}

// order sorts the cursors from one on, short lists first and then by how much they
// add at most for their length, so that what is left for the end is long and adds
// little.
func (s *scratch) order(from int) {
	before := func(a, b *cursor) bool {
		if a.long() != b.long() {
			return b.long()
		}
		return float64(a.most())*float64(len(b.postings)) > float64(b.most())*float64(len(a.postings))
	}
	for i := from + 1; i < len(s.cursors); i++ { // few
		for j := i; j > from && before(&s.cursors[j], &s.cursors[j-1]); j-- {
			s.cursors[j], s.cursors[j-1] = s.cursors[j-1], s.cursors[j]
		}
	}
	s.sum(from)
}

// sum fills rest, from a cursor on.
func (s *scratch) sum(from int) {
	s.rest = slices.Grow(s.rest[:0], len(s.cursors)+1)[:len(s.cursors)+1]
	s.rest[len(s.cursors)] = 0
	for i := len(s.cursors) - 1; i >= from; i-- {
		s.rest[i] = s.rest[i+1] + s.cursors[i].most()
	}
}

// essential returns the end of the cursors, from i on, of which a document must
// contain one to be kept, if it contains none before i.
func (s *scratch) essential(i int, least int64) int {
	for i < len(s.cursors) && s.rest[i] >= least {
		i++
	}
	return i
}

// lookUpCost is how many times dearer it is to look up a document in a list than
// to add up a posting.
const lookUpCost = 2

// affords reports whether to look up some documents in the lists after cursor i,
// which is so until that has cost more than it would to add up those lists.
func (s *scratch) affords(i, docs int) bool {
	postings := 0
	for _, c := range s.cursors[i:s.essential(i, s.least(0))] {
		postings += len(c.postings)
	}
	s.spent += docs * (len(s.cursors) - i - 1)
	return lookUpCost*s.spent <= postings
}

// keep adds those candidates to the best that are better than the worst of them.
func (s *scratch) keep() {
	var (
		v      = s.view
		worst  scored
		before int // how many of the segment's IDs are less than that of the worst
	)
	for _, d := range s.candidates {
		doc := int(d.doc)
		if s.best.full() {
			if d.score < s.best.threshold() {
				continue
			}
			if d.score == s.best.threshold() {
				if root := &s.best.entries[0]; root.view != worst.view || root.rank != worst.rank {
					worst = *root
					before = int(root.rank)
					if root.view != v {
						before = v.idsBefore(root.id())
					}
				}
				if v.rankOf(doc) >= before {
					continue
				}
			}
		}
		bit := uint64(1) << (doc % 64)
		if s.kept[doc/64]&bit != 0 {
			continue // with all its terms, when fewer of them were left out
		}
		if v.isDead(doc) || s.filter.where != nil && !s.filter.where(v.ids[doc]) {
			continue
		}
		s.kept[doc/64] |= bit
		s.anyKept = true
		s.best.add(scored{d.score, v, d.doc, int32(v.rankOf(doc))})
	}
	s.settleTies()
}
