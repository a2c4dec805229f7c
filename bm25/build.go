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
	length uint32
	end    int // of its entries
}

// entry is a term of a document with its weighted frequency.
type entry struct {
	term uint32
	tf   uint32
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
func (b *builder) read(d *Document) {
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
		b.entries = append(b.entries, entry{term, b.tf[term]})
		b.tf[term] = 0
	}
	b.docs = append(b.docs, staged{d.ID, b.length, len(b.entries)})
	b.touched, b.length = b.touched[:0], 0
}

// build makes a segment of the staged documents: it inverts the entries by
// counting, so that the postings of a term come out in document order.
func (b *builder) build(p params) *segment {
	s := &segment{
		ids:       make([]string, len(b.docs)),
		lengths:   make([]uint32, len(b.docs)),
		forwardAt: make([]uint32, 1, len(b.docs)+1),
	}
	if n := int(b.dict.size.Load()); n > len(b.counts) {
		b.counts = make([]uint32, n+n/2)
	}
	var (
		counts = b.counts
		terms  []uint32
		packed int
	)
	for i, at := 0, 0; i < len(b.docs); i++ {
		d := &b.docs[i]
		s.ids[i], s.lengths[i] = d.id, d.length
		s.length += uint64(d.length)
		var before uint32
		for ; at < d.end; at++ {
			term := b.entries[at].term
			if counts[term] == 0 {
				terms = append(terms, term)
			}
			counts[term]++
			packed += varintSize(term - before)
			before = term
		}
	}
	slices.Sort(terms)
	s.terms = newTermSet(terms)
	s.starts = make([]uint32, len(terms)+1)
	for slot, term := range terms {
		s.starts[slot+1] = s.starts[slot] + counts[term]
		counts[term] = s.starts[slot] // from here on: where its next posting goes
	}
	s.forward = make([]byte, 0, packed)
	docs, tfs := make([]uint16, len(b.entries)), make([]uint32, len(b.entries))
	for i, at := 0, 0; i < len(b.docs); i++ {
		var before uint32
		for ; at < b.docs[i].end; at++ {
			e := b.entries[at]
			to := counts[e.term]
			docs[to], tfs[to] = uint16(i), e.tf
			counts[e.term]++
			s.forward = appendUvarint(s.forward, e.term-before)
			before = e.term
		}
		s.forwardAt = append(s.forwardAt, uint32(len(s.forward)))
	}
	for _, term := range terms {
		counts[term] = 0
	}
	b.reset()
	s.seal(p, docs, tfs)
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

// parallelBuild is how many documents make it worth building on all cores.
const parallelBuild = 1 << 15

// buildAll makes segments of documents. The goroutines that it starts end
// before it returns. The caller holds x.writing.
func (x *Index) buildAll(docs []Document) []*segment {
	size := maxSegment
	if workers := runtime.GOMAXPROCS(0); len(docs) >= parallelBuild {
		size = min(maxSegment, (len(docs)+workers-1)/workers)
	}
	segments := make([]*segment, (len(docs)+size-1)/size)
	one := func(b *builder, i int) {
		for j := i * size; j < min((i+1)*size, len(docs)); j++ {
			b.read(&docs[j])
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
