package bm25

import (
	"maps"
	"math"
	"math/bits"
	"slices"
)

// posting says that a document contains a term. From the highest bit: the
// document's local number (16 bits), its impact (8) and the code of its term
// frequency (8). The impact is an upper bound of tf/(tf+K), for the average
// length of the segment, in 255ths.
type posting uint32

const maxImpact = 255

func newPosting(doc uint16, impact, code uint8) posting {
	return posting(doc)<<16 | posting(impact)<<8 | posting(code)
}

func (p posting) doc() int      { return int(p >> 16) }
func (p posting) impact() uint8 { return uint8(p >> 8) }
func (p posting) code() uint8   { return uint8(p) }

// impact is the least one that is not below a saturation.
func impact(saturation float64) uint8 {
	return uint8(min(math.Ceil(saturation*maxImpact*(1+1e-9)), maxImpact))
}

// codes are the weighted term frequencies, in units, that the codes of a
// segment's postings stand for. wide has the value 0: those frequencies are
// kept apart.
type codes [256]float64

const wide = 255

// plainCodes stand for themselves.
var plainCodes = func() *codes {
	var c codes
	for i := range wide {
		c[i] = float64(i)
	}
	return &c
}()

// newCodes chooses codes for some frequencies: for the least ones, if there are
// too many.
func newCodes(tfs []uint32) (table *codes, codeOf func(tf uint32) uint8) {
	if len(tfs) == 0 || slices.Max(tfs) < wide {
		return plainCodes, func(tf uint32) uint8 { return uint8(tf) }
	}
	code := make(map[uint32]uint8)
	for _, tf := range tfs {
		code[tf] = wide
	}
	table = new(codes)
	for next, tf := range slices.Sorted(maps.Keys(code)) {
		if next == wide {
			break
		}
		table[next], code[tf] = float64(tf), uint8(next)
	}
	return table, func(tf uint32) uint8 { return code[tf] }
}

// list is the postings of a term, in the order of the documents. A long list
// knows which of its postings have the greatest impacts, its tops, and has buckets:
// of the documents whose numbers are the same but for the lowest bits.
type list struct {
	postings []posting
	start    int   // of the postings in the segment's
	bound    uint8 // the greatest impact
	cut      uint8 // the greatest impact of a posting that is no top
	tops     []posting
	shift    uint8    // how many bits
	skips    []uint16 // by bucket: how many postings come before
	coarse   uint8    // a bit of present is for 1<<coarse documents
	present  []uint64 // bit set: documents that may be in the list
}

const (
	// minLong is the length of a long list.
	minLong = 64
	// topPart is which part of the postings are tops, at most.
	topPart = 32
	// presentBits is how many bits there are at least for each posting, up to one
	// for each document.
	presentBits = 4
	// bucketPostings is how many postings there are in a bucket, about.
	bucketPostings = 8
)

func (l *list) long() bool { return l.present != nil }

// coarseShift is the coarseness of a list in a segment of some documents.
func coarseShift(postings, docs int) uint8 {
	return uint8(max(0, bits.Len(uint(docs-1))-bits.Len(uint(postings*presentBits))))
}

// appendPresent appends the documents of a list as a bit set.
func appendPresent(present []uint64, postings []posting, docs int) []uint64 {
	start, coarse := len(present), coarseShift(len(postings), docs)
	present = append(present, make([]uint64, (docs-1)>>coarse/64+1)...)
	for _, p := range postings {
		bit := p.doc() >> coarse
		present[start+bit/64] |= 1 << (bit % 64)
	}
	return present
}

// bucketShift is the shift of a list in a segment of some documents.
func bucketShift(postings, docs int) uint8 {
	return uint8(max(0, bits.Len(uint(docs-1))-bits.Len(uint(postings/bucketPostings))))
}

// appendSkips appends the skips of a list.
func appendSkips(skips []uint16, postings []posting, docs int) []uint16 {
	shift, at := bucketShift(len(postings), docs), 0
	for bucket := range (docs-1)>>shift + 1 {
		for at < len(postings) && postings[at].doc()>>shift < bucket {
			at++
		}
		skips = append(skips, uint16(at))
	}
	return skips
}

// appendTops appends the tops of a list, and returns the cut.
func appendTops(tops, postings []posting) ([]posting, uint8) {
	var counts [maxImpact + 1]int
	for _, p := range postings {
		counts[p.impact()]++
	}
	cut, above := maxImpact, 0
	for ; cut > 0 && above+counts[cut] <= len(postings)/topPart; cut-- {
		above += counts[cut]
	}
	if above > 0 {
		for _, p := range postings {
			if int(p.impact()) > cut {
				tops = append(tops, p)
			}
		}
	}
	return tops, uint8(cut)
}

// seek returns how many postings come before those of a document; from is
// known not to be more.
func (l *list) seek(from, doc int) int {
	if bucket := doc >> l.shift; bucket < len(l.skips) {
		from = max(from, int(l.skips[bucket]))
	}
	return gallop(l.postings, from, doc)
}

// gallop finds what is near quickly.
func gallop(postings []posting, from, doc int) int {
	if from >= len(postings) || postings[from].doc() >= doc {
		return from
	}
	low, step := from, 1 // postings[low] is before doc
	for low+step < len(postings) && postings[low+step].doc() < doc {
		low += step
		step *= 2
	}
	for high := min(low+step, len(postings)); low+1 < high; {
		if middle := int(uint(low+high) / 2); postings[middle].doc() < doc {
			low = middle
		} else {
			high = middle
		}
	}
	return low + 1
}
