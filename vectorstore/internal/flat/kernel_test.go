package flat

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestKernels compares the instructions of this processor with plain Go, to the
// bit, also at the ends of their ranges and of their memory.
func TestKernels(t *testing.T) {
	if !hasKernels {
		t.Skip("no kernels for this processor")
	}
	random := rand.New(rand.NewPCG(5, 6))
	for _, n := range []int{32, 64, 96, 384, 416, 1536, 4096} {
		for _, rows := range []int{0, 1, 2, 3, 4, 5, 7, 8, 33} {
			for _, extreme := range []bool{false, true} {
				query, codes := make([]int16, n), make([]int8, n*rows)
				for i := range query {
					query[i] = int16(random.IntN(2*4096) - 4096)
					if extreme {
						query[i] = int16(min(math.MaxInt16, math.MaxInt32/math.MaxInt8/n) * (1 - 2*random.IntN(2)))
					}
				}
				for i := range codes {
					codes[i] = int8(random.IntN(255) - 127)
					if extreme {
						codes[i] = int8(127 - 254*random.IntN(2))
					}
				}
				// A guard behind the results shows a write too far.
				want, got := make([]int32, rows+8), make([]int32, rows+8)
				goKernels.bytesDot(query, codes, want[:rows])
				kernels.bytesDot(query, slices.Clip(codes), got[:rows])
				require.Equal(t, want, got, "n %d, rows %d", n, rows)
			}
		}
	}
	for n := range 70 {
		query, vector := make([]float64, n), make([]float32, n)
		for i := range query {
			vector[i] = float32(random.NormFloat64() * math.Pow(10, float64(random.IntN(9)-4)))
			query[i] = float64(float32(random.NormFloat64()))
		}
		require.Equal(t, goKernels.floatDot(query, vector), kernels.floatDot(query, vector), "n %d", n)
	}
}

// TestBound holds the bound of a code to its word, for vectors of every kind.
func TestBound(t *testing.T) {
	random := rand.New(rand.NewPCG(8, 9))
	for _, dimensions := range []int{1, 3, 32, 100, 384, 5000} {
		c := newBytes(dimensions, goKernels)
		for kind := range 4 {
			for range 30 {
				v, q := unit(oddVector(random, dimensions, kind)), unit(oddVector(random, dimensions, random.IntN(4)))
				var to codes
				c.encode(&to, v, 1)
				wide := c.wideQuery(q)
				var dot [1]int32
				goKernels.bytesDot(wide.code, to.bytes, dot[:])
				near := float32(dot[0]) * (to.scale[0] * wide.scale)
				exact := floatDotGo(newQuery(q).wide, v)
				require.LessOrEqual(t, math.Abs(float64(near)-exact), float64(to.slack[0]+wide.slack), "%d dimensions, kind %d", dimensions, kind)
			}
		}
	}
}

// oddVector is even, sparse, dominated by one element, or all alike.
func oddVector(random *rand.Rand, n, kind int) []float32 {
	v := make([]float32, n)
	for i := range v {
		switch v[i] = float32(random.NormFloat64()); {
		case kind == 1 && random.IntN(20) > 0:
			v[i] = 0
		case kind == 3:
			v[i] = 1
		}
	}
	if kind == 2 || norm(v) == 0 {
		v[random.IntN(n)] = 1000
	}
	return v
}

// TestRotation checks what the portable search rests on: whatever the vectors are,
// signs differ in proportion to the angle, and not more unevenly than independent
// ones would.
func TestRotation(t *testing.T) {
	random := rand.New(rand.NewPCG(10, 11))
	for _, dimensions := range []int{64, 100, 384, 768, 1000} {
		c := newSigns(dimensions)
		for kind := range 3 {
			var deviation, squares float64
			const pairs = 300
			for range pairs {
				a := unit(oddVector(random, dimensions, kind))
				b := unit(oddVector(random, dimensions, kind))
				mix := float32(random.Float64())
				for i := range b {
					b[i] = a[i]*mix + b[i]*(1-mix)
				}
				b = unit(b)
				p := math.Acos(min(1, floatDotGo(newQuery(a).wide, b))) / math.Pi
				var to codes
				c.encode(&to, append(slices.Clone(a), b...), 2)
				words := c.words()
				var differ [1]uint16
				differences(differ[:], to.signs[:words], to.signs[words:])
				n := float64(c.padded)
				z := (float64(differ[0]) - n*p) / math.Sqrt(n*p*(1-p)+1e-9)
				deviation += z
				squares += z * z
			}
			require.InDelta(t, 0, deviation/pairs, 0.35, "%d dimensions, kind %d: the mean", dimensions, kind)
			require.Less(t, math.Sqrt(squares/pairs), 1.2, "%d dimensions, kind %d: the deviation", dimensions, kind)
		}
	}
}
