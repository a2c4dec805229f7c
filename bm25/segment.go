package bm25

import (
	"cmp"
	"math/bits"
	"slices"
)

// segment is an immutable piece of the index: at most maxSegment documents,
// numbered locally by 16 bits in the order in which they were added, and for
// each term the documents that contain it.
type segment struct {
	ids     []string // by local number
	rank    []uint16 // by local number: place of its ID among the sorted IDs
	order   []uint16 // by rank: local number
	serials []uint64 // ascending; see Index.serials
	lengths []uint32 // weighted lengths, in units
	length  uint64   // their sum
	average float64  // length / len(ids), for which the bounds hold

	terms  []uint32 // numbers of the terms, ascending; the index into it is a slot
	starts []uint32 // by slot: where its postings start; one more at the end
	docs   []uint16 // postings: local numbers, ascending within a term
	tfs    []uint16 // postings: weighted term frequencies, in units

	// Upper bounds of tf/(tf+K), for the segment's average length.
	bounds []float32 // by slot
	blocks []float32 // by blockSize postings, across the borders of lists

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
	// blockSize is how many postings share an upper bound.
	blockBits = 6
	blockSize = 1 << blockBits
)

func (s *segment) windows() int { return (len(s.ids) + windowSize - 1) / windowSize }

// slot finds a term. Terms are numbered in the order of their appearance, so in
// a large segment most stand at the place of their number, and none behind it.
func (s *segment) slot(term uint32) (int, bool) {
	if int(term) < len(s.terms) {
		if s.terms[term] == term {
			return int(term), true
		}
		return slices.BinarySearch(s.terms[:term], term)
	}
	return slices.BinarySearch(s.terms, term)
}

// sortIDs fills rank and order.
func (s *segment) sortIDs() {
	s.rank, s.order = make([]uint16, len(s.ids)), make([]uint16, len(s.ids))
	for i := range s.order {
		s.order[i] = uint16(i)
	}
	if !slices.IsSorted(s.ids) {
		slices.SortFunc(s.order, func(a, b uint16) int { return cmp.Compare(s.ids[a], s.ids[b]) })
	}
	for place, doc := range s.order {
		s.rank[doc] = uint16(place)
	}
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

// before is how many of the view's IDs are less than that of a document.
func (v *view) before(d *scored) int {
	if d.view == v {
		return int(d.rank)
	}
	n, _ := slices.BinarySearchFunc(v.order, d.id, func(doc uint16, id string) int { return cmp.Compare(v.ids[doc], id) })
	return n
}

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
