package bm25

import (
	"math/bits"
	"slices"
)

// windowSize is how many documents have accumulators: 32 KB of them and 16 KB
// of lengths stay in the first-level cache.
const windowSize = 1 << 12

// accumulate evaluates the documents that contain none of the cursors before i,
// window by window.
func (s *scratch) accumulate(i int) {
	part := 2 * firstBatch
	for from, to := 0, 0; from < len(s.view.ids); from = to {
		to = min(from+part, from+windowSize-from%windowSize, len(s.view.ids))
		part = min(2*part, windowSize)
		least := s.least(from)
		end := s.essential(i, least)
		if end <= i+1 {
			if end > i {
				s.walk(i)
			}
			return
		}
		postings := 0
		for j := i; j < end; j++ {
			c := &s.cursors[j]
			c.to = c.seek(c.at, to)
			postings += c.to - c.at
		}
		dense := postings > (to-from)/4
		for j := i; j < end; j++ {
			s.add(&s.cursors[j], from, dense)
		}
		s.gather(from, to, least, s.rest[end], dense)
		s.completeWindow(end, from, to)
	}
}

// addUpCost is how many postings of a window there may be for each candidate so
// that adding them up is faster than looking up the candidates.
const addUpCost = 3

// completeWindow is complete for the candidates among the documents [from, to),
// which were found by adding up the cursors before i.
func (s *scratch) completeWindow(i, from, to int) {
	for j := i; j < len(s.cursors) && len(s.candidates) > 0; j++ {
		c := &s.cursors[j]
		if len(c.postings)*(to-from) <= addUpCost*len(s.candidates)*len(s.view.ids) {
			c.at = c.seek(c.at, from)
			c.to = c.seek(c.at, to)
			s.addUp(c, from)
			continue
		}
		if c.long() {
			s.tighten(c)
		}
		if len(s.candidates) > 0 {
			s.lookUp(c)
		}
	}
	s.keep()
	s.candidates = s.candidates[:0]
}

// addUp is lookUp, by adding up.
func (s *scratch) addUp(c *cursor, from int) {
	acc := (*[windowSize]int64)(s.acc)
	postings := c.postings[c.at:c.to]
	s.add(c, from, true)
	least, most, kept := s.least(from), c.most(), 0
	for _, d := range s.candidates {
		d.score += acc[d.doc%windowSize] - most
		s.candidates[kept] = d
		if d.score >= least {
			kept++
		}
	}
	s.candidates = s.candidates[:kept]
	for _, p := range postings {
		acc[p.doc()%windowSize] = 0
	}
}

// add adds what the next postings of a cursor contribute to the accumulators of
// the window that a document is in. It marks them as touched, unless so many are
// that gather looks at all of them.
func (s *scratch) add(c *cursor, from int, dense bool) {
	var (
		acc      = (*[windowSize]int64)(s.acc)
		lengths  = s.view.lengths[from-from%windowSize:]
		codes    = s.view.codes
		postings = c.postings[c.at:c.to]
		factor   = c.factor
		norm     = s.norm
	)
	for _, p := range postings {
		f := codes[p.code()]
		if f == 0 {
			f = s.wide(c, p)
		}
		doc := p.doc() % windowSize
		acc[doc] += int64(factor * norm.saturation(f, lengths[doc]))
	}
	if !dense {
		for _, p := range postings {
			doc := p.doc() % windowSize
			s.touched[doc/64] |= 1 << (doc % 64)
		}
	}
	c.at = c.to
}

// gather makes candidates, in the order of their numbers, of the documents with
// something in the accumulators, and clears these. The terms that are not in
// there add at most rest.
func (s *scratch) gather(from, to int, least, rest int64, dense bool) {
	var (
		base  = from - from%windowSize
		acc   = (*[windowSize]int64)(s.acc)
		first = (from - base) / 64
		words = s.touched[first : (to-base+63)/64]
	)
	least = max(least-rest, 1)
	if dense {
		// Without a branch that depends on the score, which no processor could
		// predict.
		part := acc[from-base : to-base]
		s.candidates = slices.Grow(s.candidates[:0], len(part))
		found, kept := s.candidates[:len(part)], 0
		for i, score := range part {
			found[kept] = candidate{score + rest, int32(from + i), 0}
			if score >= least {
				kept++
			}
		}
		s.candidates = found[:kept]
		clear(part)
		return
	}
	for i, word := range words {
		for ; word != 0; word &= word - 1 {
			at := ((first+i)*64 + bits.TrailingZeros64(word)) % windowSize
			if score := acc[at]; score >= least {
				s.candidates = append(s.candidates, candidate{score + rest, int32(base + at), 0})
			}
			acc[at] = 0
		}
		words[i] = 0
	}
}
