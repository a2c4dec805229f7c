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
	rank    []uint16 // by local number: place of its ID among the sorted IDs; nil: sorted already
	order   []uint16 // by rank: local number; nil: sorted already
	table   []uint16 // by hash of the ID, with open addressing: 1 + local number; 0: free
	lengths []uint32 // weighted lengths, in units
	length  uint64   // their sum
	average float64  // length / len(ids), for which the impacts hold

	terms    termSet
	starts   []uint32 // by slot: where its postings start; one more at the end
	postings []posting
	codes    *codes
	wide     map[uint32]uint32 // by place of a posting: term frequencies that have no code

	bounds  []uint8  // by slot
	longAt  []uint32 // by slot: 1 + the place in longs; 0: a short list
	longs   []long   // with one more at the end
	tops    []posting
	skips   []uint16
	present []uint64

	forwardAt []uint32 // by local number: where its terms start in forward; one more at the end
	forward   []byte   // the terms of each document: ascending numbers as varints of differences
}

// long says where the parts of a long list start.
type long struct {
	top, skip, present uint32
	cut                uint8
}

// maxSegment is chosen so that a local number and one more fits into 16 bits.
const maxSegment = 1<<16 - 1

// list returns the postings of a slot.
func (s *segment) list(slot int) list {
	start, end := s.starts[slot], s.starts[slot+1]
	l := list{postings: s.postings[start:end:end], start: int(start), bound: s.bounds[slot]}
	l.cut = l.bound
	if i := s.longAt[slot]; i > 0 {
		from, to := s.longs[i-1], s.longs[i]
		l.cut, l.tops = from.cut, s.tops[from.top:to.top]
		l.skips, l.shift = s.skips[from.skip:to.skip], bucketShift(len(l.postings), len(s.ids))
		l.present, l.coarse = s.present[from.present:to.present], coarseShift(len(l.postings), len(s.ids))
	}
	return l
}

// frequency is the weighted term frequency of the posting at a place, in units.
func (s *segment) frequency(at int) float64 {
	if f := s.codes[s.postings[at].code()]; f > 0 {
		return f
	}
	return float64(s.wide[uint32(at)])
}

// seal makes the lists of the documents that
// contain each term, docs, and the term frequencies there, tfs.
func (s *segment) seal(p params, docs []uint16, tfs []uint32) {
	s.sortIDs()
	s.fillTable()
	if len(s.ids) > 0 {
		s.average = float64(s.length) / float64(len(s.ids))
	}
	n := p.normalizer(s.average)
	var codeOf func(uint32) uint8
	s.codes, codeOf = newCodes(tfs)
	s.postings = make([]posting, len(docs))
	for i, doc := range docs {
		code, bound := codeOf(tfs[i]), impact(n.saturation(float64(tfs[i]), s.lengths[doc]))
		s.postings[i] = newPosting(doc, bound, code)
		if code == wide {
			if s.wide == nil {
				s.wide = make(map[uint32]uint32)
			}
			s.wide[uint32(i)] = tfs[i]
		}
	}
	s.describe(len(s.starts) - 1)
}

// describe fills in what lists have beside their postings.
func (s *segment) describe(slots int) {
	s.bounds, s.longAt = make([]uint8, slots), make([]uint32, slots)
	docs := len(s.ids)
	for slot := range slots {
		postings := s.postings[s.starts[slot]:s.starts[slot+1]]
		for _, p := range postings {
			s.bounds[slot] = max(s.bounds[slot], p.impact())
		}
		if len(postings) < minLong {
			continue
		}
		l := long{top: uint32(len(s.tops)), skip: uint32(len(s.skips)), present: uint32(len(s.present))}
		s.tops, l.cut = appendTops(s.tops, postings)
		s.skips = appendSkips(s.skips, postings, docs)
		s.present = appendPresent(s.present, postings, docs)
		s.longs = append(s.longs, l)
		s.longAt[slot] = uint32(len(s.longs))
	}
	s.longs = append(s.longs, long{top: uint32(len(s.tops)), skip: uint32(len(s.skips)), present: uint32(len(s.present))})
	s.longs, s.tops = slices.Clip(s.longs), slices.Clip(s.tops)
	s.skips, s.present = slices.Clip(s.skips), slices.Clip(s.present)
}

// sortIDs fills rank and order.
func (s *segment) sortIDs() {
	if slices.IsSorted(s.ids) {
		return
	}
	s.rank, s.order = make([]uint16, len(s.ids)), make([]uint16, len(s.ids))
	for i := range s.order {
		s.order[i] = uint16(i)
	}
	slices.SortFunc(s.order, func(a, b uint16) int { return cmp.Compare(s.ids[a], s.ids[b]) })
	for place, doc := range s.order {
		s.rank[doc] = uint16(place)
	}
}

// rankOf is the place of a document's ID among the sorted IDs.
func (s *segment) rankOf(doc int) int {
	if s.rank == nil {
		return doc
	}
	return int(s.rank[doc])
}

// firstID is the least ID.
func (s *segment) firstID() string {
	if s.order == nil {
		return s.ids[0]
	}
	return s.ids[s.order[0]]
}

// idsBefore is how many of the segment's IDs are less than one.
func (s *segment) idsBefore(id string) int {
	if s.order == nil {
		n, _ := slices.BinarySearch(s.ids, id)
		return n
	}
	n, _ := slices.BinarySearchFunc(s.order, id, func(doc uint16, id string) int { return cmp.Compare(s.ids[doc], id) })
	return n
}

// fillTable makes the table of IDs.
func (s *segment) fillTable() {
	s.table = make([]uint16, 1<<bits.Len(uint(len(s.ids)+len(s.ids)/2)))
	for doc, id := range s.ids {
		at := int(hashID(id)) & (len(s.table) - 1)
		for s.table[at] != 0 {
			at = (at + 1) & (len(s.table) - 1)
		}
		s.table[at] = uint16(doc + 1)
	}
}

// find finds a document, which may be dead, by its ID and the hash of that.
func (s *segment) find(id string, hash uint32) (doc int, ok bool) {
	for at := int(hash); ; at++ {
		at &= len(s.table) - 1
		if s.table[at] == 0 {
			return 0, false
		}
		if doc = int(s.table[at]) - 1; s.ids[doc] == id {
			return doc, true
		}
	}
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

// termSet is a set of term numbers, each with a slot: its place among them.
type termSet struct {
	numbers []uint32 // ascending
	// In large sets a bit for each number, and by 64 numbers how many come
	// before.
	present []uint64
	before  []uint32
}

// minPresent is how many terms make a set large.
const minPresent = 1 << 10

func newTermSet(numbers []uint32) termSet {
	t := termSet{numbers: slices.Clip(numbers)}
	if len(numbers) < minPresent {
		return t
	}
	words := int(numbers[len(numbers)-1])/64 + 1
	if words > len(numbers) {
		return t // few of many
	}
	t.present, t.before = make([]uint64, words), make([]uint32, words)
	for _, n := range numbers {
		t.present[n/64] |= 1 << (n % 64)
	}
	sum := 0
	for i, word := range t.present {
		t.before[i] = uint32(sum)
		sum += bits.OnesCount64(word)
	}
	return t
}

// slot finds a term.
func (t *termSet) slot(number uint32) (int, bool) {
	if t.present == nil {
		return slices.BinarySearch(t.numbers, number)
	}
	i, bit := number/64, uint64(1)<<(number%64)
	if int(i) >= len(t.present) || t.present[i]&bit == 0 {
		return 0, false
	}
	return int(t.before[i]) + bits.OnesCount64(t.present[i]&(bit-1)), true
}
