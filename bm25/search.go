package bm25

import (
	"cmp"
	"math"
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

	unit    float64 // value of 1 in an accumulator
	acc     []int64 // by document of the window
	cursors []cursor
	active  []*cursor
	best    heap
}

// queryTerm is a term of the query that documents contain.
type queryTerm struct {
	number uint32
	weight float64 // in the query
	factor float64 // weight·idf·(k1+1), then times unit
}

// cursor walks the postings of a term in a segment.
type cursor struct {
	view   *view
	slot   int
	factor float64
	loosen float64 // what the segment's bounds are multiplied with
	next   uint32  // first posting not seen, of a list that is not cut

	from, to uint32 // postings in the window
	bound    int64  // greatest contribution in the window
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
	s.terms, s.filter = s.terms[:0], filter{}
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
	n := s.index.params.normalizer(snap.average())
	for i, v := range snap.views {
		s.cursors = s.cursors[:0]
		loosen := 1.0
		if average := snap.average(); average > v.average && v.average > 0 {
			loosen = average / v.average
		}
		for t := range s.terms {
			if slot := s.slots[t*len(snap.views)+i]; slot >= 0 {
				s.cursors = append(s.cursors, cursor{view: v, slot: slot, factor: s.terms[t].factor,
					loosen: loosen, next: v.starts[slot]})
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

// segment evaluates the cursors window by window, by MaxScore: a term whose
// bound, added to those of the terms with lower bounds, cannot lift a document
// over the worst one that is kept, is only looked up in documents that other
// terms have found. (Turtle and Flood, "Query Evaluation: Strategies and
// Optimizations", 1995; by windows as in Lucene's MaxScoreBulkScorer.)
func (s *scratch) segment(v *view, n normalizer) {
	for w := range v.windows() {
		total := s.enter(v, w)
		if len(s.active) == 0 || s.best.full() && total < s.best.threshold() {
			continue
		}
		lookedUp, rest := s.split()
		postings := 0
		for _, c := range s.active[lookedUp:] {
			s.accumulate(v, c, w, n)
			postings += int(c.to - c.from)
		}
		if postings > windowSize/2 {
			s.sweep(v, w, n, lookedUp, rest)
		} else {
			s.visit(v, w, n, lookedUp, rest)
		}
	}
}

// enter moves the cursors to a window, and returns the sum of their bounds.
func (s *scratch) enter(v *view, w int) (total int64) {
	s.active = s.active[:0]
	for i := range s.cursors {
		c := &s.cursors[i]
		from, to, bound, cut := v.window(c.slot, w)
		if !cut {
			from, to, bound = c.next, c.next, v.bounds[c.slot]
			for end := v.starts[c.slot+1]; to < end && int(v.docs[to]) < (w+1)*windowSize; {
				to++
			}
			c.next = to
		}
		if from == to {
			continue
		}
		c.from, c.to = from, to
		c.bound = int64(c.factor*float64(bound)*c.loosen*(1+1e-9)) + 1
		total += c.bound
		s.active = append(s.active, c)
	}
	return total
}

// split sorts the active cursors by their bounds and returns how many of the
// first need only be looked up, and the sum of their bounds.
func (s *scratch) split() (lookedUp int, rest int64) {
	slices.SortFunc(s.active, func(a, b *cursor) int { return cmp.Compare(a.bound, b.bound) })
	if !s.best.full() {
		return 0, 0
	}
	threshold := s.best.threshold()
	for lookedUp < len(s.active)-1 && rest+s.active[lookedUp].bound < threshold {
		rest += s.active[lookedUp].bound
		lookedUp++
	}
	return lookedUp, rest
}

// accumulate adds the contributions of a term to the documents of the window.
func (s *scratch) accumulate(v *view, c *cursor, w int, n normalizer) {
	acc := (*[windowSize]int64)(s.acc)
	docs, tfs := v.docs[c.from:c.to], v.tfs[c.from:c.to]
	lengths := v.lengths[w*windowSize:]
	for i, doc := range docs {
		at := doc & (windowSize - 1)
		acc[at] += int64(c.factor * n.saturation(tfs[i], lengths[at]))
	}
}

// sweep considers all documents of the window.
func (s *scratch) sweep(v *view, w int, n normalizer, lookedUp int, rest int64) {
	base := w * windowSize
	acc := s.acc[:min(windowSize, len(v.ids)-base)]
	least := s.least(rest)
	for at, score := range acc {
		if score == 0 {
			continue
		}
		acc[at] = 0
		if score >= least {
			s.consider(v, uint16(base+at), score, n, lookedUp, rest)
			least = s.least(rest)
		}
	}
}

// visit considers the documents that the accumulated terms have found.
func (s *scratch) visit(v *view, w int, n normalizer, lookedUp int, rest int64) {
	least := s.least(rest)
	for _, c := range s.active[lookedUp:] {
		for _, doc := range v.docs[c.from:c.to] {
			at := doc & (windowSize - 1)
			score := s.acc[at]
			if score == 0 {
				continue // by an earlier term
			}
			s.acc[at] = 0
			if score >= least {
				s.consider(v, doc, score, n, lookedUp, rest)
				least = s.least(rest)
			}
		}
	}
}

// least is what a document must have accumulated to be worth a look.
func (s *scratch) least(rest int64) int64 {
	if !s.best.full() {
		return 1
	}
	return s.best.threshold() - rest
}

// consider completes the score of a document by the terms that are looked up,
// and keeps it if it is one of the best.
func (s *scratch) consider(v *view, doc uint16, score int64, n normalizer, lookedUp int, rest int64) {
	for i := lookedUp - 1; i >= 0; i-- {
		c := s.active[i]
		rest -= c.bound
		if found, ok := slices.BinarySearch(v.docs[c.from:c.to], doc); ok {
			score += int64(c.factor * n.saturation(v.tfs[int(c.from)+found], v.lengths[doc]))
		}
		if s.best.full() && score+rest < s.best.threshold() {
			return
		}
	}
	id := v.ids[doc]
	if !s.best.admits(score, id) || v.isDead(doc) || s.filter.where != nil && !s.filter.where(id) {
		return
	}
	s.best.add(score, id)
}
