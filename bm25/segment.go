package bm25

import (
	"math/bits"
	"slices"
)

// segment is an immutable piece of the index: at most maxSegment documents,
// numbered locally by 16 bits in the order in which they were added, and for
// each term the documents that contain it.
type segment struct {
	ids     []string // by local number
	serials []uint64 // ascending; see Index.serials
	lengths []uint32 // weighted lengths, in units
	length  uint64   // their sum
	average float64  // length / len(ids), for which the bounds hold

	terms  []uint32 // numbers of the terms, ascending; the index into it is a slot
	starts []uint32 // by slot: where its postings start; one more at the end
	docs   []uint16 // postings: local numbers, ascending within a term
	tfs    []uint16 // postings: weighted term frequencies, in units
	bounds []float32

	// Long lists in segments of several windows are cut by window.
	cuts      []uint32  // by slot: 0, or 1 + the index of its row in the next two
	cutStarts []uint32  // rows of windows()+1: where the postings of each window start
	cutBounds []float32 // rows of windows(): the bound in each window
	forwardAt []uint32  // by local number: where its terms start in forward; one more at the end
	forward   []byte    // the terms of each document: ascending numbers as varints of differences
}

const (
	maxSegment = 1 << 16
	// windowSize is how many documents are scored at a time: their accumulators
	// (32 KB) and lengths (16 KB) stay in the first-level cache.
	windowSize = 1 << 12
	// minCut is how many postings make it worth cutting a list by window.
	minCut = 64
)

func (s *segment) windows() int { return (len(s.ids) + windowSize - 1) / windowSize }

// slot finds a term.
func (s *segment) slot(term uint32) (int, bool) { return slices.BinarySearch(s.terms, term) }

// window returns the postings [from, to) of a slot in a window, and the bound of
// tf/(tf+K) in it, if the slot's list is cut.
func (s *segment) window(slot, w int) (from, to uint32, bound float32, ok bool) {
	cut := s.cuts[slot]
	if cut == 0 {
		return 0, 0, 0, false
	}
	n := s.windows()
	row := int(cut-1) * (n + 1)
	return s.cutStarts[row+w], s.cutStarts[row+w+1], s.cutBounds[int(cut-1)*n+w], true
}

// local finds a document by its serial number.
func (s *segment) local(serial uint64) (int, bool) { return slices.BinarySearch(s.serials, serial) }

// view is a segment and which of its documents were removed. It is immutable.
type view struct {
	*segment
	dead       []uint64 // bit set by local number; nil: none
	deadDocs   int
	deadLength uint64
	deadTerms  []uint32 // by slot: how many removed documents contain the term; nil: none
}

func (v *view) isDead(doc uint16) bool {
	return v.dead != nil && v.dead[doc>>6]&(1<<(doc&63)) != 0
}

func (v *view) live() int { return len(v.ids) - v.deadDocs }

// frequency is how many live documents contain the term of a slot.
func (v *view) frequency(slot int) int {
	n := v.starts[slot+1] - v.starts[slot]
	if v.deadTerms != nil {
		n -= v.deadTerms[slot]
	}
	return int(n)
}

// without returns a view in which more documents, given by local number, are
// removed.
func (v *view) without(docs []int) *view {
	out := &view{segment: v.segment, deadDocs: v.deadDocs, deadLength: v.deadLength,
		dead: make([]uint64, (len(v.ids)+63)/64), deadTerms: make([]uint32, len(v.terms))}
	copy(out.dead, v.dead)
	copy(out.deadTerms, v.deadTerms)
	for _, doc := range docs {
		if out.dead[doc>>6]&(1<<(doc&63)) != 0 {
			continue
		}
		out.dead[doc>>6] |= 1 << (doc & 63)
		out.deadDocs++
		out.deadLength += uint64(v.lengths[doc])
		slot := 0
		v.eachTerm(doc, func(term uint32) {
			found, _ := slices.BinarySearch(v.terms[slot:], term)
			slot += found
			out.deadTerms[slot]++
		})
	}
	return out
}

// eachTerm calls do with the terms of a document in ascending order.
func (s *segment) eachTerm(doc int, do func(term uint32)) {
	var term uint32
	for packed := s.forward[s.forwardAt[doc]:s.forwardAt[doc+1]]; len(packed) > 0; {
		delta, n := uvarint(packed)
		packed = packed[n:]
		term += delta
		do(term)
	}
}

// uvarint reads a number of 7 bits a byte, lowest first.
func uvarint(b []byte) (v uint32, n int) {
	for shift := uint(0); ; shift += 7 {
		c := b[n]
		n++
		v |= uint32(c&0x7f) << shift
		if c < 0x80 {
			return v, n
		}
	}
}

func appendUvarint(b []byte, v uint32) []byte {
	for v >= 0x80 {
		b = append(b, byte(v)|0x80)
		v >>= 7
	}
	return append(b, byte(v))
}

// tier is the size class of a view, by powers of mergeFactor.
func (v *view) tier() int { return (bits.Len(uint(max(v.live(), 1))) - 1) / mergeBits }
