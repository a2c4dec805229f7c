package bm25

import (
	"math"
	"runtime"
	"slices"
	"sync"
)

// builder turns documents into a segment. It is used by one goroutine.
type builder struct {
	dict     *dict
	analyzer Analyzer
	weights  weights
	emit     func(token []byte) // add, as a value made once

	unit    uint32   // the weight of the field that is being read
	length  uint32   // of the document so far
	tf      []uint32 // by term: frequency in the document so far
	touched []uint32 // terms of the document so far

	docs    []staged
	entries []entry  // of all documents, in order
	counts  []uint32 // by term, all zero between calls of build
}

// staged is a document of a segment in the making.
type staged struct {
	id     string
	serial uint64
	length uint32
	end    int // of its entries
}

// entry is a term of a document with its weighted frequency.
type entry struct {
	term uint32
	tf   uint16
}

func newBuilder(x *Index) *builder {
	b := &builder{dict: x.dict, analyzer: x.analyzer, weights: x.weights}
	b.emit = b.add
	return b
}

// add counts a token of the current document.
func (b *builder) add(token []byte) {
	term := b.dict.add(token)
	if int(term) >= len(b.tf) {
		b.tf = append(b.tf, make([]uint32, int(term)+1-len(b.tf)+len(b.tf)/2)...)
	}
	if b.tf[term] == 0 {
		b.touched = append(b.touched, term)
	}
	b.tf[term] = saturated(b.tf[term], b.unit)
	b.length = saturated(b.length, b.unit)
}

// saturated adds without wrapping round.
func saturated(a, b uint32) uint32 {
	if sum := a + b; sum >= a {
		return sum
	}
	return math.MaxUint32
}

// read tokenises a document.
func (b *builder) read(d *Document, serial uint64) {
	if b.unit = b.weights.of(""); b.unit > 0 {
		b.analyzer.Tokens(d.Text, b.emit)
	}
	for field, text := range d.Fields {
		if b.unit = b.weights.of(field); b.unit > 0 {
			b.analyzer.Tokens(text, b.emit)
		}
	}
	slices.Sort(b.touched)
	for _, term := range b.touched {
		b.entries = append(b.entries, entry{term, uint16(min(b.tf[term], math.MaxUint16))})
		b.tf[term] = 0
	}
	b.stage(d.ID, serial, b.length)
	b.touched, b.length = b.touched[:0], 0
}

// stage ends a document whose entries are in place.
func (b *builder) stage(id string, serial uint64, length uint32) {
	b.docs = append(b.docs, staged{id, serial, length, len(b.entries)})
}

// build makes a segment of the staged documents: it inverts the entries by
// counting, so that the postings of a term come out in document order.
func (b *builder) build(p params) *segment {
	s := &segment{
		ids:       make([]string, len(b.docs)),
		serials:   make([]uint64, len(b.docs)),
		lengths:   make([]uint32, len(b.docs)),
		forwardAt: make([]uint32, 1, len(b.docs)+1),
		docs:      make([]uint16, len(b.entries)),
		tfs:       make([]uint16, len(b.entries)),
	}
	if n := int(b.dict.size.Load()); n > len(b.counts) {
		b.counts = make([]uint32, n+n/2)
	}
	counts, packed := b.counts, 0
	for i, at := 0, 0; i < len(b.docs); i++ {
		d := &b.docs[i]
		s.ids[i], s.serials[i], s.lengths[i] = d.id, d.serial, d.length
		s.length += uint64(d.length)
		var before uint32
		for ; at < d.end; at++ {
			term := b.entries[at].term
			if counts[term] == 0 {
				s.terms = append(s.terms, term)
			}
			counts[term]++
			packed += varintSize(term - before)
			before = term
		}
	}
	slices.Sort(s.terms)
	s.terms = slices.Clip(s.terms)
	s.starts = make([]uint32, len(s.terms)+1)
	for slot, term := range s.terms {
		s.starts[slot+1] = s.starts[slot] + counts[term]
		counts[term] = s.starts[slot] // from here on: where its next posting goes
	}
	s.forward = make([]byte, 0, packed)
	for i, at := 0, 0; i < len(b.docs); i++ {
		var before uint32
		for ; at < b.docs[i].end; at++ {
			e := b.entries[at]
			to := counts[e.term]
			s.docs[to], s.tfs[to] = uint16(i), e.tf
			counts[e.term]++
			s.forward = appendUvarint(s.forward, e.term-before)
			before = e.term
		}
		s.forwardAt = append(s.forwardAt, uint32(len(s.forward)))
	}
	for _, term := range s.terms {
		counts[term] = 0
	}
	b.reset()
	s.sortIDs()
	s.bound(p)
	return s
}

// keepEntries is up to how many entries a builder keeps its memory for the next
// segment.
const keepEntries = 1 << 16

func (b *builder) reset() {
	b.docs, b.entries = b.docs[:0], b.entries[:0]
	if cap(b.entries) > keepEntries {
		b.docs, b.entries = nil, nil
	}
}

func varintSize(v uint32) int {
	n := 1
	for ; v >= 0x80; v >>= 7 {
		n++
	}
	return n
}

// bound computes the upper bounds of tf/(tf+K) for each block of postings, for
// each list, and for each window of the long ones.
func (s *segment) bound(p params) {
	if len(s.ids) > 0 {
		s.average = float64(s.length) / float64(len(s.ids))
	}
	n := p.normalizer(s.average)
	s.bounds = make([]float32, len(s.terms))
	s.cuts = make([]uint32, len(s.terms))
	rows, windows := uint32(0), s.windows()
	s.blocks = make([]float32, (len(s.docs)+blockSize-1)/blockSize)
	for i := range s.blocks {
		from := uint32(i) * blockSize
		s.blocks[i] = s.greatest(n, from, min(from+blockSize, uint32(len(s.docs))))
	}
	for slot := range s.terms {
		from, to := s.starts[slot], s.starts[slot+1]
		if windows == 1 || to-from < minCut {
			s.bounds[slot] = s.greatest(n, from, to)
			continue
		}
		rows++
		s.cuts[slot] = rows
		for w := range windows {
			s.cutStarts = append(s.cutStarts, from)
			end := from
			for end < to && int(s.docs[end]) < (w+1)*windowSize {
				end++
			}
			bound := s.greatest(n, from, end)
			s.cutBounds = append(s.cutBounds, bound)
			s.bounds[slot] = max(s.bounds[slot], bound)
			from = end
		}
		s.cutStarts = append(s.cutStarts, to)
	}
	s.cutStarts, s.cutBounds = slices.Clip(s.cutStarts), slices.Clip(s.cutBounds)
}

// greatest is the greatest tf/(tf+K) of some postings, rounded up.
func (s *segment) greatest(n normalizer, from, to uint32) float32 {
	var most float64
	for i := from; i < to; i++ {
		most = max(most, n.saturation(s.tfs[i], s.lengths[s.docs[i]]))
	}
	return math.Nextafter32(float32(most), 2)
}

// parallelBuild is how many documents make it worth building on all cores.
const parallelBuild = 1 << 15

// buildAll makes segments of documents. The goroutines that it starts end
// before it returns. The caller holds x.writing.
func (x *Index) buildAll(docs []Document, first uint64) []*segment {
	size := maxSegment
	if workers := runtime.GOMAXPROCS(0); len(docs) >= parallelBuild {
		size = min(maxSegment, (len(docs)+workers-1)/workers)
	}
	segments := make([]*segment, (len(docs)+size-1)/size)
	one := func(b *builder, i int) {
		for j := i * size; j < min((i+1)*size, len(docs)); j++ {
			b.read(&docs[j], first+uint64(j))
		}
		segments[i] = b.build(x.params)
	}
	if len(segments) == 1 {
		one(x.builder, 0)
		return segments
	}
	var (
		workers sync.WaitGroup
		slots   = make(chan struct{}, runtime.GOMAXPROCS(0))
	)
	for i := range segments {
		slots <- struct{}{}
		workers.Go(func() {
			one(newBuilder(x), i)
			<-slots
		})
	}
	workers.Wait()
	return segments
}
