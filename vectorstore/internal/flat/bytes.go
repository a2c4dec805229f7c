package flat

import (
	"cmp"
	"math"
	"slices"
)

// byteCodec writes a vector x of unit length as 8-bit integers q and a scale s,
// and notes the length of the error, slack = |x - s·q|. For any query y of unit
// length, x·y then is within slack of s·q·y (Cauchy-Schwarz).
type byteCodec struct {
	dimensions int
	stride     int // bytes of a code: dimensions, padded with zeros to what kernels take
	kernels    kernelSet
}

// kernelSet is the inner loops, in Go or in the instructions of a processor.
type kernelSet struct {
	// bytesDot writes the scalar products of the query and each of the codes.
	// len(query) is the length of a code, a multiple of codeAlign.
	bytesDot func(query []int16, codes []int8, out []int32)
	// floatDot is codec.dot.
	floatDot func(query []float64, vector []float32) float64
}

// codeAlign is what the length of a code is a multiple of.
const codeAlign = 32

func newBytes(dimensions int, k kernelSet) *byteCodec {
	return &byteCodec{dimensions, (dimensions + codeAlign - 1) / codeAlign * codeAlign, k}
}

func (c *byteCodec) dot(query []float64, vector []float32) float64 {
	return c.kernels.floatDot(query, vector)
}

func (c *byteCodec) encode(to *codes, vectors []float32, rows int) {
	n := rows - to.rows
	to.bytes = slices.Grow(to.bytes, n*c.stride)
	to.scale, to.slack = slices.Grow(to.scale, n), slices.Grow(to.slack, n)
	for ; to.rows < rows; to.rows++ {
		start := len(to.bytes)
		to.bytes = to.bytes[:start+c.stride]
		scale, slack := quantise(to.bytes[start:], vectors[to.rows*c.dimensions:(to.rows+1)*c.dimensions])
		to.scale, to.slack = append(to.scale, scale), append(to.slack, slack)
	}
}

// quantise writes the code of a vector and returns its scale and slack.
func quantise(code []int8, vector []float32) (scale, slack float32) {
	var largest float32
	for _, x := range vector {
		largest = max(largest, abs(x))
	}
	scale = largest / math.MaxInt8
	var err float64
	for i, x := range vector {
		q := int8(math.RoundToEven(float64(x) / float64(scale)))
		code[i] = q
		e := float64(x) - float64(scale)*float64(q)
		err += e * e
	}
	clear(code[len(vector):])
	return scale, roundUp(math.Sqrt(err))
}

func abs(x float32) float32 { return math.Float32frombits(math.Float32bits(x) &^ (1 << 31)) }

// roundUp returns a float32 that is not less than x, which is not negative.
func roundUp(x float64) float32 { return math.Nextafter32(float32(x), math.MaxFloat32) }

// wideQuery is a query in 16-bit integers. Its rounding error is hundreds of times
// smaller than that of the codes.
type wideQuery struct {
	code  []int16
	scale float32
	slack float32 // more than the error that it and float32 arithmetic add to any product
}

// floatError is more than what the rounding of float32 adds to a product of
// vectors of unit length.
const floatError = 1e-6

func (c *byteCodec) wideQuery(query []float32) wideQuery {
	var largest, sum float64
	for _, x := range query {
		largest = max(largest, math.Abs(float64(x)))
		sum += math.Abs(float64(x))
	}
	// The integers fit into 16 bits, and no sum of products with 8-bit integers,
	// however it is grouped, leaves 32 bits.
	const most = math.MaxInt32 / math.MaxInt8
	scale := float32(max(largest/math.MaxInt16, sum/(most-float64(len(query)))) * (1 + 1e-6))
	q := wideQuery{code: make([]int16, c.stride), scale: scale}
	var err float64
	for i, x := range query {
		rounded := math.RoundToEven(float64(x) / float64(scale))
		q.code[i] = int16(rounded)
		e := float64(x) - float64(scale)*rounded
		err += e * e
	}
	// A code stands for a vector of length at most 1 + slack <= 2.
	q.slack = roundUp(2*math.Sqrt(err) + floatError)
	return q
}

// candidate is a row that may be among the best.
type candidate struct {
	upper      float32 // its similarity is not more
	block, row int32
}

// search keeps the rows whose highest possible similarity reaches the k-th best
// of the lowest possible ones, and rescores them, the most promising first, until
// none of the rest can reach the k-th best.
func (c *byteCodec) search(s scan) error {
	query, k, _ := s.parameters()
	q := c.wideQuery(query)
	var (
		lowest     kth
		threshold  = float32(math.Inf(-1))
		candidates []candidate
		dots       [BlockRows]int32
	)
	err := s.each(func(block, rows int, codes *codes, mask *Mask) {
		c.dots(q.code, codes, rows, mask, &dots)
		scale, slack := codes.scale[:rows], codes.slack[:rows]
		consider := func(row int) {
			near := float32(dots[row]) * (scale[row] * q.scale)
			if near+(slack[row]+q.slack) < threshold {
				return
			}
			candidates = append(candidates, candidate{near + (slack[row] + q.slack), int32(block), int32(row)})
			if lower := float64(near - (slack[row] + q.slack)); lower > lowest.value(k) {
				lowest.add(k, lower)
				threshold = float32(lowest.value(k))
			}
		}
		if mask == nil {
			for row := range rows {
				consider(row)
			}
			return
		}
		for row := range mask.Rows() {
			consider(row)
		}
	})
	if err != nil {
		return err
	}
	candidates = slices.DeleteFunc(candidates, func(c candidate) bool { return c.upper < threshold })
	slices.SortFunc(candidates, func(a, b candidate) int { return cmp.Compare(b.upper, a.upper) })
	for _, c := range candidates {
		if float64(c.upper) < s.threshold() {
			break
		}
		s.rescore(int(c.block), int(c.row))
	}
	return nil
}

// dots computes the products with the codes that are wanted: all of them at once,
// or if they are few, one by one.
func (c *byteCodec) dots(query []int16, codes *codes, rows int, mask *Mask, out *[BlockRows]int32) {
	if mask == nil || mask.Count() > rows/4 {
		c.kernels.bytesDot(query, codes.bytes[:rows*c.stride], out[:rows])
		return
	}
	for row := range mask.Rows() {
		c.kernels.bytesDot(query, codes.bytes[row*c.stride:(row+1)*c.stride], out[row:row+1])
	}
}
