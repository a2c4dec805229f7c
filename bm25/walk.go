package bm25

// The first batches of candidates are small, so that there are good scores to
// prune with early.
const (
	firstBatch = 32
	maxBatch   = 1 << 10
)

// walk evaluates the remaining documents of cursor i that contain none of those
// before it.
func (s *scratch) walk(i int) {
	var (
		c         = &s.cursors[i]
		rest      = s.rest[i+1]
		minImpact = c.impactFor(s.least(0) - rest)
	)
	s.candidates = s.candidates[:0]
	for at := c.at; at < len(c.postings) && minImpact <= int(c.ceil); at++ {
		p := c.postings[at]
		if int(p.impact()) < minImpact {
			continue
		}
		s.candidates = append(s.candidates, candidate{c.step*int64(p.impact()) + rest, int32(p.doc()), p})
		if len(s.candidates) >= s.batch {
			s.completeBatch(i+1, i)
			minImpact = c.impactFor(s.least(p.doc()) - rest)
		}
	}
	s.complete(i+1, i)
}

// walkTops evaluates the tops of cursor j among the documents that contain none of
// the cursors before i. It lowers what the cursor adds at most to that of other
// postings.
func (s *scratch) walkTops(i, j int) {
	c := &s.cursors[j]
	rest := s.rest[i] - c.most()
	s.candidates = s.candidates[:0]
	for _, p := range c.tops {
		s.candidates = append(s.candidates, candidate{c.step*int64(p.impact()) + rest, int32(p.doc()), p})
		if len(s.candidates) >= s.batch {
			s.completeBatch(i, j)
		}
	}
	s.complete(i, j)
	c.ceil = c.cut
	s.sum(i)
}

// contribution is what a term adds to the score of the document of a posting.
func (s *scratch) contribution(c *cursor, p posting) int64 {
	f := s.view.codes[p.code()]
	if f == 0 {
		f = s.wide(c, p)
	}
	return int64(c.factor * s.norm.saturation(f, s.view.lengths[p.doc()]))
}

// wide is the term frequency of a posting that has no code for it.
func (s *scratch) wide(c *cursor, p posting) float64 {
	return s.view.frequency(c.start + c.seek(0, p.doc()))
}

// completeBatch is complete, with a larger batch after it.
func (s *scratch) completeBatch(i, found int) {
	s.complete(i, found)
	s.batch = min(2*s.batch, maxBatch)
}

// complete looks up the cursors from i on in the candidates, for whose scores the
// most that they add was assumed, and keeps those that are worth it. The
// candidates were found by cursor found.
func (s *scratch) complete(i, found int) {
	for j := i; j < len(s.cursors) && len(s.candidates) > 0; j++ {
		if j != found && s.cursors[j].long() {
			s.tighten(&s.cursors[j])
		}
	}
	s.settle(&s.cursors[found])
	for j := i; j < len(s.cursors) && len(s.candidates) > 0; j++ {
		if j != found {
			s.lookUp(&s.cursors[j])
		}
	}
	s.keep()
	s.candidates = s.candidates[:0]
}

// settle replaces what the term that found the candidates adds at most by what it
// adds.
func (s *scratch) settle(c *cursor) {
	for i := range s.candidates {
		d := &s.candidates[i]
		d.score += s.contribution(c, d.found) - c.step*int64(d.found.impact())
	}
}

// tighten takes what a long list adds at most from the candidates that it does not
// contain, as far as that can be told cheaply. It is written without a branch that
// depends on the score, which no processor could predict.
func (s *scratch) tighten(c *cursor) {
	least, most, kept := s.least(int(s.candidates[0].doc)), c.most(), 0
	for _, d := range s.candidates {
		if !c.mayContain(int(d.doc)) {
			d.score -= most
		}
		s.candidates[kept] = d
		if d.score >= least {
			kept++
		}
	}
	s.candidates = s.candidates[:kept]
}

// lookUp replaces what a term adds at most by what it adds. Candidates have been
// tightened by a long list.
func (s *scratch) lookUp(c *cursor) {
	least, most, kept, at := s.least(int(s.candidates[0].doc)), c.most(), 0, 0
	for _, d := range s.candidates {
		doc := int(d.doc)
		if !c.long() {
			d.score -= most
			at = gallop(c.postings, at, doc)
		} else if c.mayContain(doc) {
			d.score -= most
			for at = int(c.skips[doc>>c.shift]); at < len(c.postings) && c.postings[at].doc() < doc; {
				at++
			}
		}
		if at < len(c.postings) && c.postings[at].doc() == doc {
			d.score += s.contribution(c, c.postings[at])
		}
		s.candidates[kept] = d
		if d.score >= least {
			kept++
		}
	}
	s.candidates = s.candidates[:kept]
}
