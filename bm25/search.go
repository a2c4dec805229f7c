package bm25

import (
	"math"
	"math/bits"
	"slices"
)

// Hit is a document that matches a query.
type Hit struct {
	ID    string
	Score float64 // greater than 0
}

// Term is an analysed term with its weight in a query.
type Term struct {
	Text   string  // as the analyser gives it
	Weight float64 // 1 is that of a word of the query; at most 100
}

// SearchOption configures one search.
type SearchOption func(*filter)

// filter says which documents a search may return.
type filter struct {
	where func(id string) bool
}

// Where restricts a search to the documents for which keep returns true. It is
// asked during the evaluation, only about documents that would make it into the
// result, so the k best of those kept are returned.
func Where(keep func(id string) bool) SearchOption {
	return func(f *filter) { f.where = keep }
}

// maxTerms is how many distinct terms of a query are used; the rest is ignored.
const maxTerms = 1024

// maxTermWeight bounds the weight of one term of a query.
const maxTermWeight = 100

// Search returns the k documents that score best, best first, ties by ID. Only
// documents that contain at least one term of the query are returned. k <= 0
// returns nothing.
func (x *Index) Search(query string, k int, opts ...SearchOption) []Hit {
	if k <= 0 {
		return nil
	}
	snapshot := x.current()
	s := x.scratch.Get().(*scratch)
	defer x.scratch.Put(s)
	s.start(k, opts)
	x.analyzer.Tokens(query, s.emit)
	return s.search(snapshot)
}

// SearchTerms is Search for terms that are analysed already, each with a weight
// of its own: synonyms, corrections, the clauses of a question. Terms whose
// weight is not positive are ignored; weights of equal terms add up.
func (x *Index) SearchTerms(terms []Term, k int, opts ...SearchOption) []Hit {
	if k <= 0 {
		return nil
	}
	snapshot := x.current()
	s := x.scratch.Get().(*scratch)
	defer x.scratch.Put(s)
	s.start(k, opts)
	for _, t := range terms {
		if number, ok := x.dict.find([]byte(t.Text)); ok && t.Weight > 0 {
			s.want(number, min(t.Weight, maxTermWeight))
		}
	}
	return s.search(snapshot)
}

// Analyze returns the terms of a text, as the index sees them.
func (x *Index) Analyze(text string) []string {
	var terms []string
	x.analyzer.Tokens(text, func(token []byte) { terms = append(terms, string(token)) })
	return terms
}

// DocFreq returns how many documents contain a term (as Analyze gives it).
func (x *Index) DocFreq(term string) int {
	snapshot := x.current()
	number, ok := x.dict.find([]byte(term))
	if !ok {
		return 0
	}
	df := 0
	for _, v := range snapshot.views {
		if slot, ok := v.slot(number); ok {
			df += v.frequency(slot)
		}
	}
	return df
}

// IDF returns the inverse document frequency of a term (as Analyze gives it);
// that of a term that no document contains is the greatest.
func (x *Index) IDF(term string) float64 {
	return idf(x.current().docs, x.DocFreq(term))
}

// scratch is the working memory of a search. It is pooled, so that a warm
// search allocates its result only.
type scratch struct {
	index  *Index
	emit   func(token []byte)
	filter filter
	terms  []queryTerm
	slots  []int // of term i in view v at [i*views+v]; -1: not there

	unit       float64                 // value of 1 in an accumulator
	acc        []int64                 // by document of the window, all zero between windows
	touched    [windowSize / 64]uint64 // bit set: those with something in acc
	part       int                     // how many documents are looked at next
	sparse     bool                    // touched tells where something is in acc; else it may be anywhere
	cursors    []cursor
	active     []*cursor // those with postings in the window, by their bounds
	candidates []candidate
	best       heap
}

// queryTerm is a term of the query that documents contain.
type queryTerm struct {
	number uint32
	weight float64 // in the query
	factor float64 // weight·idf·(k1+1), then times unit
}

// cursor walks the postings of a term in a segment, window by window.
type cursor struct {
	view   *view
	slot   int
	factor float64
	loosen float64 // factor, and by how much the segment's bounds are too low

	from, to uint32 // postings in the window
	bound    int64  // greatest contribution in the window
}

// candidate is a document of the window that may be one of the best.
type candidate struct {
	score int64 // so far
	doc   uint16
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
	s.terms, s.filter, s.part = s.terms[:0], filter{}, firstPart
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
	n := s.index.params.normalizer(average)
	for i, v := range snap.views {
		s.cursors = s.cursors[:0]
		loosen := 1 + 1e-9 // for the rounding of the products
		if average > v.average && v.average > 0 {
			loosen *= average / v.average
		}
		for t := range s.terms {
			if slot := s.slots[t*len(snap.views)+i]; slot >= 0 {
				factor := s.terms[t].factor
				s.cursors = append(s.cursors, cursor{view: v, slot: slot, factor: factor, loosen: factor * loosen, to: v.starts[slot]})
			}
		}
		if len(s.cursors) > 0 {
			s.segment(v, n)
		}
	}
	hits := s.best.take(s.unit)
	s.filter = filter{} // keep nothing of the caller's alive
	return hits
}

// prepare finds the terms in the segments, and with their live document
// frequencies their factors. Terms that no document contains are dropped.
//
// Scores are added up as integers, so that the sum does not depend on the order
// in which terms are evaluated, which differs from window to window. The unit
// is 2^-44, or larger if the scores would not fit.
func (s *scratch) prepare(snap *snapshot) {
	views := len(snap.views)
	s.slots = slices.Grow(s.slots[:0], views*len(s.terms))
	kept, sum := s.terms[:0], 0.0
	for _, t := range s.terms {
		df := 0
		for _, v := range snap.views {
			slot, ok := v.slot(t.number)
			if !ok {
				slot = -1
			} else {
				df += v.frequency(slot)
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

// firstPart is how many documents a search looks at first. The parts that it
// looks at grow from there to whole windows, so that there are good scores to
// prune with early.
const firstPart = 64

// segment evaluates the cursors part by part, by MaxScore: a term whose
// bound, added to those of the terms with lower bounds, cannot lift a document
// over the worst one that is kept, is only looked up in documents that other
// terms have found. (Turtle and Flood, "Query Evaluation: Strategies and
// Optimizations", 1995; by windows as in Lucene's MaxScoreBulkScorer.)
func (s *scratch) segment(v *view, n normalizer) {
	for from, to := 0, 0; from < len(v.ids); from = to {
		to = min(from+s.part, from+windowSize-from%windowSize, len(v.ids))
		s.part = min(2*s.part, windowSize)
		total := s.enter(v, from, to)
		if len(s.active) == 0 || total < s.best.threshold() {
			continue
		}
		lookedUp, rest := s.split()
		if essential := s.active[lookedUp:]; len(essential) == 1 {
			s.collect(v, essential[0], n, rest)
		} else {
			s.add(v, essential, from, to, total, n)
			s.gather(from, to, rest)
		}
		for i := lookedUp - 1; i >= 0 && len(s.candidates) > 0; i-- {
			rest -= s.active[i].bound
			s.lookUp(v, s.active[i], n, rest)
		}
		s.keep(v)
	}
}

// enter moves the cursors to the documents [from, to), which are in one window
// of the segment, and returns the sum of their bounds.
func (s *scratch) enter(v *view, from, to int) (total int64) {
	s.active = s.active[:0]
	windows, w := v.windows(), from/windowSize
	whole := to%windowSize == 0 || to >= len(v.ids) // to is where a window ends
	for i := range s.cursors {
		c := &s.cursors[i]
		c.from = c.to
		bound := v.bounds[c.slot]
		end := v.starts[c.slot+1]
		if cut := int(v.cuts[c.slot]) - 1; cut >= 0 {
			bound = v.cutBounds[cut*windows+w]
			end = v.cutStarts[cut*(windows+1)+w+1]
			if whole {
				c.to = end
			}
		}
		if c.to == c.from {
			c.to += uint32(seek(v.docs[c.from:end], to))
		}
		if c.from == c.to {
			continue
		}
		c.bound = int64(c.loosen*float64(bound)) + 1
		total += c.bound
		s.active = append(s.active, c)
	}
	return total
}

// seek returns how many of the ascending documents come before one, by
// galloping: what is near is found quickly.
func seek(docs []uint16, before int) int {
	if len(docs) == 0 || int(docs[0]) >= before {
		return 0
	}
	low, step := 0, 1 // docs[low] < before
	for low+step < len(docs) && int(docs[low+step]) < before {
		low += step
		step *= 2
	}
	for high := min(low+step, len(docs)); low+1 < high; {
		if middle := int(uint(low+high) / 2); int(docs[middle]) < before {
			low = middle
		} else {
			high = middle
		}
	}
	return low + 1
}

// split sorts the active cursors by their bounds and returns how many of the
// first need only be looked up, and the sum of their bounds.
func (s *scratch) split() (lookedUp int, rest int64) {
	for i := 1; i < len(s.active); i++ { // few, and nearly sorted
		for j := i; j > 0 && s.active[j].bound < s.active[j-1].bound; j-- {
			s.active[j], s.active[j-1] = s.active[j-1], s.active[j]
		}
	}
	threshold := s.best.threshold()
	for lookedUp < len(s.active)-1 && rest+s.active[lookedUp].bound < threshold {
		rest += s.active[lookedUp].bound
		lookedUp++
	}
	return lookedUp, rest
}

// collect makes candidates of the documents of one term. Blocks of postings in
// which none can be are passed over.
func (s *scratch) collect(v *view, c *cursor, n normalizer, rest int64) {
	s.candidates = s.candidates[:0]
	least := s.best.threshold() - rest
	for at := c.from; at < c.to; {
		end := min(c.to, at|(blockSize-1)+1)
		if int64(c.loosen*float64(v.blocks[at>>blockBits]))+1 < least {
			at = end
			continue
		}
		for ; at < end; at++ {
			doc := v.docs[at]
			if score := int64(c.factor * n.saturation(v.tfs[at], v.lengths[doc])); score >= least {
				s.candidates = append(s.candidates, candidate{score, doc})
			}
		}
	}
}

// add adds the contributions of the essential terms to the accumulators. A
// document of a block that cannot lift it to the threshold, with all that total
// allows the other terms, may get less than its score: it is out in any case.
func (s *scratch) add(v *view, essential []*cursor, from, to int, total int64, n normalizer) {
	acc := (*[windowSize]int64)(s.acc)
	lengths := v.lengths[from-from%windowSize:]
	threshold := s.best.threshold()
	postings := 0
	for _, c := range essential {
		postings += int(c.to - c.from)
	}
	s.sparse = postings < (to-from)/4
	for _, c := range essential {
		least := threshold - (total - c.bound)
		for at := c.from; at < c.to; {
			end := min(c.to, at|(blockSize-1)+1)
			if int64(c.loosen*float64(v.blocks[at>>blockBits]))+1 < least {
				at = end
				continue
			}
			docs, tfs := v.docs[at:end], v.tfs[at:end]
			for i, doc := range docs {
				doc &= windowSize - 1
				acc[doc] += int64(c.factor * n.saturation(tfs[i], lengths[doc]))
			}
			if s.sparse {
				for _, doc := range docs {
					doc &= windowSize - 1
					s.touched[doc/64] |= 1 << (doc % 64)
				}
			}
			at = end
		}
	}
}

// gather makes candidates, in the order of their numbers, of the documents with
// something in the accumulators, and clears these.
func (s *scratch) gather(from, to int, rest int64) {
	s.candidates = s.candidates[:0]
	least := max(s.best.threshold()-rest, 1)
	base := from - from%windowSize
	acc := (*[windowSize]int64)(s.acc)
	if !s.sparse {
		part := acc[from-base : to-base]
		for i, score := range part {
			if score >= least {
				s.candidates = append(s.candidates, candidate{score, uint16(from + i)})
			}
		}
		clear(part)
		return
	}
	for i := (from - base) / 64; i < (to-base+63)/64; i++ {
		word := s.touched[i]
		s.touched[i] = 0
		for ; word != 0; word &= word - 1 {
			at := (i*64 + bits.TrailingZeros64(word)) & (windowSize - 1)
			if score := acc[at]; score >= least {
				s.candidates = append(s.candidates, candidate{score, uint16(base + at)})
			}
			acc[at] = 0
		}
	}
}

// How many postings there may be for each candidate so that it is fastest to
// score all of them, or to go through them one by one; else galloping is.
const (
	scoreAll  = 3
	walkAlong = 16
)

// lookUp adds the contributions of a term to the candidates, and drops those
// that the bounds of the remaining terms, rest, cannot lift to the threshold.
func (s *scratch) lookUp(v *view, c *cursor, n normalizer, rest int64) {
	docs, tfs := v.docs[c.from:c.to], v.tfs[c.from:c.to]
	switch {
	case len(docs) <= scoreAll*len(s.candidates):
		acc := (*[windowSize]int64)(s.acc)
		for i, doc := range docs {
			acc[doc&(windowSize-1)] = int64(c.factor * n.saturation(tfs[i], v.lengths[doc]))
		}
		for i := range s.candidates {
			d := &s.candidates[i]
			d.score += acc[d.doc&(windowSize-1)]
		}
		for _, doc := range docs {
			acc[doc&(windowSize-1)] = 0
		}
	default:
		walk, at := len(docs) <= walkAlong*len(s.candidates), 0
		for i := range s.candidates {
			d := &s.candidates[i]
			if walk {
				for _, doc := range docs[at:] {
					if doc >= d.doc {
						break
					}
					at++
				}
			} else {
				at += seek(docs[at:], int(d.doc))
			}
			if at < len(docs) && docs[at] == d.doc {
				d.score += int64(c.factor * n.saturation(tfs[at], v.lengths[d.doc]))
			}
		}
	}
	least := s.best.threshold() - rest
	kept := s.candidates[:0]
	for _, d := range s.candidates {
		if d.score >= least {
			kept = append(kept, d)
		}
	}
	s.candidates = kept
}

// keep adds those candidates to the best that are better than the worst of them.
func (s *scratch) keep(v *view) {
	var (
		worst  scored
		before int // how many of the segment's IDs are less than that of the worst
	)
	for _, d := range s.candidates {
		if s.best.full() {
			if d.score < s.best.threshold() {
				continue
			}
			if d.score == s.best.threshold() {
				if root := &s.best.entries[0]; root.view != worst.view || root.rank != worst.rank {
					worst = *root
					before = v.before(root)
				}
				if int(v.rank[d.doc]) >= before {
					continue
				}
			}
		}
		id := v.ids[d.doc]
		if v.isDead(d.doc) || s.filter.where != nil && !s.filter.where(id) {
			continue
		}
		s.best.add(scored{d.score, id, v, v.rank[d.doc]})
	}
}
