package flat

import (
	"math"
	"math/bits"
	"math/rand/v2"
	"slices"
)

// signCodec keeps of a vector the signs of its coordinates after a random
// rotation. For vectors at an angle θ each sign differs with probability θ/π,
// whatever the vectors are: the rotation, not the data, is what is random
// (Charikar's SimHash). The number of signs that differ therefore bounds the
// angle, but for a chance that the deviation decides.
type signCodec struct {
	dimensions int
	padded     int // bits of a code: dimensions, rounded up to whole words
	flips      [rotationRounds][]float32
}

const (
	// rotationRounds is how often a vector is mixed.
	rotationRounds = 4
	// deviations is how many standard deviations a code may be from what the
	// angle says: the chance to be farther is 3 in 100,000 for the k-th best
	// vector and less for those before it.
	deviations = 4
	// leastDimensions is from where on codes say enough to be worth a look.
	leastDimensions = 64
)

func newSigns(dimensions int) *signCodec {
	c := &signCodec{dimensions: dimensions, padded: (dimensions + 63) / 64 * 64}
	random := rand.New(rand.NewPCG(0x7369676e, uint64(dimensions)))
	for i := range c.flips {
		c.flips[i] = make([]float32, c.padded)
		for j := range c.flips[i] {
			c.flips[i][j] = float32(1 - 2*random.IntN(2))
		}
	}
	return c
}

func (c *signCodec) dot(query []float64, vector []float32) float64 {
	return floatDotGo(query, vector)
}

// words is the length of a code; 0 if vectors are too short to have one.
func (c *signCodec) words() int {
	if c.dimensions < leastDimensions {
		return 0
	}
	return c.padded / 64
}

func (c *signCodec) encode(to *codes, vectors []float32, rows int) {
	words := c.words()
	buffer := make([]float32, c.padded)
	to.signs = slices.Grow(to.signs, (rows-to.rows)*words)
	for ; to.rows < rows && words > 0; to.rows++ {
		c.rotate(buffer, vectors[to.rows*c.dimensions:(to.rows+1)*c.dimensions])
		to.signs = appendSigns(to.signs, buffer)
	}
	to.rows = rows
}

// rotate turns a vector: in each round some coordinates change their sign, and a
// Hadamard transform mixes the first (then the last) power of two of them.
func (c *signCodec) rotate(to, vector []float32) {
	clear(to[copy(to, vector):])
	size := 1 << (bits.Len(uint(c.padded)) - 1)
	for round, flips := range c.flips {
		for i, f := range flips {
			to[i] *= f
		}
		part := to[:size]
		if round%2 == 1 {
			part = to[c.padded-size:]
		}
		hadamard(part)
	}
}

// hadamard is the normalised Walsh-Hadamard transform; len(x) is a power of two.
func hadamard(x []float32) {
	for half := 1; half < len(x); half *= 2 {
		for start := 0; start < len(x); start += 2 * half {
			a, b := x[start:start+half], x[start+half:start+2*half]
			for i, u := range a {
				v := b[i]
				a[i], b[i] = u+v, u-v
			}
		}
	}
	scale := float32(1 / math.Sqrt(float64(len(x))))
	for i := range x {
		x[i] *= scale
	}
}

func appendSigns(to []uint64, x []float32) []uint64 {
	for ; len(x) >= 64; x = x[64:] {
		var word uint64
		for i, v := range x[:64] {
			word |= uint64(math.Float32bits(v)>>31) << i
		}
		to = append(to, word)
	}
	return to
}

// search rescores the rows with the fewest differing signs, to learn how similar
// the k-th best row is at least, and then all rows whose signs do not exclude that
// they are better.
func (c *signCodec) search(s scan) error {
	query, k, live := s.parameters()
	if c.words() == 0 {
		return rescoreAll(s)
	}
	buffer := make([]float32, c.padded)
	c.rotate(buffer, query)
	d, err := c.distances(s, appendSigns(nil, buffer), live)
	if err != nil {
		return err
	}
	near := d.nearest(2 * k)
	if err := d.rescore(s, 0, func() int { return near }); err != nil {
		return err
	}
	threshold, reach := math.Inf(-1), c.padded
	return d.rescore(s, near+1, func() int {
		if t := s.threshold(); t != threshold {
			threshold, reach = t, c.reach(t)
		}
		return reach
	})
}

func rescoreAll(s scan) error {
	return s.each(func(block, rows int, _ *codes, mask *Mask) {
		for row := range rows {
			if mask == nil || mask.Has(row) {
				s.rescore(block, row)
			}
		}
	})
}

// reach returns how many signs of a row may differ that has the given similarity.
func (c *signCodec) reach(similarity float64) int {
	if math.IsInf(similarity, -1) {
		return c.padded
	}
	p := math.Acos(similarity) / math.Pi
	n := float64(c.padded)
	return int(math.Ceil(n*p + deviations*math.Sqrt(n*p*(1-p)) + 1))
}

// distances are the numbers of differing signs of all rows that are wanted.
type distances struct {
	blocks []blockDistances
	count  []int // of rows by distance
}

type blockDistances struct {
	block int
	rows  []uint16 // by row; unwanted where it is not
}

const unwanted = math.MaxUint16

func (c *signCodec) distances(s scan, query []uint64, live int) (*distances, error) {
	d := &distances{count: make([]int, c.padded+1)}
	all := make([]uint16, 0, live+live/4)
	err := s.each(func(block, rows int, codes *codes, mask *Mask) {
		start := len(all)
		all = slices.Grow(all, rows)[:start+rows]
		to := all[start:]
		if mask == nil {
			differences(to, query, codes.signs)
		} else {
			for row := range to {
				to[row] = unwanted
			}
			for row := range mask.Rows() {
				differences(to[row:row+1], query, codes.signs[row*len(query):])
			}
		}
		for _, n := range to {
			if n != unwanted {
				d.count[n]++
			}
		}
		d.blocks = append(d.blocks, blockDistances{block, to})
	})
	return d, err
}

// differences counts the bits in which each code differs from the query.
func differences(to []uint16, query, codes []uint64) {
	for i := range to {
		code := codes[i*len(query):][:len(query)]
		n := 0
		for j, word := range query {
			n += bits.OnesCount64(word ^ code[j])
		}
		to[i] = uint16(n)
	}
}

// nearest returns the least distance within which there are n rows, or all.
func (d *distances) nearest(n int) int {
	for distance, count := range d.count {
		if n -= count; n <= 0 {
			return distance
		}
	}
	return len(d.count) - 1
}

// rescore rescores the rows at a distance between least and what most returns;
// it is asked again for each block.
func (d *distances) rescore(s scan, least int, most func() int) error {
	for _, b := range d.blocks {
		if err := s.err(); err != nil {
			return err
		}
		most := most()
		for row, n := range b.rows {
			if int(n) >= least && int(n) <= most && n != unwanted {
				s.rescore(b.block, row)
			}
		}
	}
	return nil
}
